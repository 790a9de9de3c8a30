import { MINUTE, type Seconds } from '../../core/time.ts';
import type { Query } from './session.ts';
import { CREATED, START, unixSeconds } from './event-rows.ts';
import { LAST_ID } from './id-ranges.ts';
import { type CellSchema, SHADOW } from './schema.ts';

/**
 * No event time is indexed, but ids follow the time of insertion closely. A bisection over the primary key
 * therefore finds where a time begins, in about thirty lookups whatever the history's size. Each lookup looks at a
 * run of rows, so that one row out of place does not mislead it.
 */
export const ROWS_LOOKED_AT = 32;

/** Ids follow the time of insertion but for the clocks of several conductors, which differ by less. */
export const DISORDER = 10 * MINUTE;

type Kind = 'events' | 'instances';

/** The column that tells when a row was inserted, by kind of table. */
const INSERTED: Readonly<Record<Kind, string>> = {
  events: CREATED,
  instances: unixSeconds('e.created_at'),
};

/**
 * The least id from which on rows of a kind were inserted at `time` or later. May be too high by rows out of place only.
 */
export function firstIdAfter(
  query: Query,
  schema: CellSchema,
  time: Seconds,
  within: IdSpan,
  kind: Kind = 'events',
): Promise<number> {
  return bisect(within, async (id) => {
    const earliest = await extremesFrom(query, schema, kind, 'MIN', id);
    return earliest.every((created) => created === null || created >= time);
  });
}

/**
 * The greatest id before which rows of a kind were inserted before `time`. May be too low by less than `within.precision`,
 * and by rows out of place.
 */
export function lastIdBefore(
  query: Query,
  schema: CellSchema,
  time: Seconds,
  within: IdSpan & { readonly precision?: number },
  kind: Kind = 'events',
): Promise<number> {
  return bisect(within, async (id) => {
    const latest = await extremesFrom(query, schema, kind, 'MAX', id);
    return latest.every((created) => created === null) || latest.some((created) => (created ?? 0) >= time);
  });
}

/** An archived instance's id from which on instances were created at `time` or later; the last id there can be. */
export async function firstInstanceAfter(query: Query, schema: CellSchema, time: Seconds): Promise<number> {
  if (!schema.tables.includes(SHADOW)) return LAST_ID;
  const [newest] = await query(`SELECT COALESCE(MAX(id), 0) FROM ${SHADOW.instances}`);
  const end = Number(newest?.[0]) + 1;
  return bisect({ from: 0, to: end }, async (id) => {
    const created = await extremeOfRun(query, 'MIN', INSERTED.instances, SHADOW.instances, id);
    return created === null || created >= time + DISORDER;
  });
}

/** The highest id of a server, live or archived; 0 where there is none. */
export async function highestServer(query: Query, schema: CellSchema): Promise<number> {
  let highest = 0;
  for (const { instances } of schema.tables) {
    const [row] = await query(`SELECT COALESCE(MAX(id), 0) FROM ${instances}`);
    highest = Math.max(highest, Number(row?.[0]));
  }
  return highest;
}

export interface IdSpan {
  /** First id. */
  readonly from: number;
  /** First id beyond. */
  readonly to: number;
}

/** Ids that one statement looks at. Keeps it within the time-out and its answer small, however long the history. */
export const SHORT_SPAN = 5_000_000;

/** Cuts a span into consecutive ones, one for each statement. */
export function* shortSpans({ from, to }: IdSpan): Generator<IdSpan> {
  for (let first = from; first < to; first += SHORT_SPAN)
    yield { from: first, to: Math.min(to, first + SHORT_SPAN) };
}

async function bisect(
  { precision = 1, ...within }: IdSpan & { readonly precision?: number },
  isBeyond: (id: number) => Promise<boolean>,
): Promise<number> {
  let { from, to } = within;
  while (to - from >= precision) {
    const middle = Math.floor((from + to) / 2);
    if (await isBeyond(middle)) to = middle;
    else from = middle + 1;
  }
  return from;
}

async function extremesFrom(
  query: Query,
  schema: CellSchema,
  kind: Kind,
  extreme: 'MIN' | 'MAX',
  id: number,
): Promise<(number | null)[]> {
  const found: (number | null)[] = [];
  for (const tables of schema.tables)
    found.push(await extremeOfRun(query, extreme, INSERTED[kind], tables[kind], id));
  return found;
}

/** The extreme of an expression over the run of rows, called `e`, that begins at an id; null where there are none. */
async function extremeOfRun(
  query: Query,
  extreme: 'MIN' | 'MAX',
  expression: string,
  table: string,
  id: number,
): Promise<number | null> {
  const [row] = await query(
    `SELECT ${extreme}(created) FROM (SELECT ${expression} AS created FROM ${table} e ` +
      `WHERE e.id >= ? ORDER BY e.id LIMIT ${ROWS_LOOKED_AT}) run`,
    [id],
  );
  return (row?.[0] ?? null) as number | null;
}

export interface Extent {
  /** One beyond the highest event id. */
  readonly endId: number;
  /** When the row of the highest id was inserted. */
  readonly newestCreated: Seconds | null;
  /** About when the newest rows were inserted, whatever the clocks of the very newest; null where there are none. */
  readonly reached: Seconds | null;
  /** Start of the oldest event that is left. */
  readonly oldestStart: Seconds | null;
}

/** How many of the newest rows may have a clock that is ahead. */
const AHEAD = 3;

/** Where the events of a cell begin and end now, live and archived. */
export async function readExtent(query: Query, schema: CellSchema): Promise<Extent> {
  const newest: { id: number; created: Seconds | null }[] = [];
  const oldest: Seconds[] = [];
  for (const { events } of schema.tables) {
    const rows = await query(
      `SELECT e.id, ${CREATED} FROM ${events} e ORDER BY e.id DESC LIMIT ${ROWS_LOOKED_AT}`,
    );
    for (const [id, created] of rows) newest.push({ id: Number(id), created: created as Seconds | null });
    const first = await extremeOfRun(query, 'MIN', START, events, 0);
    if (first !== null) oldest.push(first);
  }
  const byId = newest.toSorted((a, b) => b.id - a.id);
  const created = byId
    .slice(0, ROWS_LOOKED_AT)
    .flatMap((row) => row.created ?? [])
    .toSorted((a, b) => b - a);
  return {
    endId: (byId[0]?.id ?? 0) + 1,
    newestCreated: byId[0]?.created ?? null,
    reached: created[AHEAD] ?? created.at(-1) ?? null,
    oldestStart: oldest.length === 0 ? null : Math.min(...oldest),
  };
}
