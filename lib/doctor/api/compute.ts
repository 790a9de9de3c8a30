import type { OpenStackConnection } from '../../connection/connection.ts';
import { computeEndpoint, exposedToken } from '../../source/nova-api/catalogue.ts';
import { type Http, tlsProblemBehind } from '../../source/nova-api/http.ts';
import type { Token } from '../../source/nova-api/keystone.ts';
import { type Microversion, SINCE, has, negotiate } from '../../source/nova-api/microversion.ts';
import { shownUrl } from '../../source/nova-api/shown-url.ts';
import { asSourceError } from '../codes.ts';
import { type Finding, teller } from '../finding.ts';
import { reachUrl, tlsFinding } from './endpoint.ts';

const NO_TRACE = 'no trace can be made';
const tell = teller();

/** Whether the catalogue has Nova, and which microversion both sides know. */
export async function* examineCompute(
  http: Http,
  connection: OpenStackConnection,
  token: Token,
  signal: AbortSignal,
): AsyncGenerator<Finding, boolean, void> {
  let endpoint: string;
  try {
    endpoint = computeEndpoint(token.catalogue, connection);
  } catch (error) {
    const { message } = asSourceError(error, signal);
    const remedy = 'set region_name, and interface, in the secret as the catalogue has them';
    yield tell.fatal('compute endpoint', message, NO_TRACE, remedy);
    return false;
  }
  const hint = `; or another interface than ${connection.interface}, if the catalogue has one that is reached from here`;
  const reached = yield* reachUrl('compute endpoint', endpoint, hint, tell, signal);
  if (!reached.open) return false;
  yield tell.fine('compute endpoint', `${shownUrl(endpoint)} (${placed(connection)})`);
  let microversion: Microversion;
  try {
    ({ microversion } = await negotiate(http, endpoint, token.id, signal));
  } catch (error) {
    const source = asSourceError(error, signal);
    const badTls = tlsProblemBehind(source);
    yield badTls !== undefined
      ? tell.fatal('TLS to Nova', badTls.found, NO_TRACE, badTls.remedy)
      : tell.fatal('microversion', source.message, NO_TRACE);
    return false;
  }
  yield novaTls(connection, endpoint, reached.loopback);
  yield* microversionFindings(microversion);
  return true;
}

/** A token that came over https and goes on in clear text gets a finding of its own. */
export function novaTls(connection: OpenStackConnection, endpoint: string, loopback: boolean): Finding {
  if (loopback || exposedToken(connection.authUrl, endpoint) === undefined)
    return tlsFinding('TLS to Nova', endpoint, connection.tls, loopback, tell);
  return tell.lacking(
    'TLS to Nova',
    'none: the catalogue has an http URL for Nova, though Keystone’s is https',
    'nothing of the trace; but the token and unmasked names cross the network in clear text',
    'have the catalogue corrected, or give the https URL as compute_endpoint_override',
  );
}

function placed({ region, interface: face, computeUrl }: OpenStackConnection): string {
  if (computeUrl !== undefined) return 'as compute_endpoint_override says';
  return region === undefined ? `the only region, ${face}` : `region ${region}, ${face}`;
}

/** docs/nova-api.md lists the same. */
const LOST: [feature: keyof typeof SINCE, release: string, cost: string][] = [
  [
    'downCells',
    'Stein',
    'nothing while all cells answer; but a cell whose database refuses connections at once is left out without notice (refusingCells)',
  ],
  [
    'eventHosts',
    'Rocky',
    'where an event ran: the server’s present host is used, even for events before a migration (eventHosts)',
  ],
  [
    'actionChanges',
    'Queens',
    'requests: this Nova does not show which actions have changed, so every action of the last openHorizonDays is read',
  ],
  [
    'embeddedFlavour',
    'Pike',
    'MEMORY_MB, DISK_GB and VCPUS of servers whose flavour was deleted (deletedFlavours)',
  ],
];

function* microversionFindings(microversion: Microversion): Generator<Finding, void, void> {
  const missing = LOST.filter(([feature]) => !has(microversion, feature));
  yield tell.fine('microversion', `${microversion}${missing.length === 0 ? ', all that is needed' : ''}`);
  for (const [feature, release, cost] of missing) {
    yield tell.lacking(
      'microversion',
      `below ${SINCE[feature]} (${release})`,
      cost,
      'read the cell databases instead, if that matters',
    );
  }
}
