import { DAY, MINUTE, type Seconds, iso } from '../../core/time.ts';
import type { Ledger } from './ledger.ts';
import { allCellsAnswer } from './cells.ts';
import { readFlavours } from './flavours.ts';
import { type ListingOptions, listServers } from './listing.ts';
import { has } from './microversion.ts';
import type { Nova } from './nova.ts';
import { refuseSilentCell } from './open-api.ts';
import { type Server, isUnknown, toServer } from './servers.ts';

export interface DiscoveryRequest {
  /** Events that finished from then on are wanted. */
  readonly since: Seconds;
  /** Events that finished before. */
  readonly until: Seconds;
  /** Whether servers that do not look changed are wanted as well. */
  readonly sweep: boolean;
  /** Events that began in earlier windows. */
  readonly ledger: Pick<Ledger, 'continues' | 'pendingFrom' | 'waitsFor'>;
  /** Whether to go on if a cell does not answer. */
  readonly allowPartial: boolean;
  /** Seconds after which Nova gives up a cell. */
  readonly cellTimeoutSeconds: Seconds;
}

/** A server that may have had events, and whether its row has changed since. */
export interface Candidate extends Server {
  readonly changed: boolean;
}

export interface Discovery {
  /** Page by page, each server once. */
  readonly candidates: AsyncGenerator<readonly Candidate[], void, void>;
  /** Whether a cell did not answer, once all candidates are known. */
  readonly isPartial: () => boolean;
}

/**
 * An event may finish a second after the last change of its server's row, whose time may be another conductor's; a
 * minute of servers too many costs a request each.
 */
export const MARGIN = MINUTE;

/**
 * A server that is deleted before a compute takes it never gets a time of change, so no filter finds it, and its
 * build may still be waiting in a queue for that compute. It is found by when it was created, this far back.
 */
const LONGEST_QUEUE = DAY;

/**
 * An event may outlive its server: a build in a queue, a compute that hangs. At the begin of a trace pending events are
 * unknown, so servers are asked that were deleted up to this long before.
 */
const LONGEST_AFTERLIFE = DAY;

/** An answer that took nearly as long as Nova waits for a cell may be incomplete. */
const DOUBT = 0.9;

/**
 * Finds the servers whose actions have to be asked for, so that no event is missed that the API can show:
 *
 * - All live servers when sweeping, for attaching a volume or an interface and a few other actions leave no trace
 *   in the server itself. Their actions have to be asked for one server at a time; the answer is mostly empty.
 *   Otherwise those that `changes-since` lists.
 * - Deleted servers that changed, which includes those deleted since. They are listed after the live ones, so that
 *   one which is deleted meanwhile is in either. When sweeping, also those with an event that has begun and not
 *   finished; they were deleted after it began, and so the list goes back to the oldest of these.
 * - When sweeping, soft-deleted servers, which are in no list of live ones and may have volumes detached.
 * - Deleted servers without a time of change, newest first. (Live ones are in the first listing, as changed just now.)
 *
 * `changes-before` (2.66) is of no use: a server or an action that changed again after the window would be left out
 * with what it did in the window.
 *
 * @throws SourceError where a cell does not answer, unless partial windows are allowed
 */
export function discover(nova: Nova, request: DiscoveryRequest): Discovery {
  let partial = false;
  const onDoubt = (): void => {
    if (!request.allowPartial) {
      refuseSilentCell();
    }
    partial = true;
  };
  return {
    candidates: candidates(nova, request, {
      onDoubt,
      isDoubted: () => partial,
      doubtSeconds: request.cellTimeoutSeconds * DOUBT,
    }),
    isPartial: () => partial,
  };
}

async function* candidates(
  nova: Nova,
  request: DiscoveryRequest,
  doubt: Omit<ListingOptions, 'query'>,
): AsyncGenerator<readonly Candidate[], void, void> {
  const { since, until, sweep, ledger } = request;
  if (has(nova.microversion, 'downCells') && !(await allCellsAnswer(nova, doubt.doubtSeconds)))
    doubt.onDoubt();
  const sizes = has(nova.microversion, 'embeddedFlavour') ? undefined : await readFlavours(nova);
  const changesSince = (time: Seconds): Record<string, string> => ({ 'changes-since': iso(time - MARGIN) });
  const seen = new Set<string>();

  const list = async function* (
    query: Record<string, string>,
    isWanted: (server: Server) => boolean,
    isLast: (server: Server) => boolean = () => false,
  ): AsyncGenerator<readonly Candidate[], void, void> {
    for await (const rows of listServers(nova, { ...doubt, query })) {
      if (rows.some(isUnknown)) doubt.onDoubt();
      const servers = rows.filter((row) => !isUnknown(row)).map((row) => toServer(row, sizes));
      // By the cloud's clock; a server that is newer than the window had no events in it.
      const wanted = servers.filter(
        (server) => !seen.has(server.instance.uuid) && server.created < until + MARGIN && isWanted(server),
      );
      for (const { instance } of wanted) seen.add(instance.uuid);
      yield wanted.map((server) => ({ ...server, changed: isChanged(server) }));
      if (servers.some(isLast)) return;
    }
  };
  const isChanged = ({ updated }: Server): boolean => updated >= since - MARGIN;

  let back = since;
  if (sweep) {
    yield* list({}, () => true);
    yield* list({ deleted: 'true', status: 'SOFT_DELETED' }, () => true);
    const recent = ledger.continues ? since : since - LONGEST_AFTERLIFE;
    back = Math.min(recent, ledger.pendingFrom(seen));
    yield* list(
      { deleted: 'true', ...changesSince(back) },
      ({ updated, instance }) => updated >= recent - MARGIN || ledger.waitsFor(instance.uuid),
    );
  } else yield* list(changesSince(since), () => true);
  yield* list(
    { deleted: 'true', sort_key: 'created_at', sort_dir: 'desc' },
    isChanged,
    ({ created }) => created < back - LONGEST_QUEUE,
  );
}
