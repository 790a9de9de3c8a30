import type { Answer, Call } from './answers.ts';

const MALFORMED =
  'The server could not comply with the request since it is either malformed or otherwise incorrect. ' +
  'The client is assumed to be in error.';

/** An answer other than the one asked for; the wording is Keystone's (keystone/exception.py). */
export class KeystoneError extends Error {
  readonly status: number;
  readonly title: string;

  constructor(status: number, title: string, message: string) {
    super(message);
    this.status = status;
    this.title = title;
  }
}

export function missing(attribute: string, target: string): KeystoneError {
  return new KeystoneError(400, 'Bad Request', `Expecting to find ${attribute} in ${target}. ${MALFORMED}`);
}

/** Keystone never says whether it was the user, the password or the project. */
export function unauthorized(message = 'The request you have made requires authentication.'): KeystoneError {
  return new KeystoneError(401, 'Unauthorized', message);
}

export function notFound(message: string): KeystoneError {
  return new KeystoneError(404, 'Not Found', message);
}

export function errorAnswer({ status, message, title }: KeystoneError, call: Call): Answer {
  return {
    status,
    headers: status === 401 ? { 'www-authenticate': `Keystone uri="${call.origin}/identity/v3"` } : {},
    body: { error: { code: status, message, title } },
  };
}
