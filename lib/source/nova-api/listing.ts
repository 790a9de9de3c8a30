import { SourceError } from '../../core/errors.ts';
import { shaped } from './answers.ts';
import type { Nova } from './nova.ts';
import { type RawServer, SERVERS, ServerPage, isUnknown } from './servers.ts';

/**
 * Nova waits this long for a cell (`CELL_TIMEOUT` in nova/context.py), then leaves it out without notice, in every
 * microversion. Only an answer that came sooner is certainly complete.
 */
export const CELL_TIMEOUT_SECONDS = 60;

export interface ListingOptions {
  readonly query: Readonly<Record<string, string>>;
  /** Called for every page that may lack a cell. */
  readonly onDoubt: () => void;
  /** Whether an earlier page was doubtful, and was accepted. */
  readonly isDoubted: () => boolean;
  /** Seconds after which an answer may lack a cell. */
  readonly doubtSeconds: number;
}

/**
 * It is unlikely that this many servers in a row were archived while one page was read; the refusal has another cause.
 */
const MOST_VANISHED = 20;

/** A page that takes long because it is large is asked for again in pieces of this size. */
const SMALL_PAGE = 100;

/**
 * The servers of all projects that fit `query`, page by page, each server once. The first page is asked for without
 * a limit, for with any parameter of paging Nova shows no servers of cells that are down (`_is_cell_down_supported`
 * in nova/api/openstack/compute/servers.py).
 */
export async function* listServers(
  nova: Nova,
  options: ListingOptions,
): AsyncGenerator<RawServer[], void, void> {
  const seen = new Set<string>();
  let limit: number | undefined;
  // The servers of the latest page, the last one first: what the next page may continue from.
  let markers: string[] = [];
  let vanished = 0;
  for (;;) {
    const [marker] = markers;
    const answer = await page(nova, options, limit, marker);
    if (answer === 'markerGone') {
      // It was archived meanwhile. The server before it leads to the same place, and repeated servers are left out.
      if (++vanished > MOST_VANISHED) {
        throw new SourceError(`${SERVERS}: markers were refused, ${vanished} times in a row`, {
          transient: true,
        });
      }
      markers = markers.slice(1);
      continue;
    }
    if (answer.seconds >= options.doubtSeconds) {
      const isSeen = options.isDoubted() || answer.servers.some(isUnknown);
      if (limit === undefined && !isSeen) {
        limit = SMALL_PAGE;
        continue;
      }
      // Small pages did not help, and each would take as long.
      limit = undefined;
      options.onDoubt();
    }
    const fresh = answer.servers.filter(({ id }) => !seen.has(id));
    for (const { id } of fresh) seen.add(id);
    if (fresh.length > 0) {
      vanished = 0;
      yield fresh;
    }
    // Not by the link to the next page: of a server that is in two cells Nova drops one after it has cut the page,
    // which is then one short, and takes it for the last.
    const last = answer.servers.at(-1)?.id;
    if (last === undefined) return;
    if (last === marker) throw goesNowhere(SERVERS);
    markers = answer.servers.map(({ id }) => id).toReversed();
  }
}

/** The error for a list that announces a next page, and then returns the same page again. */
export function goesNowhere(what: string): SourceError {
  return new SourceError(`${what}: announces a next page and does not go on`, { transient: true });
}

interface Page {
  readonly servers: RawServer[];
  readonly seconds: number;
}

async function page(
  nova: Nova,
  { query, doubtSeconds }: ListingOptions,
  limit: number | undefined,
  marker: string | undefined,
): Promise<Page | 'markerGone'> {
  const answer = await nova.get({
    path: '/servers/detail',
    query: new URLSearchParams({
      all_tenants: '1',
      ...query,
      ...(limit === undefined ? {} : { limit: String(limit) }),
      ...(marker === undefined ? {} : { marker }),
    }),
    what: SERVERS,
    accept: marker === undefined ? [] : [400],
    // Three cells may be silent in turn: build requests, cells, faults.
    timeoutSeconds: doubtSeconds * 3 + 60,
  });
  if (answer.status === 400) return 'markerGone';
  return { servers: shaped(ServerPage, answer.json, SERVERS).servers, seconds: answer.seconds };
}
