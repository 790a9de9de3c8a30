import { SourceError } from '../../errors.ts';
import { type Nova, shaped } from './nova.ts';
import { type RawServer, ServerPage } from './servers.ts';

/**
 * Nova waits this long for a cell (`CELL_TIMEOUT` in nova/context.py), then leaves it out without a word, whatever
 * the microversion. Only an answer that came sooner is known to be whole.
 */
export const CELL_TIMEOUT_SECONDS = 60;

export interface ListingOptions {
  readonly query: Readonly<Record<string, string>>;
  /** Told of every page that may lack a cell. */
  readonly onDoubt: () => void;
  /** After how many seconds an answer may lack a cell. */
  readonly doubtSeconds: number;
}

const WHAT = 'Nova: the list of servers';

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
  for (;;) {
    const [marker] = markers;
    const answer = await page(nova, options, limit, marker);
    if (answer === 'markerGone') {
      // It was archived meanwhile. The one before it leads to the same place, and what comes twice is left out;
      // where none is left the listing begins anew.
      markers = markers.slice(1);
      continue;
    }
    if (answer.seconds >= options.doubtSeconds) {
      if (limit === undefined) {
        limit = SMALL_PAGE;
        continue;
      }
      options.onDoubt();
    }
    const fresh = answer.servers.filter(({ id }) => !seen.has(id));
    for (const { id } of fresh) seen.add(id);
    if (fresh.length > 0) yield fresh;
    if (!answer.hasMore) return;
    const last = answer.servers.at(-1)?.id;
    if (last === undefined || last === marker) {
      throw new SourceError(`${WHAT}: announces a next page and does not go on`, { transient: true });
    }
    markers = answer.servers.map(({ id }) => id).toReversed();
  }
}

interface Page {
  readonly servers: RawServer[];
  readonly hasMore: boolean;
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
    what: WHAT,
    accept: marker === undefined ? [] : [400],
    // Three cells may be silent in turn: build requests, cells, faults.
    timeoutSeconds: doubtSeconds * 3 + 60,
  });
  if (answer.status === 400) return 'markerGone';
  const { servers, servers_links: links = [] } = shaped(ServerPage, answer.json, WHAT);
  return { servers, hasMore: links.some(({ rel }) => rel === 'next'), seconds: answer.seconds };
}
