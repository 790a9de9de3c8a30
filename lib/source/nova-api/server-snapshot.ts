import { placeOf } from '../../tables/instances/place.ts';
import { reservationOf } from '../../tables/instances/reservation.ts';
import type { Server } from '../../tables/instances/row.ts';
import { readAhead } from '../ahead.ts';
import { type Batch, NO_COUNTS, type Outcome, type ReadRequest } from '../source.ts';
import { discover } from './discovery.ts';
import { CELL_TIMEOUT_SECONDS } from './listing.ts';
import type { OpenApi } from './open-api.ts';
import type { Server as ListedServer } from './servers.ts';
import { unseenBy } from './unseen.ts';

/** Nobody waits for an event here: a server is wanted for itself. */
const NO_LEDGER = { continues: true, pendingFrom: () => Infinity, waitsFor: () => false };

/**
 * Every server that existed in the window, as far as the API shows it: lists of live, soft-deleted and since deleted
 * servers, and no request a server.
 */
export async function* readServers(
  { nova, options }: OpenApi,
  { window, whole, progress }: ReadRequest,
): AsyncGenerator<Batch<Server>, Outcome, void> {
  const before = nova.requests;
  const discovery = discover(nova, {
    since: window.start,
    until: window.end,
    sweep: true,
    ledger: NO_LEDGER,
    allowPartial: options.allowPartial && !whole,
    cellTimeoutSeconds: options.cellTimeoutSeconds ?? CELL_TIMEOUT_SECONDS,
  });
  let approximate = 0;
  for await (const page of readAhead(discovery.candidates)) {
    const existed = page.filter(
      (server) => server.created < window.end && (deletionOf(server) ?? Infinity) >= window.start,
    );
    const rows = existed.map((server) => rowOf(server, window.end));
    approximate += existed.filter(({ isDeleted, terminated }, nth) => {
      return isDeleted && terminated === null && rows[nth]?.deleted !== null;
    }).length;
    progress?.done(page.length, rows.length);
    yield { rows, watermark: -Infinity };
  }
  const { microversion } = nova;
  const isPartial = discovery.isPartial();
  return {
    state: {},
    counts: NO_COUNTS,
    sourceFrom: null,
    api: {
      microversion,
      requests: nova.requests - before,
      swept: true,
      unseen: unseenBy(microversion, { sweep: true, isPartial, mayLack: true }).filter(
        (reason) => !OF_EVENTS.has(reason),
      ),
      approximate,
    },
  };
}

/** What hides events, and no servers. */
const OF_EVENTS: ReadonlySet<string> = new Set(['recoveriesOfFinishedActions', 'eventHosts']);

/** The API does not show when a server was deleted: it was ended a moment before, or its row last changed soon after. */
function deletionOf({ isDeleted, terminated, updated }: ListedServer): number | null {
  return isDeleted ? (terminated ?? updated) : null;
}

function rowOf(listed: ListedServer, end: number): Server {
  const { instance, created, launched, state, zone, flavour } = listed;
  const deleted = deletionOf(listed);
  const isKnown = deleted === null || deleted < end;
  return {
    ...instance,
    created,
    launched,
    deleted: isKnown ? deleted : null,
    state: isKnown ? state : null,
    reservationId: reservationOf({ zone, flavour }),
    place: placeOf(created),
  };
}
