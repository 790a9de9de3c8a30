/** A problem and its remedy, each as part of a line. */
export interface Problem {
  readonly found: string;
  readonly remedy: string;
}

const NO_ROUTE: Problem = {
  found: 'there is no route to it',
  remedy: 'check routes and firewalls between here and there',
};
const CUT: Problem = {
  found: 'the connection was cut',
  remedy: 'check proxies and firewalls between here and there',
};

const NETWORK: Readonly<Record<string, Problem>> = {
  ECONNREFUSED: {
    found: 'nothing listens there',
    remedy: 'check host and port, and whether the service is up',
  },
  ETIMEDOUT: {
    found: 'does not answer',
    remedy: 'check routes, firewalls and security groups between here and there',
  },
  EHOSTUNREACH: NO_ROUTE,
  ENETUNREACH: NO_ROUTE,
  ECONNRESET: CUT,
  EPIPE: CUT,
  ENOTFOUND: {
    found: 'the host name is not known here',
    remedy: 'check its spelling, and the name servers that this machine uses',
  },
  EAI_AGAIN: {
    found: 'the name servers do not answer',
    remedy: 'check the name servers that this machine uses, and the route to them',
  },
};

/** The problem that a code of the network layer stands for, and its remedy; undefined for any other code. */
export function networkProblem(code: string): Problem | undefined {
  return Object.hasOwn(NETWORK, code) ? NETWORK[code] : undefined;
}
