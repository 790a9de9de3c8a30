import type { CellConnection } from '../../connection/connection.ts';
import { OPTION_NAMES, SECRET_NAMES, type TlsNames, askFor } from '../../connection/database-tls.ts';
import { SourceError } from '../../core/errors.ts';
import { type Problem, networkProblem } from '../network-problems.ts';
import { type TlsKind, tlsKindOf, tlsProblem } from '../tls-problems.ts';
import { NEEDS_PASSWORD_ITSELF } from './login-plugins.ts';
import { type Stage, nameOfNumber, serverProblem } from './server-errors.ts';

/** Why a cell could not be read, and how far it came. */
export interface Failure extends Problem {
  readonly stage: Stage;
  /** `ER_ACCESS_DENIED_ERROR`, `ECONNREFUSED` */
  readonly code: string;
  readonly transient: boolean;
}

/** What is known of the server when something fails. */
export interface Server {
  /** Whether it has spoken as a database server does. */
  readonly answered: boolean;
  readonly isMariaDb: boolean;
}

type DriverError = NodeJS.ErrnoException & { readonly sqlState?: string };

const failures = new WeakMap<SourceError, Failure>();

/** Of an error that `cellError` has made. */
export function failureBehind(error: SourceError): Failure | undefined {
  return failures.get(error);
}

/** The driver's own error quotes the statement (and so identifiers) and the user; none of that goes on. */
export function cellError(connection: CellConnection, error: DriverError, server: Server): SourceError {
  const failure = failureOf(connection, error, server);
  const { stage, found, remedy, code, transient } = failure;
  const place = ['connection', 'TLS', 'login'].includes(stage) ? `${placeOf(connection)}: ` : '';
  const told = new SourceError(`cell ${connection.cell}: ${place}${found} (${code}); ${remedy}`, {
    transient,
    cause: new Error(code),
  });
  failures.set(told, failure);
  return told;
}

function placeOf({ host, port, socket }: CellConnection): string {
  return socket ?? `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function failureOf(connection: CellConnection, error: DriverError, server: Server): Failure {
  if (typeof error.sqlState === 'string') {
    const code = nameOfNumber(error.errno ?? 0, error.code, server.isMariaDb);
    return { code, ...serverProblem(code, connection) };
  }
  return (
    loginFailure(connection, error) ??
    tlsFailure(connection, error) ??
    networkFailure(connection, error) ??
    brokenOff(error, server)
  );
}

/** Errors by which the driver itself ends a login. */
function loginFailure(connection: CellConnection, { code, message }: DriverError): Failure | undefined {
  const names = namesOf(connection);
  if (message === NEEDS_PASSWORD_ITSELF) {
    return {
      stage: 'login',
      code: 'LOGIN_NEEDS_TLS',
      found: `${NEEDS_PASSWORD_ITSELF}, and without TLS anybody in between could read it`,
      remedy:
        `take TLS (${askFor(names, 'verify')}), the server’s socket on its own machine, ` +
        `or give the server’s key as ${names.serverKey}`,
      transient: false,
    };
  }
  if (code !== 'AUTH_SWITCH_PLUGIN_ERROR' && code !== 'MYSQL_CLEAR_PASSWORD_NOT_ENABLED') return undefined;
  const unknown = /unknown plugin ([\w-]{1,64})/.exec(message)?.[1];
  const plugin = code === 'MYSQL_CLEAR_PASSWORD_NOT_ENABLED' ? 'mysql_clear_password' : unknown;
  return {
    stage: 'login',
    code,
    found:
      plugin === undefined
        ? 'the login broke off'
        : `the user logs in by the plugin ${plugin}, which is not supported`,
    remedy:
      plugin === undefined
        ? 'check that a database server answers there, and look into its log'
        : 'make a user for this alone that logs in by mysql_native_password (MariaDB) or caching_sha2_password (MySQL)',
    transient: false,
  };
}

/** The driver gives nearly all failures of TLS one code. */
const TLS_CODES: Partial<Record<TlsKind, string>> = {
  otherName: 'ERR_TLS_CERT_ALTNAME_INVALID',
  expired: 'CERT_HAS_EXPIRED',
  notYetValid: 'CERT_NOT_YET_VALID',
};

function tlsFailure(connection: CellConnection, error: DriverError): Failure | undefined {
  const { byOptions, tls } = connection;
  const names = namesOf(connection);
  if (error.code === 'HANDSHAKE_NO_SSL_SUPPORT') {
    return {
      stage: 'TLS',
      code: error.code,
      found: 'the server offers no TLS',
      remedy: `set it up there; or ${askFor(names, 'off')}, if that is meant: ${whatOffMeans(names)}`,
      transient: false,
    };
  }
  const kind = tlsKindOf(error);
  if (kind === undefined) return undefined;
  const problem = tlsProblem(kind, error, {
    hasCa: tls.mode === 'verify-ca' || (tls.mode === 'verify' && tls.ca !== undefined),
    giveCa: `as ${names.ca}${byOptions === true ? ' FILE' : ', the text of a PEM'}`,
    otherName: `connect to that name, or give it as ${names.name}; ${askFor(names, 'verify-ca')} with ${names.ca} verifies the authority alone`,
    plainText: 'check host and port',
  });
  return { stage: 'TLS', code: TLS_CODES[kind] ?? 'HANDSHAKE_SSL_ERROR', transient: false, ...problem };
}

/** What is lost without TLS. Every remedy that turns TLS off has to say it. */
function whatOffMeans(names: TlsNames): string {
  return (
    'all that is read then crosses the network in clear text, and a login for which the server needs the password ' +
    `itself (caching_sha2_password, sha256_password) is refused unless ${names.serverKey} has the server’s key`
  );
}

const SOCKET_PROBLEMS: Readonly<Record<string, Problem>> = {
  ENOENT: { found: 'there is no such socket', remedy: 'check its path, and whether the server is up' },
  EACCES: {
    found: 'this user may not open the socket',
    remedy: 'run as a user who may, or use host and port',
  },
};

const LASTING = ['ENOENT', 'EACCES', 'ENOTFOUND', 'ENETUNREACH'];

function networkFailure({ socket }: CellConnection, { code = '' }: DriverError): Failure | undefined {
  const problem = (socket === undefined ? undefined : SOCKET_PROBLEMS[code]) ?? networkProblem(code);
  if (problem === undefined) return undefined;
  return { stage: 'connection', code, transient: !LASTING.includes(code), ...problem };
}

const TRANSIENT = [
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'PROTOCOL_PACKETS_OUT_OF_ORDER',
  'ECONNABORTED',
];

function brokenOff(error: DriverError, { answered }: Server): Failure {
  // A connection that was closed while it was idle is told of by a plain error, at the next statement.
  const isClosed = error.code === undefined && /closed state/.test(error.message);
  const code = isClosed ? 'PROTOCOL_CONNECTION_LOST' : (error.code ?? error.name);
  const transient = TRANSIENT.includes(code);
  if (!answered) {
    return {
      stage: 'connection',
      code,
      found: 'what answers there is no MariaDB or MySQL, or broke off',
      remedy: 'check host and port',
      transient,
    };
  }
  const found =
    code === 'PROTOCOL_CONNECTION_LOST'
      ? 'the server closed the connection'
      : 'the server did not answer as it should';
  return { stage: 'statement', code, found, remedy: 'look into the server’s log', transient };
}

function namesOf({ byOptions }: CellConnection): TlsNames {
  return byOptions === true ? OPTION_NAMES : SECRET_NAMES;
}
