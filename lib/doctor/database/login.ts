import type { CellConnection } from '../../connection/connection.ts';
import { OPTION_NAMES, SECRET_NAMES, askFor } from '../../connection/database-tls.ts';
import type { SourceError } from '../../core/errors.ts';
import { failureBehind } from '../../source/nova-db/failures.ts';
import { type CellSession, openCell } from '../../source/nova-db/session.ts';
import { asSourceError } from '../codes.ts';
import type { Finding, Teller } from '../finding.ts';
import { UNKNOWN_HOST, addressesOf, isLoopback, placeOf } from '../reach.ts';
import { verifiedBy } from '../tls.ts';

const NO_TRACE = 'no trace can be made';

/**
 * Connects as a run does, and reports which step failed: the driver takes these steps at once, but in this order.
 *
 * @returns the session with its snapshot begun; undefined if that failed
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
    yield* whatFailed(asSourceError(error, signal), connection, place, tell);
    return undefined;
  }
}

/** Facts about the session, once it is open. */
export async function* examineLogin(
  session: CellSession,
  connection: CellConnection,
  tell: Teller,
): AsyncGenerator<Finding, void, void> {
  const { host, socket, database } = connection;
  const addresses = await addressesOf(host);
  yield tell.fine('connection', `${placeIn(connection, addresses)} answers`);
  const isLocal = socket !== undefined || isLoopback(addresses);
  yield tlsFinding(connection, await tlsOf(session, isLocal), tell);
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

export function tlsFinding(
  { tls, byOptions }: Pick<CellConnection, 'tls' | 'byOptions'>,
  found: TlsFound,
  tell: Teller,
): Finding {
  const names = byOptions === true ? OPTION_NAMES : SECRET_NAMES;
  const verify = askFor(names, 'verify');
  if (tls.mode !== 'off') {
    return tell.fine('TLS', `${found.version}, ${verifiedHow(tls)}`);
  }
  if (found.loopback) return tell.fine('TLS', 'off; nothing leaves this machine');
  return tell.lacking(
    'TLS',
    found.offers ? 'off, though the server offers it' : 'off, and the server offers none',
    `nothing of the trace; but everything that is read crosses the network unmasked and in clear text; ${loginWithoutTls(tls)}`,
    found.offers
      ? `${verify}, with the server’s authority as ${names.ca} where this machine does not know it`
      : `set up TLS at the server, then ${verify}`,
  );
}

/** What happens if the server asks for the password itself. */
function loginWithoutTls({ serverKey }: Extract<CellConnection['tls'], { mode: 'off' }>): string {
  return serverKey === undefined
    ? 'a login by caching_sha2_password or sha256_password is refused as soon as the server asks for the password itself'
    : 'the password is encrypted with the server’s pinned key where the server asks for it';
}

function verifiedHow(tls: Exclude<CellConnection['tls'], { mode: 'off' }>): string {
  if (tls.mode === 'verify-ca') return `certificate verified by ${verifiedBy(tls)}, whatever its name`;
  const name = tls.name === undefined ? 'name' : `the name ${tls.name}`;
  return `certificate and ${name} verified by ${verifiedBy(tls)}`;
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

/** The steps before a failure, which were fine, then the failure. */
function* whatFailed(
  error: SourceError,
  connection: CellConnection,
  place: string,
  tell: Teller,
): Generator<Finding, void, void> {
  const failure = failureBehind(error);
  if (failure === undefined) throw error;
  const { database, tls } = connection;
  const found = `${failure.found} (${failure.code})`;
  if (failure.stage === 'connection') {
    yield tell.fatal('connection', `${place}: ${found}`, NO_TRACE, failure.remedy);
    return;
  }
  yield tell.fine('connection', `${place} answers`);
  if (failure.stage === 'TLS') {
    yield tell.fatal('TLS', found, NO_TRACE, failure.remedy);
    return;
  }
  if (tls.mode !== 'off') yield tell.fine('TLS', verifiedHow(tls));
  if (failure.stage === 'login') {
    yield tell.fatal('login', found, NO_TRACE, failure.remedy);
    return;
  }
  yield tell.fine('login', 'accepted');
  yield failure.stage === 'database'
    ? tell.fatal('database', `${database}: ${found}`, NO_TRACE, failure.remedy)
    : tell.fatal('snapshot', `the server does not begin one: ${found}`, NO_TRACE, failure.remedy);
}
