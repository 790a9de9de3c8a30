import { SourceError } from '../../core/errors.ts';
import type { Seconds } from '../../core/time.ts';
import type { Window } from '../../core/window.ts';
import {
  DISORDER,
  type Extent,
  firstIdAfter,
  firstInstanceAfter,
  lastIdBefore,
  readExtent,
  shortSpans,
} from './bounds.ts';
import { FINISH, START } from './event-rows.ts';
import { LAST_ID } from './id-ranges.ts';
import { type CellSchema, LIVE, SHADOW, readSchema } from './schema.ts';
import type { CellSession, Query } from './session.ts';
import { readShown } from './snapshot.ts';
import type { PlannedCell } from './state.ts';

/**
 * Finds for each range where its rows are, so that each can then be read by primary key: a run of ids, and the ids of
 * rows elsewhere that finish in it. The runs are found by bisection and may be wrong in any way that clocks are: whatever
 * lies outside of its own is listed. A few scans over the events for all ranges together, which give back only such rows.
 *
 * @param ranges in order, not overlapping
 * @param hasCopies whether cross-cell resizes may have copied instances between the cells
 * @throws SourceError where what would be read is not what the server counts
 */
export async function planCell(
  session: CellSession,
  ranges: readonly Window[],
  hasCopies: boolean,
): Promise<PlannedCell[]> {
  const { query } = session;
  const schema = await readSchema(session);
  const extent = await readExtent(query, schema);
  const shown = await readShown(session, extent);
  const cuts = await findCuts(query, schema, extent, ranges);
  const counted = await countBySegment(query, schema, extent, cuts);
  const elsewhere = await idsElsewhere(query, schema, extent, cuts);
  const plans: PlannedCell[] = [];
  for (const range of ranges) {
    const nth = cuts.times.indexOf(range.start);
    const { finished = 0, inPlace = 0, stillOpen = 0 } = counted.get(nth) ?? {};
    const others = (elsewhere.get(nth) ?? []).toSorted((a, b) => a - b);
    refuseMiscount(session, inPlace + others.length, finished);
    plans.push({
      range,
      from: cuts.ids[nth] ?? 0,
      to: cuts.ids[nth + 1] ?? extent.endId,
      elsewhere: others,
      finished,
      stillOpen,
      // An instance that is younger than the range has no events in it, unless it is a copy of an older one.
      unarchived: [[0, hasCopies ? LAST_ID : await firstInstanceAfter(query, schema, range.end)]],
      shown,
    });
  }
  return plans;
}

/** Times at which ranges begin and end, in order, and for each the id from which on later rows are looked for. */
interface Cuts {
  readonly times: readonly Seconds[];
  readonly ids: readonly number[];
}

async function findCuts(
  query: Query,
  schema: CellSchema,
  { endId }: Extent,
  ranges: readonly Window[],
): Promise<Cuts> {
  const times = [...new Set(ranges.flatMap(({ start, end }) => [start, end]))].toSorted((a, b) => a - b);
  const starts = new Set(ranges.map(({ start }) => start));
  const ids: number[] = [];
  for (const time of times) {
    const within = { from: ids.at(-1) ?? 0, to: endId };
    ids.push(
      starts.has(time)
        ? await lastIdBefore(query, schema, time - DISORDER, within)
        : await firstIdAfter(query, schema, time + DISORDER, within),
    );
  }
  return { times, ids };
}

interface Counted {
  readonly finished: number;
  readonly inPlace: number;
  readonly stillOpen: number;
}

/** Runs of ids that a scan goes through, each by one statement over each table. */
function* scans(schema: CellSchema, { endId }: Extent): Generator<{ from: string; ids: [number, number] }> {
  for (const { events } of schema.tables) {
    // If an event is in both tables, the live row is read.
    const isLive = `EXISTS (SELECT 1 FROM ${LIVE.events} l WHERE l.id = e.id AND l.start_time <=> e.start_time AND ${SAME})`;
    const once = events === SHADOW.events ? `AND NOT ${isLive}` : '';
    for (const { from, to } of shortSpans({ from: 0, to: endId }))
      yield { from: `FROM ${events} e WHERE e.id >= ? AND e.id < ? ${once}`, ids: [from, to] };
  }
}

const SAME = 'l.created_at <=> e.created_at AND l.action_id <=> e.action_id AND l.event <=> e.event';

/** By segment between two cuts: what finished in it by the server's own count, and what of it lies in its ids. */
async function countBySegment(
  query: Query,
  schema: CellSchema,
  extent: Extent,
  { times, ids }: Cuts,
): Promise<ReadonlyMap<number, Counted>> {
  const counted = new Map<number, Counted>();
  const add = (nth: unknown, finished: unknown, inPlace: unknown, stillOpen: unknown): void => {
    const before = counted.get(Number(nth) - 1) ?? { finished: 0, inPlace: 0, stillOpen: 0 };
    counted.set(Number(nth) - 1, {
      finished: before.finished + Number(finished),
      inPlace: before.inPlace + Number(inPlace),
      stillOpen: before.stillOpen + Number(stillOpen),
    });
  };
  const within = `>= '1970-01-01' + INTERVAL ? SECOND`;
  const before = `< '1970-01-01' + INTERVAL ? SECOND`;
  const [from, to] = [times[0] ?? 0, times.at(-1) ?? 0];
  for (const scan of scans(schema, extent)) {
    // INTERVAL() as a function tells between which two of a list a value lies.
    const finished = await query(
      `SELECT INTERVAL(${FINISH}, ?) AS nth, COUNT(*), SUM(INTERVAL(e.id, ?) = INTERVAL(${FINISH}, ?)) ${scan.from} ` +
        `AND e.finish_time ${within} AND e.finish_time ${before} GROUP BY nth`,
      [times, ids, times, ...scan.ids, from, to],
    );
    for (const [nth, rows, inPlace] of finished) add(nth, rows, inPlace, 0);
    const open = await query(
      `SELECT INTERVAL(${START}, ?) AS nth, COUNT(*) ${scan.from} AND e.start_time ${within} AND e.start_time ${before} ` +
        `AND (e.finish_time IS NULL OR INTERVAL(${FINISH}, ?) > INTERVAL(${START}, ?)) GROUP BY nth`,
      [times, ...scan.ids, from, to, times, times],
    );
    for (const [nth, rows] of open) add(nth, 0, 0, rows);
  }
  return counted;
}

/** By segment, the ids of rows that finish in it and lie, by their ids, in another. */
async function idsElsewhere(
  query: Query,
  schema: CellSchema,
  extent: Extent,
  { times, ids }: Cuts,
): Promise<ReadonlyMap<number, number[]>> {
  const found = new Map<number, number[]>();
  const time = "'1970-01-01' + INTERVAL ? SECOND";
  for (const scan of scans(schema, extent)) {
    const rows = await query(
      `SELECT e.id, INTERVAL(${FINISH}, ?) ${scan.from} AND e.finish_time >= ${time} AND e.finish_time < ${time} ` +
        `AND INTERVAL(e.id, ?) <> INTERVAL(${FINISH}, ?)`,
      [times, ...scan.ids, times[0] ?? 0, times.at(-1) ?? 0, ids, times],
    );
    for (const [id, nth] of rows) {
      const segment = Number(nth) - 1;
      const others = found.get(segment);
      if (others === undefined) found.set(segment, [Number(id)]);
      else others.push(Number(id));
    }
  }
  return found;
}

function refuseMiscount({ cell }: CellSession, planned: number, finished: number): void {
  if (planned === finished) return;
  throw new SourceError(
    `cell ${cell}: ${planned} rows of a range would be read, but the server counts ${finished}; nothing is published`,
    { transient: false },
  );
}
