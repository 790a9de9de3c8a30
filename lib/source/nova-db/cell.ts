import type { Seconds } from '../../core/time.ts';
import type { TraceEvent } from '../../tables/instance-events/row.ts';
import type { Batch, ReadRequest, SourceCounts } from '../source.ts';
import { archivedUuids, lookUpArchived } from './archived-instances.ts';
import { readExtent } from './bounds.ts';
import { planChunks } from './chunk-plan.ts';
import { readBackdated, readChunk } from './chunks.ts';
import { type PendingCopies, findClones, lookForCopies } from './clones.ts';
import { type EventRow, selectEventsById } from './event-rows.ts';
import { finishedEvents } from './finished-events.ts';
import { findReusedIds } from './identity.ts';
import { instanceLookup } from './instances.ts';
import { openLedger } from './ledger.ts';
import { countPurged, purgedOf } from './purged.ts';
import { distinctRows, withoutRows } from './same-rows.ts';
import { type CellSchema, readSchema } from './schema.ts';
import type { CellSession } from './session.ts';
import { findSiblings, readFinishes } from './siblings.ts';
import { reachesBeyond, readShown, refuseOlderSnapshot } from './snapshot.ts';
import { EVERYTHING, accountedTo, finishedSince, idSpan } from './span.ts';
import type { CellState } from './state.ts';

export interface CellOutcome {
  /** Undefined for a range that was planned: nothing continues it. */
  readonly state: CellState | undefined;
  readonly counts: SourceCounts;
  readonly sourceFrom: Seconds | null;
}

/**
 * Reads one window of one cell, by primary key alone: the rows carried as open, then everything from the last
 * known id up to the window's end.
 *
 * @param others sessions of the other cells, to recognise what a cross-cell resize has copied
 */
export async function* readCell(
  session: CellSession,
  others: readonly CellSession[],
  stored: CellState | undefined,
  request: ReadRequest,
): AsyncGenerator<Batch<TraceEvent>, CellOutcome, void> {
  const { window } = request;
  const schema = await readSchema(session);
  const extent = await readExtent(session.query, schema);
  const shown = await readShown(session, extent);
  refuseOlderSnapshot(session, stored?.shown, shown);

  const reusedFrom = stored && (await findReusedIds(session, schema, stored, window.start));
  const state = stored && forgetReused(stored, reusedFrom);
  const first = stored && Math.min(stored.nextEventId, reusedFrom ?? Infinity);
  const span = await idSpan(session, schema, extent, first, request);
  const reached = Math.max(extent.reached ?? -Infinity, shown.heartbeat ?? -Infinity);
  const known = first ?? (await accountedTo(session, schema, span, request, reached));
  const filter = stored === undefined ? finishedSince(window.start, known) : EVERYTHING;
  const plan = await planChunks(session, schema, span, filter);
  request.progress?.expect(plan.rows);
  const { carried, missing } = await readCarried(session, schema, stored?.open ?? new Map());
  const pending = await lookForCopies(session, others, schema, stored, span.to, extent);
  const due = [...pending.copies].filter(([, finish]) => finish < window.end).map(([id]) => id);
  const outOfPlace = distinctRows([
    ...(await readBackdated(session, schema, span, filter, plan)),
    ...(await selectEventsById(session.query, schema, due)),
  ]);
  const early = [...carried, ...outOfPlace];
  // Ids of instances may have been given again with those of events.
  const unarchived = reusedFrom === undefined ? stored?.unarchived : undefined;
  const archived = await lookUpArchived(session, schema, unarchived, extent, window, [
    ...(plan.archivedRows > 0 ? await archivedUuids(session, span, filter) : []),
    ...early.filter((row) => row.archived && row.finish !== null).map((row) => row.instanceUuid),
  ]);
  const ledger = openLedger({ state, request, accountedTo: known, reached });
  ledger.noteMissing(missing, stored === undefined || reachesBeyond(stored.shown, shown));
  const lookup = instanceLookup(session, archived.ids);
  const toEvents = (rows: EventRow[]): Promise<TraceEvent[]> =>
    finishedEvents(rows, (reason) => ledger.skip(reason), lookup);
  const clonesAmong = (rows: readonly EventRow[]): Promise<ReadonlySet<number>> =>
    findClones(rows, session, others, window, archived.ids);

  const clones = await clonesAmong(early);
  const outOfOrder = ledger.take(outOfPlace, clones, { outOfOrder: true });
  yield {
    rows: await toEvents([...ledger.reread(carried, clones), ...outOfOrder]),
    watermark: plan.earliest,
  };
  const readEarly = Map.groupBy(outOfPlace, ({ id }) => id);
  for (const chunk of plan.chunks()) {
    const rows = withoutRows(await readChunk(session, schema, chunk, filter, plan), readEarly);
    const publishable = ledger.take(rows, await clonesAmong(rows));
    request.progress?.done(rows.length, publishable.length);
    yield { rows: await toEvents(publishable), watermark: chunk.watermark };
  }
  const closed = ledger.close(
    await findSiblings(session.query, [...carried, ...ledger.openRows()]),
    await readFinishes(session.query, schema, state?.siblings.keys() ?? []),
  );
  const next: CellState = {
    ...closed.state,
    shown: furthest(stored, shown),
    unarchived: archived.unarchived,
    ...withoutDue(pending, due),
  };
  return {
    state: next,
    counts: {
      ...closed.counts,
      purged:
        state === undefined
          ? ((await purgedOf(session, schema, extent, [window]))[0] ?? null)
          : await countPurged(session, schema, extent, {
              ids: next.edgeId - state.edgeId,
              rows: closed.rowsToEdge,
              to: next.edgeId,
            }),
    },
    sourceFrom: extent.oldestStart,
  };
}

/** The state of ids that were given again belongs to other rows. */
function forgetReused(state: CellState, from: number | undefined): CellState {
  if (from === undefined) return state;
  const siblings = new Map([...state.siblings].filter(([id]) => id < from));
  return { ...state, siblings, edgeId: Math.min(state.edgeId, from) };
}

/** The rows carried as open, by id and start, and those that this snapshot does not show. */
async function readCarried(
  { query }: CellSession,
  schema: CellSchema,
  open: ReadonlyMap<number, Seconds>,
): Promise<{ carried: readonly EventRow[]; missing: ReadonlyMap<number, Seconds> }> {
  const found = await selectEventsById(query, schema, [...open.keys()]);
  const carried = distinctRows(found.filter((row) => open.get(row.id) === (row.start ?? row.created)));
  const missing = new Map(open);
  for (const { id } of carried) missing.delete(id);
  return { carried, missing };
}

/** A snapshot that may lag does not move back what was shown before. */
function furthest(stored: CellState | undefined, shown: CellState['shown']): CellState['shown'] {
  if (stored === undefined || reachesBeyond(stored.shown, shown)) return shown;
  return { endId: stored.shown.endId, heartbeat: shown.heartbeat ?? stored.shown.heartbeat };
}

function withoutDue({ copies, copiesTo }: PendingCopies, due: readonly number[]): PendingCopies {
  const left = new Map(copies);
  for (const id of due) left.delete(id);
  return { copies: left, copiesTo };
}
