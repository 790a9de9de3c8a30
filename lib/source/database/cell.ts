import { SourceError } from '../../errors.ts';
import { type Seconds, iso } from '../../time.ts';
import type { Window } from '../../window.ts';
import type { Batch, ReadRequest, SourceCounts, TraceEvent } from '../source.ts';
import { type Account, openAccount } from './account.ts';
import { ALL_IDS, type ArchivedLookup, findArchived } from './archived-instances.ts';
import { DISORDER, type Extent, type IdSpan, firstIdAfter, lastIdBefore, readExtent } from './bounds.ts';
import { type Chunk, type Filter, planChunks, readChunk, readDisplaced, watermarks } from './chunks.ts';
import { COPIES_AHEAD, findClones, readCopies } from './clones.ts';
import type { CellSession } from './session.ts';
import { type EventRow, selectEventsById } from './event-rows.ts';
import { type InstanceLookup, instanceLookup } from './instances.ts';
import { type CellSchema, SHADOW, readSchema } from './schema.ts';
import { findSiblings, readFinishes } from './siblings.ts';
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
): AsyncGenerator<Batch, CellOutcome, void> {
  const { window } = request;
  const schema = await readSchema(session);
  const extent = await readExtent(session.query, schema);
  refuseRestoredDatabase(session, extent, state, window.start);

  const span = await idSpan(session, schema, extent, state, request);
  const filter = state === undefined ? finishedSince(window.start) : EVERYTHING;
  const plan = await planChunks(session, schema, span, filter);
  const carried = await selectEventsById(session.query, schema, state?.openIds ?? []);
  const displaced = await readDisplaced(session, schema, span, filter, plan);

  const copies =
    others.length === 0
      ? []
      : await readCopies(session.query, schema, await ahead(session, schema, extent, span, window), window);
  const first = [...carried, ...displaced, ...copies];
  const archived = await lookUpArchived(session, schema, state, window.start, [
    ...(plan.archivedRows > 0 ? await archivedUuids(session, span, filter) : []),
    ...first.filter((row) => row.archived && row.finish !== null).map((row) => row.instanceUuid),
  ]);
  const account = openAccount(state, request, span);
  account.noteMissing((state?.openIds.length ?? 0) - carried.length);
  const instances = instanceLookup(session, archived.ids);
  const toEvents = (rows: EventRow[]): Promise<TraceEvent[]> => finishedEvents(rows, account, instances);

  const withoutClones = async (rows: EventRow[]): Promise<EventRow[]> => {
    const clones = await findClones(rows, session, others, window, state?.seenUntil ?? 0);
    return clones.size === 0 ? rows : rows.filter((row) => !account.isClone(row, clones));
  };
  yield {
    events: await toEvents(
      await withoutClones([
        ...account.reread(carried),
        ...account.take([...displaced, ...copies], { displaced: true }),
      ]),
    ),
    watermark: earliest(plan.chunks),
  };
  const marks = watermarks(plan.chunks);
  for (const [index, chunk] of plan.chunks.entries()) {
    const rows = account.take(await readChunk(session, schema, chunk, filter, plan));
    yield { events: await toEvents(await withoutClones(rows)), watermark: marks[index] ?? Infinity };
  }
  const closed = account.close(
    await findSiblings(session.query, [...carried, ...account.openRows()]),
    await readFinishes(session.query, schema, state?.siblings.keys() ?? []),
  );
  return {
    state: { ...closed.state, seenUntil: extent.newestCreated ?? 0, unarchived: archived.unarchived },
    counts: closed.counts,
    sourceFrom: extent.oldestStart,
  };
}

const EVERYTHING: Filter = { where: 'TRUE', parameters: [] };

/** A first run looks back over the whole horizon for events still open, and needs nothing that finished before. */
function finishedSince(time: Seconds): Filter {
  const where = "(e.finish_time IS NULL OR e.finish_time >= '1970-01-01' + INTERVAL ? SECOND)";
  return { where, parameters: [time] };
}

async function idSpan(
  { query }: CellSession,
  schema: CellSchema,
  extent: Extent,
  state: CellState | undefined,
  { window, openHorizonSeconds }: ReadRequest,
): Promise<IdSpan> {
  const all = { from: state?.nextEventId ?? 0, to: Math.max(extent.endId, state?.nextEventId ?? 0) };
  const from =
    state === undefined
      ? await lastIdBefore(query, schema, window.start - openHorizonSeconds - DISORDER, all)
      : state.nextEventId;
  return { from, to: await firstIdAfter(query, schema, window.end + DISORDER, { from, to: all.to }) };
}

async function ahead(
  { query }: CellSession,
  schema: CellSchema,
  extent: Extent,
  { to: from }: IdSpan,
  { end }: Window,
): Promise<IdSpan> {
  const all = { from, to: Math.max(from, extent.endId) };
  return { from, to: await firstIdAfter(query, schema, end + COPIES_AHEAD, all) };
}

/** Ids that went back mean another database, or one restored from a backup: continuing would lose events. */
function refuseRestoredDatabase(
  session: CellSession,
  extent: Extent,
  state: CellState | undefined,
  windowStart: Seconds,
): void {
  if (state === undefined || extent.newestCreated === null) return;
  const endBefore = [...state.seenIds].reduce((end, id) => Math.max(end, id + 1), state.nextEventId);
  if (extent.endId >= endBefore || extent.newestCreated < windowStart) return;
  throw new SourceError(
    `cell ${session.cell}: its newest event, of ${iso(extent.newestCreated)}, has the id ${extent.endId - 1}, but ids ` +
      `up to ${endBefore - 1} were read before; was the database restored or replaced? README: "Operating"`,
    { transient: false },
  );
}

function earliest(chunks: readonly Chunk[]): Seconds {
  return chunks.reduce((least, chunk) => Math.min(least, chunk.earliestStart), Infinity);
}

async function archivedUuids(session: CellSession, span: IdSpan, filter: Filter): Promise<(string | null)[]> {
  const rows = await session.query(
    `SELECT DISTINCT a.instance_uuid FROM ${SHADOW.events} e JOIN ${SHADOW.actions} a ON a.id = e.action_id ` +
      `WHERE e.id >= ? AND e.id < ? AND e.finish_time IS NOT NULL AND ${filter.where}`,
    [span.from, span.to, ...filter.parameters],
  );
  return rows.map(([uuid]) => uuid as string | null);
}

async function lookUpArchived(
  session: CellSession,
  schema: CellSchema,
  state: CellState | undefined,
  windowStart: Seconds,
  uuids: readonly (string | null)[],
): Promise<ArchivedLookup> {
  const unarchived = state?.unarchived ?? ALL_IDS;
  if (!schema.tables.includes(SHADOW)) return { ids: new Map(), unarchived };
  const wanted = new Set(uuids.filter((uuid) => uuid !== null));
  return findArchived(session, unarchived, wanted, windowStart, { everywhere: state === undefined });
}

async function finishedEvents(
  rows: readonly EventRow[],
  account: Account,
  lookup: InstanceLookup,
): Promise<TraceEvent[]> {
  const instances = await lookup(rows);
  const events: TraceEvent[] = [];
  for (const row of rows) {
    const instance = row.instanceUuid === null ? undefined : instances.get(row.instanceUuid);
    if (instance === undefined) account.skip(row.instanceUuid === null ? 'actionGone' : 'instanceGone');
    else if (row.start === null || row.finish === null) account.skip('noStartTime');
    else {
      const { event, start, finish, result, host } = row;
      events.push({ instance, event, start, finish, result, host });
    }
  }
  return events;
}
