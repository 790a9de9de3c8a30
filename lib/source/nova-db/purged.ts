import { memoize } from '../../core/collections/memoize.ts';
import type { Seconds } from '../../core/time.ts';
import type { Window } from '../../core/window.ts';
import { type Extent, ROWS_LOOKED_AT, lastIdBefore } from './bounds.ts';
import { CREATED } from './event-rows.ts';
import type { CellSchema } from './schema.ts';
import type { CellSession, Query } from './session.ts';

/*
 * Nova purges events of deleted servers alone, so that the oldest row that is left proves nothing of the days behind it.
 * Gaps in the ids tell about how many rows are gone. Galera leaves gaps itself, so they are measured against the newest
 * ids, which no purge has reached.
 */

/** Fewer ids give no reliable density. */
const FEWEST = 16;
/** Newest ids whose density is taken. */
const NEWEST = 2000;
/** If nothing is newer, so many ids are enough when hardly one of them is missing. */
const TAIL = 64;
const NO_GAPS = 0.9;

/**
 * About how many rows of a run of ids are gone; null where it cannot be told.
 *
 * @param run how many ids there are, how many rows, and the first id beyond
 */
export async function countPurged(
  session: CellSession,
  schema: CellSchema,
  extent: Extent,
  run: { readonly ids: number; readonly rows: number; readonly to: number },
): Promise<number | null> {
  return goneFrom(run, () => densityOf(session.query, schema, extent, newestBeyond(extent, run.to)));
}

async function goneFrom(
  { ids, rows }: { readonly ids: number; readonly rows: number },
  density: () => Promise<Density | null>,
): Promise<number | null> {
  if (ids <= rows) return 0;
  const newest = await density();
  return newest && missing(ids, rows, newest);
}

/** About how many rows of each window are gone; null where it cannot be told. One look at the ids of the windows. */
export async function purgedOf(
  session: CellSession,
  schema: CellSchema,
  extent: Extent,
  windows: readonly Window[],
): Promise<(number | null)[]> {
  const counted: (number | null)[] = [];
  let known: { time: Seconds; id: number } = { time: -Infinity, id: 0 };
  const edgeAt = async (time: Seconds): Promise<number> => {
    if (known.time !== time) {
      known = { time, id: await idAt(session.query, schema, extent, time, known.id) };
    }
    return known.id;
  };
  // Nearly all windows are held against the same newest ids.
  const density = memoize((newest: number) => densityOf(session.query, schema, extent, newest));
  for (const { start, end } of windows) {
    const [from, to] = [await edgeAt(start), await edgeAt(end)];
    const rows = to > from ? await countRows(session.query, schema, from, to) : 0;
    counted.push(await goneFrom({ ids: to - from, rows }, () => density(newestBeyond(extent, to))));
  }
  return counted;
}

/** How many rows an id, and the number of ids. */
interface Density {
  readonly rows: number;
  readonly ids: number;
}

function missing(ids: number, rows: number, newest: Density): number {
  const density = newest.rows / newest.ids;
  const gone = ids * density - rows;
  // How much the density differs by chance from one run of ids to the next.
  const chance = density * (1 - density);
  const noise = 2 * Math.sqrt(ids * chance) + ids * Math.sqrt(chance / newest.ids);
  return gone > noise ? Math.round(gone) : 0;
}

/** How many of the newest ids lie beyond a run that ends before `to`. */
function newestBeyond({ endId }: Extent, to: number): number {
  return Math.min(NEWEST, endId - to);
}

/**
 * The density of the densest run among so many of the newest ids: older ones may be purged. Null where there are too few,
 * or a purge may have been among them.
 */
async function densityOf(
  query: Query,
  schema: CellSchema,
  { endId }: Extent,
  newest: number,
): Promise<Density | null> {
  let densest: Density | null = null;
  for (let ids = FEWEST; ids <= newest; ids = ids === newest ? Infinity : Math.min(newest, ids * 2)) {
    const rows = await countRows(query, schema, endId - ids, endId);
    if (densest === null || rows / ids >= densest.rows / densest.ids) densest = { rows, ids };
  }
  if (densest !== null) return densest;
  const tail = Math.min(TAIL, endId - 1);
  if (tail < FEWEST) return null;
  const rows = await countRows(query, schema, endId - tail, endId);
  return rows / tail >= NO_GAPS ? { rows: tail, ids: tail } : null;
}

async function countRows(query: Query, schema: CellSchema, from: number, to: number): Promise<number> {
  let rows = 0;
  for (const { events } of schema.tables) {
    const [row] = await query(`SELECT COUNT(*) FROM ${events} e WHERE e.id >= ? AND e.id < ?`, [from, to]);
    rows += Number(row?.[0]);
  }
  return Math.min(rows, to - from);
}

/** The last steps of the bisection are left to the rows around. */
const PRECISION = 32;

/** Rows looked at from where the bisection ends: up to the edge, and some beyond, where clocks disagree. */
const AROUND = PRECISION + 2 * ROWS_LOOKED_AT;

/** About the id that a row inserted at that time has, or would have had where it is gone. */
async function idAt(
  query: Query,
  schema: CellSchema,
  { endId }: Extent,
  time: Seconds,
  least: number,
): Promise<number> {
  const within = { from: Math.max(1, least), to: endId, precision: PRECISION };
  const found = await lastIdBefore(query, schema, time, within);
  const points: Point[] = [];
  for (const { events } of schema.tables) {
    const rows = await query(
      `(SELECT e.id, ${CREATED} FROM ${events} e WHERE e.id < ? ORDER BY e.id DESC LIMIT 1) UNION ALL ` +
        `(SELECT e.id, ${CREATED} FROM ${events} e WHERE e.id >= ? ORDER BY e.id LIMIT ${AROUND})`,
      [found, found],
    );
    for (const [id, created] of rows) points.push({ id: Number(id), created: Number(created ?? 0) });
  }
  const edge = openEdge(time, undefined);
  for (const point of points.toSorted((a, b) => a.id - b.id)) edge.add(point);
  return Math.max(least, edge.id() ?? endId);
}

interface Point {
  readonly id: number;
  readonly created: Seconds;
}

/** Finds about where the ids of a window end, from its rows in order of id, and counts those from the last edge on. */
export interface Edge {
  add(row: Point): void;
  /** Undefined if there was no row. */
  id(): number | undefined;
  /** Rows from the last edge on and below this one. */
  rows(): number;
}

/** @param last the edge before, and its time; undefined where there was none */
export function openEdge(end: Seconds, last: Point | undefined): Edge {
  const from = last?.id ?? 0;
  let before: Point | undefined = last && { id: last.id - 1, created: last.created };
  let after: Point | undefined;
  let [rows, below] = [0, 0];
  const early: number[] = [];
  return {
    add(point) {
      const { id, created } = point;
      if (id < from) return;
      if (id <= (before?.id ?? -1)) early.push(id);
      else rows++;
      if (created < end) {
        if (id <= (before?.id ?? -1)) return;
        before = point;
        below = rows;
        if ((after?.id ?? Infinity) < id) after = undefined;
      } else if (id < (after?.id ?? Infinity) && id > (before?.id ?? -1)) after = point;
    },
    id() {
      if (before === undefined) return after?.id;
      if (after === undefined) return before.id + 1;
      // The ids of a gap are spread evenly over its time.
      const share = (end - before.created) / Math.max(1, after.created - before.created);
      return Math.min(
        after.id,
        Math.max(before.id + 1, Math.round(before.id + (after.id - before.id) * share)),
      );
    },
    rows: () => below + early.length,
  };
}
