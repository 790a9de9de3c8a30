import type { Seconds } from '../../core/time.ts';
import type { TraceEvent } from '../../tables/instance-events/row.ts';
import type { Batch, ReadRequest, SourceCounts } from '../source.ts';
import { type Ledger, openLedger } from './ledger.ts';
import { archivedUuids, lookUpArchived } from './archived-instances.ts';
import { readExtent } from './bounds.ts';
import { type Chunk, planChunks, readChunk, readBackdated, rowsOf, watermarks } from './chunks.ts';
import { findClones, readCopies } from './clones.ts';
import { type EventRow, selectEventsById } from './event-rows.ts';
import { type InstanceLookup, instanceLookup } from './instances.ts';
import { readSchema } from './schema.ts';
import type { CellSession } from './session.ts';
import { findSiblings, readFinishes } from './siblings.ts';
import { EVERYTHING, accountedTo, finishedSince, idSpan, refuseRestoredDatabase } from './span.ts';
import type { CellState } from './state.ts';

export interface CellOutcome {
  readonly state: CellState;
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
  state: CellState | undefined,
  request: ReadRequest,
): AsyncGenerator<Batch<TraceEvent>, CellOutcome, void> {
  const { window } = request;
  const schema = await readSchema(session);
  const extent = await readExtent(session.query, schema);
  refuseRestoredDatabase(session, extent, state);

  const span = await idSpan(session, schema, extent, state, request);
  const known = state === undefined ? await accountedTo(session, schema, span, request) : span.from;
  const filter = state === undefined ? finishedSince(window.start, known) : EVERYTHING;
  const plan = await planChunks(session, schema, span, filter);
  request.progress?.expect(rowsOf(plan.chunks));
  const carriedIds = state?.openIds ?? [];
  const carried = await selectEventsById(session.query, schema, carriedIds);
  const backdated = await readBackdated(session, schema, span, filter, plan);
  const copies = await readCopies(session, others, schema, extent, span, window);
  const first = [...carried, ...backdated, ...copies];
  const archived = await lookUpArchived(session, schema, state, extent, window, [
    ...(plan.archivedRows > 0 ? await archivedUuids(session, span, filter) : []),
    ...first.filter((row) => row.archived && row.finish !== null).map((row) => row.instanceUuid),
  ]);
  const ledger = openLedger(state, request, known);
  ledger.noteMissing(carriedIds.length - carried.length);
  const instances = instanceLookup(session, archived.ids);
  const toEvents = (rows: EventRow[]): Promise<TraceEvent[]> => finishedEvents(rows, ledger, instances);

  const clonesAmong = (rows: EventRow[]): Promise<ReadonlySet<number>> =>
    findClones(rows, session, others, window, state?.seenUntil ?? 0);
  const clones = await clonesAmong(first);
  const outOfOrder = ledger.take([...backdated, ...copies], clones, { outOfOrder: true });
  yield {
    rows: await toEvents([...ledger.reread(carried, clones), ...outOfOrder]),
    watermark: earliest(plan.chunks),
  };
  const marks = watermarks(plan.chunks);
  for (const [index, chunk] of plan.chunks.entries()) {
    const rows = await readChunk(session, schema, chunk, filter, plan);
    const publishable = ledger.take(rows, await clonesAmong(rows));
    request.progress?.done(rows.length, publishable.length);
    yield { rows: await toEvents(publishable), watermark: marks[index] ?? Infinity };
  }
  const closed = ledger.close(
    await findSiblings(session.query, [...carried, ...ledger.openRows()]),
    await readFinishes(session.query, schema, state?.siblings.keys() ?? []),
  );
  return {
    state: { ...closed.state, seenUntil: extent.newestCreated ?? 0, unarchived: archived.unarchived },
    counts: closed.counts,
    sourceFrom: extent.oldestStart,
  };
}

function earliest(chunks: readonly Chunk[]): Seconds {
  return chunks.reduce((least, chunk) => Math.min(least, chunk.earliestStart), Infinity);
}

async function finishedEvents(
  rows: readonly EventRow[],
  ledger: Ledger,
  lookup: InstanceLookup,
): Promise<TraceEvent[]> {
  const instances = await lookup(rows);
  const events: TraceEvent[] = [];
  rows.forEach((row, nth) => {
    const instance = instances[nth];
    if (instance === undefined) ledger.skip(row.instanceUuid === null ? 'actionGone' : 'instanceGone');
    else if (row.start === null || row.finish === null) ledger.skip('noStartTime');
    else {
      const { event, start, finish, result, host } = row;
      events.push({ instance, event, start, finish, result, host });
    }
  });
  return events;
}
