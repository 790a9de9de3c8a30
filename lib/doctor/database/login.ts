import type { CellConnection } from '../../connection/connection.ts';
import { type CellSession, openCell } from '../../source/database/session.ts';
import { asSourceError, codeOf } from '../codes.ts';
import type { Finding, Teller } from '../finding.ts';
import { UNKNOWN_HOST, addressesOf, isLoopback, networkProblem, placeOf } from '../reach.ts';
import { verifiedBy } from '../tls.ts';

const NO_TRACE = 'no trace can be made';

/**
 * Connects as a run does, and tells how far it came where it came to nothing: the driver does all of it at once, but in
 * this order.
 *
 * @returns the session with its snapshot begun; undefined where it came to nothing
 */
export async function* openExamined(
  connection: CellConnection,
  tell: Teller,
  signal: AbortSignal,
): AsyncGenerator<Finding, CellSession | undefined, void> {
  const { host, socket } = connection;
  const addresses = await addressesOf(host);
  const place = placeIn(connection, addresses);
  if (addresses.length === 0 && socket === undefined) {
    yield tell.fatal('connection', `${place}: ${UNKNOWN_HOST.found}`, NO_TRACE, UNKNOWN_HOST.remedy);
    return undefined;
  }
  try {
    return await openCell(connection, signal);
  } catch (error) {
    yield* whatFailed(codeOf(asSourceError(error, signal)), connection, place, tell);
    return undefined;
  }
}

/** What the session stands for, once it is open. */
export async function* examineLogin(
  session: CellSession,
  connection: CellConnection,
  tell: Teller,
): AsyncGenerator<Finding, void, void> {
  const { host, socket, database, tls } = connection;
  const addresses = await addressesOf(host);
  yield tell.fine('connection', `${placeIn(connection, addresses)} answers`);
  const isLocal = socket !== undefined || isLoopback(addresses);
  yield tlsFinding(tls, await tlsOf(session, isLocal), tell);
  yield tell.fine('login', 'accepted');
  yield tell.fine('database', `${database} is there`);
  yield tell.fine('snapshot', 'begun: one consistent state, read only');
}

function placeIn({ host, port, socket }: CellConnection, addresses: readonly string[]): string {
  return socket ?? placeOf(host, port, addresses);
}

export interface TlsFound {
  /** `TLSv1.3`; empty without TLS. */
  readonly version: string;
  /** Whether the server would do TLS. */
  readonly offers: boolean;
  /** Whether nothing leaves this machine. */
  readonly loopback: boolean;
}

export function tlsFinding(tls: CellConnection['tls'], found: TlsFound, tell: Teller): Finding {
  if (tls.mode !== 'off') {
    return tell.fine('TLS', `${found.version}, certificate and name verified by ${verifiedBy(tls)}`);
  }
  if (found.loopback) return tell.fine('TLS', 'off; nothing leaves this machine');
  return tell.lacking(
    'TLS',
    found.offers ? 'off, though the server offers it' : 'off, and the server offers none',
    'nothing of the trace; but all that is read crosses the network unmasked and in the clear',
    found.offers
      ? 'ssl=verify, with the server’s authority as ssl_ca where this machine does not know it'
      : 'set up TLS at the server, then ssl=verify',
  );
}

async function tlsOf(session: CellSession, loopback: boolean): Promise<TlsFound> {
  const [version] = await session.query("SHOW SESSION STATUS LIKE 'Ssl_version'");
  return { version: String(version?.[1] ?? ''), offers: await offersTls(session), loopback };
}

/** MariaDB, and MySQL up to 8.3, have the first; MySQL has the second since 8.0.16. */
async function offersTls({ query }: CellSession): Promise<boolean> {
  const rows = await query(
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('have_ssl', 'current_tls_cert', 'ssl_cert')",
  );
  const variables = new Map(rows.map(([name, value]) => [String(name).toLowerCase(), String(value ?? '')]));
  const has = variables.get('have_ssl');
  if (has !== undefined) return has === 'YES';
  return (variables.get('current_tls_cert') ?? variables.get('ssl_cert') ?? '') !== '';
}

const TLS_PROBLEMS: Readonly<Record<string, [found: string, remedy: string]>> = {
  HANDSHAKE_NO_SSL_SUPPORT: [
    'on, but the server offers none',
    'set up TLS at the server, or say ssl=off if plain text is meant',
  ],
  HANDSHAKE_SSL_ERROR: [
    'the server’s certificate is not accepted',
    'give the authority that signed it as ssl_ca, the text of a PEM; check that it has not expired',
  ],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'the server’s certificate is for another host name',
    'name the host in the secret as the certificate does',
  ],
};

const DATABASE_PROBLEMS: Readonly<Record<string, string>> = {
  ER_BAD_DB_ERROR: 'there is no database of that name',
  ER_DBACCESS_DENIED_ERROR: 'the user may not use it, or it is not there',
};

async function* whatFailed(
  code: string,
  { database, tls }: CellConnection,
  place: string,
  tell: Teller,
): AsyncGenerator<Finding, void, void> {
  const network = networkProblem(code);
  if (network !== undefined) {
    yield tell.fatal('connection', `${place}: ${network.found}`, NO_TRACE, network.remedy);
    return;
  }
  const badTls = TLS_PROBLEMS[code];
  const badDatabase = DATABASE_PROBLEMS[code];
  if (badTls === undefined && badDatabase === undefined && !code.startsWith('ER_')) {
    const found = `${place}: what answers there is no MariaDB or MySQL, or broke off (${code})`;
    yield tell.fatal('connection', found, NO_TRACE, 'check host and port');
    return;
  }
  yield tell.fine('connection', `${place} answers`);
  if (badTls !== undefined) {
    yield tell.fatal('TLS', `${badTls[0]} (${code})`, NO_TRACE, badTls[1]);
    return;
  }
  if (tls.mode !== 'off') yield tell.fine('TLS', `certificate and name verified by ${verifiedBy(tls)}`);
  if (badDatabase !== undefined) {
    yield tell.fine('login', 'accepted');
    const remedy = 'check the name; the user needs SELECT on six of its tables, README lists the GRANTs';
    yield tell.fatal('database', `${database}: ${badDatabase} (${code})`, NO_TRACE, remedy);
    return;
  }
  if (/ACCESS_DENIED|AUTH|PASSWORD|ACCOUNT|HOST_/.test(code)) {
    const plain = tls.mode === 'off' ? '; with REQUIRE SSL, whether ssl is off here' : '';
    yield tell.fatal(
      'login',
      `the server refuses the user (${code})`,
      NO_TRACE,
      `check user and password, and from which addresses the user may come${plain}`,
    );
    return;
  }
  const old = code === 'ER_UNKNOWN_SYSTEM_VARIABLE';
  yield tell.fatal(
    'snapshot',
    `the server does not begin one (${code})`,
    NO_TRACE,
    old ? 'MariaDB 10.1 or MySQL 5.7.8, or newer' : 'look into the server’s log, and at its limits',
  );
}
