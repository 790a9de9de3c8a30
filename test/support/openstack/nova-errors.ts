const NAMES: Readonly<Record<number, string>> = {
  400: 'badRequest',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'itemNotFound',
  405: 'badMethod',
  501: 'notImplemented',
  503: 'serviceUnavailable',
};

/** An answer other than the one asked for, in the shape of `Fault` (nova/api/openstack/wsgi.py). */
export class NovaError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }

  get body(): object {
    return { [NAMES[this.status] ?? 'computeFault']: { code: this.status, message: this.message } };
  }
}

export function badRequest(message: string): NovaError {
  return new NovaError(400, message);
}

export function forbidden(policy: string): NovaError {
  return new NovaError(403, `Policy doesn't allow os_compute_api:${policy} to be performed.`);
}

/** What Nova says when it meets an exception that it did not expect. */
export function unexpected(exception: string): NovaError {
  return new NovaError(
    500,
    'Unexpected API Error. Please report this at http://bugs.launchpad.net/nova/ ' +
      `and attach the Nova API log if possible.\n<class '${exception}'>`,
  );
}

/** A cell's database that refuses, met where no other cell is asked. */
export function databaseError(): NovaError {
  return unexpected('oslo_db.exception.DBConnectionError');
}
