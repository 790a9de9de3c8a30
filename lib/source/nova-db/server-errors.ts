import type { CellConnection } from '../../connection/connection.ts';
import { OPTION_NAMES, SECRET_NAMES, askFor } from '../../connection/database-tls.ts';
import type { Problem } from '../network-problems.ts';

/** How far a session came when it failed. */
export type Stage = 'connection' | 'TLS' | 'login' | 'database' | 'statement';

/** No single statement of ours reads more than a few thousand rows, save a first run's scan. */
export const STATEMENT_TIMEOUT_SECONDS = 300;

/** MariaDB's own numbers (from 1900 and 4000 on), which the driver does not know or takes for MySQL's. */
const MARIADB_NUMBERS: Readonly<Record<number, string>> = {
  1927: 'ER_CONNECTION_KILLED',
  1969: 'ER_STATEMENT_TIMEOUT',
  4150: 'ER_USER_IS_BLOCKED',
  4151: 'ER_ACCOUNT_HAS_BEEN_LOCKED',
};

/** The name of a number that a server answered; of one that is not known, the number itself. */
export function nameOfNumber(errno: number, byDriver: string | undefined, isMariaDb: boolean): string {
  const isOwn = isMariaDb && ((errno >= 1900 && errno < 2000) || errno >= 4000);
  return (isOwn ? MARIADB_NUMBERS[errno] : byDriver) ?? `ER_${errno}`;
}

interface Known extends Problem {
  readonly stage: Stage;
  readonly transient?: true;
}

const login = (found: string, remedy: string): Known => ({ stage: 'login', found, remedy });
const busy = (found: string, remedy: string): Known => ({ stage: 'login', found, remedy, transient: true });
const database = (found: string, remedy: string): Known => ({ stage: 'database', found, remedy });
const statement = (found: string, remedy: string): Known => ({ stage: 'statement', found, remedy });
const passing = (found: string, remedy: string): Known => ({
  stage: 'statement',
  found,
  remedy,
  transient: true,
});

const GRANTS = 'check the name, and grant the user Nova’s tables; docs/nova-database.md lists the GRANTs';
const IS_IT_A_CELL = 'check that it is a cell database, not nova_api';
const AGAIN = 'run again; if it stays, look into the server’s log';

const SLOW = statement(
  `a statement took longer than ${STATEMENT_TIMEOUT_SECONDS} seconds`,
  'run again when the server is less busy, or read from a replica',
);
const BLOCKED = login(
  'the account is blocked after too many failed logins',
  'unblock it: ALTER USER … ACCOUNT UNLOCK (MySQL), FLUSH PRIVILEGES (MariaDB)',
);
const EXPIRED = login(
  'the password has expired',
  'set it: ALTER USER … IDENTIFIED BY; with PASSWORD EXPIRE NEVER it stays good',
);
const OTHER_PLUGIN = login(
  'the server does not let this user log in as this program can',
  'make a user for this alone that logs in by mysql_native_password (MariaDB) or caching_sha2_password (MySQL)',
);
const KILLED = passing('somebody ended the connection at the server', AGAIN);
const NO_MORE_FOR_USER = busy(
  'the user has used up its connections',
  'raise its MAX_USER_CONNECTIONS, or see who else logs in as this user',
);

const KNOWN: Readonly<Record<string, Known>> = {
  ER_HOST_NOT_PRIVILEGED: login(
    'the server takes no login from this address',
    'create the user for it: CREATE USER …@ADDRESS, or …@"%"',
  ),
  ER_HOST_IS_BLOCKED: login(
    'the server has blocked this address after too many broken connections',
    'unblock it there: FLUSH HOSTS, or mariadb-admin flush-hosts',
  ),
  ER_ACCOUNT_HAS_BEEN_LOCKED: login('the account is locked', 'unlock it: ALTER USER … ACCOUNT UNLOCK'),
  ER_USER_IS_BLOCKED: BLOCKED,
  ER_USER_ACCESS_DENIED_FOR_USER_ACCOUNT_BLOCKED_BY_PASSWORD_LOCK: BLOCKED,
  ER_MUST_CHANGE_PASSWORD: EXPIRED,
  ER_MUST_CHANGE_PASSWORD_LOGIN: EXPIRED,
  ER_NOT_SUPPORTED_AUTH_MODE: OTHER_PLUGIN,
  ER_PLUGIN_IS_NOT_LOADED: OTHER_PLUGIN,
  ER_CON_COUNT_ERROR: busy('the server has no connection free', 'run again, or raise max_connections there'),
  ER_TOO_MANY_USER_CONNECTIONS: NO_MORE_FOR_USER,
  ER_USER_LIMIT_REACHED: NO_MORE_FOR_USER,
  ER_SERVER_OFFLINE_MODE: busy('the server is in offline mode', 'run again when it is back'),
  ER_DBACCESS_DENIED_ERROR: database('the user may not use that database, or it is not there', GRANTS),
  ER_BAD_DB_ERROR: database('there is no database of that name', GRANTS),
  ER_TABLEACCESS_DENIED_ERROR: statement('the user may not read a table that is needed', GRANTS),
  ER_COLUMNACCESS_DENIED_ERROR: statement('the user may not read a column that is needed', GRANTS),
  ER_NO_SUCH_TABLE: statement('a table of Nova is missing', IS_IT_A_CELL),
  ER_BAD_FIELD_ERROR: statement('a column of Nova is missing', IS_IT_A_CELL),
  ER_UNKNOWN_SYSTEM_VARIABLE: statement(
    'the server is too old',
    'accepted: MariaDB 10.1 or MySQL 5.7.8, or newer',
  ),
  ER_STATEMENT_TIMEOUT: SLOW,
  ER_QUERY_TIMEOUT: SLOW, // MySQL's name for it
  ER_CONNECTION_KILLED: KILLED,
  ER_SESSION_WAS_KILLED: KILLED,
  ER_QUERY_INTERRUPTED: passing('somebody stopped a statement at the server', AGAIN),
  ER_SERVER_SHUTDOWN: passing('the server is shutting down', 'run again when it is back'),
  ER_LOCK_DEADLOCK: passing('the server gave a statement up for another', AGAIN),
  // Galera
  ER_UNKNOWN_COM_ERROR: passing('the server is not ready for queries', 'run again when its cluster is whole'),
  ER_NET_READ_ERROR: passing('the connection was disturbed', AGAIN),
  ER_NET_READ_INTERRUPTED: passing('the connection was disturbed', AGAIN),
  ER_CLIENT_INTERACTION_TIMEOUT: passing('the server closed the connection because it was idle', AGAIN),
};

/** What a server's own error means, and what to do about it. */
export function serverProblem(
  code: string,
  connection: CellConnection,
): Problem & { readonly stage: Stage; readonly transient: boolean } {
  const known = Object.hasOwn(KNOWN, code) ? KNOWN[code] : withoutTls(code, connection);
  const { transient = false, ...problem } =
    known ?? statement('the server answers with an error', 'look it up by its name, and in the server’s log');
  return { transient, ...problem };
}

/** Errors whose remedy depends on whether there is TLS. */
function withoutTls(code: string, { tls, socket, byOptions }: CellConnection): Known | undefined {
  const verify = askFor(byOptions === true ? OPTION_NAMES : SECRET_NAMES, 'verify');
  if (code === 'ER_SECURE_TRANSPORT_REQUIRED') {
    return login('the server takes connections with TLS only, and TLS is off here', `say ${verify}`);
  }
  if (code !== 'ER_ACCESS_DENIED_ERROR' && code !== 'ER_ACCESS_DENIED_NO_PASSWORD_ERROR') return undefined;
  const isPlain = tls.mode === 'off' && socket === undefined;
  return login(
    'the server refuses the user',
    `check user and password, and from which addresses the user may come${
      isPlain ? `; TLS is off here: if the user has to use it (REQUIRE SSL), say ${verify}` : ''
    }`,
  );
}
