import { HistoryGoneError, SourceError } from '../../core/errors.ts';
import type { Seconds } from '../../core/time.ts';
import type { Window } from '../../core/window.ts';
import type { TraceEvent } from '../../tables/instance-events/row.ts';
import type { Batch, ReadRequest } from '../source.ts';
import { archivedUuids, lookUpArchived } from './archived-instances.ts';
import { readExtent } from './bounds.ts';
import type { CellOutcome } from './cell.ts';
import { type Filter, planChunks } from './chunk-plan.ts';
import { readBackdated, readChunk } from './chunks.ts';
import { findClones } from './clones.ts';
import { type EventRow, FINISH, START, selectEventsById } from './event-rows.ts';
import { finishedEvents } from './finished-events.ts';
import { instanceLookup } from './instances.ts';
import { distinctRows, withoutRows } from './same-rows.ts';
import { readSchema } from './schema.ts';
import type { CellSession } from './session.ts';
import { reachesBeyond, readShown, refuseOlderSnapshot } from './snapshot.ts';
import type { PlannedCell } from './state.ts';

/**
 * Reads a range of one cell as it was planned: everything that finished in it, whatever the clocks did. Nothing is
 * carried, late or left to a later window.
 *
 * @param others sessions of the other cells, to recognise what a cross-cell resize has copied
 * @throws HistoryGoneError where rows have gone since the range was planned
 */
export async function* readPlanned(
  session: CellSession,
  others: readonly CellSession[],
  planned: PlannedCell,
  { window, progress }: ReadRequest,
): AsyncGenerator<Batch<TraceEvent>, CellOutcome, void> {
  const schema = await readSchema(session);
  const extent = await readExtent(session.query, schema);
  const shown = await readShown(session, extent);
  refuseOlderSnapshot(session, planned.shown, shown);

  const filter = finishedIn(window);
  const plan = await planChunks(session, schema, planned, filter);
  progress?.expect(plan.rows + planned.elsewhere.length);
  const outOfPlace = distinctRows([
    ...(await readBackdated(session, schema, planned, filter, plan)),
    ...(await selectEventsById(session.query, schema, planned.elsewhere)).filter(({ finish }) =>
      isIn(finish, window),
    ),
  ]);
  const archived = await lookUpArchived(session, schema, planned.unarchived, extent, window, [
    ...(plan.archivedRows > 0 ? await archivedUuids(session, planned, filter) : []),
    ...outOfPlace.filter((row) => row.archived).map((row) => row.instanceUuid),
  ]);
  const lookup = instanceLookup(session, archived.ids);
  const skipped: Record<string, number> = {};
  const skip = (reason: string): void => {
    skipped[reason] = (skipped[reason] ?? 0) + 1;
  };
  let finished = 0;
  const toEvents = async (rows: readonly EventRow[]): Promise<TraceEvent[]> => {
    const clones = await findClones(rows, session, others, window, archived.ids);
    const events: EventRow[] = [];
    for (const row of rows) {
      if (row.finishIsZero) skip('noFinishTime');
      else {
        finished++;
        if (clones.has(row.id)) skip('cloned');
        else events.push(row);
      }
    }
    const made = await finishedEvents(events, skip, lookup);
    progress?.done(rows.length, made.length);
    return made;
  };

  yield { rows: await toEvents(outOfPlace), watermark: plan.earliest };
  const readEarly = Map.groupBy(outOfPlace, ({ id }) => id);
  for (const chunk of plan.chunks()) {
    const rows = withoutRows(await readChunk(session, schema, chunk, filter, plan), readEarly);
    yield { rows: await toEvents(rows), watermark: chunk.watermark };
  }
  if (finished < planned.finished)
    throw gone(session, planned, finished, reachesBeyond(planned.shown, shown));
  return {
    state: undefined,
    counts: {
      late: 0,
      beforeBegin: 0,
      abandoned: 0,
      stillOpen: planned.stillOpen,
      rewritten: 0,
      restored: 0,
      purged: null,
      skipped,
    },
    sourceFrom: extent.oldestStart,
  };
}

/** An event whose finish is no time belongs to the window in which it began. */
function finishedIn({ start, end }: Window): Filter {
  const within = (column: string): string => `(${column} >= ? AND ${column} < ?)`;
  return {
    where: `(${within(FINISH)} OR (e.finish_time IS NOT NULL AND ${FINISH} IS NULL AND ${within(START)}))`,
    parameters: [start, end, start, end],
  };
}

function isIn(finish: Seconds | null, { start, end }: Window): boolean {
  return finish !== null && finish >= start && finish < end;
}

function gone(
  { cell }: CellSession,
  { finished: planned }: PlannedCell,
  finished: number,
  isCertain: boolean,
): Error {
  const found = `cell ${cell}: ${planned - finished} of ${planned} events of the range`;
  if (!isCertain)
    return new SourceError(`${found} are not visible; a replica that lags is read, or they were purged`, {
      transient: true,
    });
  return new HistoryGoneError(
    `${found} were purged since it was planned; ask for the range again, of a release under another name`,
  );
}
