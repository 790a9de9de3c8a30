import * as z from 'zod/mini';
import { SourceError } from '../../core/errors.ts';
import { parseJson, refuseStatus } from './answers.ts';
import { refuseForeign } from './foreign.ts';
import type { Http } from './http.ts';
import { withRetries } from './retry.ts';

/** `2.69` */
export type Microversion = `${number}.${number}`;

/** Features that the source uses, and the microversion that introduced each ("REST API Version History"). */
export const SINCE = {
  /** Actions of deleted servers. Without them a trace would lack deletions. */
  deletedServers: '2.21',
  /** The flavour's sizes within the server, even if the flavour is deleted. */
  embeddedFlavour: '2.47',
  /** When an action last changed, and a filter by it. */
  actionChanges: '2.58',
  eventHosts: '2.62',
  /** Servers and services of a cell that is down are listed as UNKNOWN. */
  downCells: '2.69',
} as const satisfies Record<string, Microversion>;

/** Nothing newer is needed, and a newer one may behave differently. */
const NEWEST: Microversion = SINCE.downCells;

export function has(microversion: Microversion, feature: keyof typeof SINCE): boolean {
  return !isOlder(microversion, SINCE[feature]);
}

const Version = z.object({
  id: z.string(),
  version: z.nullish(z.string()),
  min_version: z.nullish(z.string()),
});
const Document = z.union([z.object({ version: Version }), z.object({ versions: z.array(Version) })]);

/**
 * The versioned URL of Nova's API, and the newest microversion that both sides know.
 *
 * @param endpoint as the catalogue has it: with the version, without, or (of old) with the project at its end
 * @throws SourceError where the server is older than 2.21 (Mitaka)
 */
export async function negotiate(
  http: Http,
  endpoint: string,
  token: string,
  signal: AbortSignal,
): Promise<{ url: string; microversion: Microversion }> {
  const what = 'Nova: its versions';
  // The old API at /v2 has no microversions; the new one is at the same place.
  const base = endpoint.replace(/\/+$/, '').replace(/\/v2(\.\d+)?(\/[^/]+)?$/, '');
  const url = `${base}/v2.1`;
  const answer = await withRetries(async () => {
    const found = await http.send(
      // Old versions of Nova require a token even for this.
      { method: 'GET', url: `${url}/`, headers: { 'X-Auth-Token': token }, what, timeoutSeconds: 60 },
      signal,
    );
    // Nova answers 300 if there are several versions to choose from.
    refuseForeign(
      what,
      url,
      found,
      'the URL of Nova in Keystone’s catalogue, or as compute_endpoint_override',
    );
    if (found.status !== 200 && found.status !== 300) throw refuseStatus(what, found);
    return { status: found.status, document: z.safeParse(Document, parseJson(what, found.body)).data };
  }, signal);
  const { document } = answer;
  const versions =
    document === undefined ? [] : 'version' in document ? [document.version] : document.versions;
  const current = versions.find(({ id }) => id === 'v2.1');
  const [newest, oldest] = [current?.version ?? '', current?.min_version ?? ''];
  if (!isMicroversion(newest) || !isMicroversion(oldest)) {
    throw new SourceError(`${what}: the compute endpoint (status ${answer.status}) offers no API v2.1`, {
      transient: false,
    });
  }
  if (isOlder(newest, SINCE.deletedServers)) {
    throw new SourceError(
      `${what}: up to ${newest}; accepted: ${SINCE.deletedServers} or newer (Mitaka), which shows what deleted servers did`,
      { transient: false },
    );
  }
  const wanted = isOlder(newest, NEWEST) ? newest : NEWEST;
  return { url, microversion: isOlder(wanted, oldest) ? oldest : wanted };
}

function isMicroversion(text: string): text is Microversion {
  return /^\d+\.\d+$/.test(text);
}

function isOlder(a: Microversion, b: Microversion): boolean {
  const [[majorA = 0, minorA = 0], [majorB = 0, minorB = 0]] = [numbers(a), numbers(b)];
  return majorA === majorB ? minorA < minorB : majorA < majorB;
}

function numbers(microversion: Microversion): number[] {
  return microversion.split('.').map(Number);
}
