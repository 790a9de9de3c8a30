import { SourceError } from '../../core/errors.ts';
import type { Seconds } from '../../core/time.ts';
import type { IdSpan } from './bounds.ts';
import type { CellSession } from './session.ts';
import { type EventRow, FINISH, START, selectEvents } from './event-rows.ts';
import { distinctRows } from './same-rows.ts';
import type { CellSchema } from './schema.ts';

/** Rows fetched at a time: large enough to make round trips cheap, small enough for flat memory. */
const ROWS_PER_CHUNK = 1000;

/**
 * An event far older than its row (a clone made by a cross-cell resize) would hold back all others until its turn
 * comes; such rows are few and are read first.
 */
const BACKDATED = '(e.start_time < e.created_at - INTERVAL 10 MINUTE)';

/** By the clocks of two controllers an event may finish before it starts. */
const EARLIEST = `LEAST(${START}, COALESCE(${FINISH}, ${START}))`;

/** A run of ids to read, and what the server counted in it. */
export interface Chunk extends IdSpan {
  /** Rows by table pair, in the order of the schema's tables. */
  readonly rows: readonly number[];
  /** No row of it starts or finishes earlier. */
  readonly earliest: Seconds;
}

export interface ChunkPlan {
  readonly chunks: readonly Chunk[];
  /** Rows that start long before they were inserted, by table pair; no chunk counts them. */
  readonly backdated: readonly number[];
  readonly archivedRows: number;
}

/** A condition over the alias `e` and its parameters. */
export interface Filter {
  readonly where: string;
  readonly parameters: readonly unknown[];
}

/**
 * Counts the rows of a span, chunk by chunk, in one pass over the primary key. The counts are what the reading is
 * held against; the earliest times are what allows rows to be put in order without holding them all.
 */
export async function planChunks(
  session: CellSession,
  schema: CellSchema,
  span: IdSpan,
  filter: Filter,
): Promise<ChunkPlan> {
  const groups = new Map<number, { rows: number[]; earliest: number }>();
  const backdated = schema.tables.map(() => 0);
  for (const [index, { events }] of schema.tables.entries()) {
    const counted = await session.query(
      `SELECT e.id DIV ${ROWS_PER_CHUNK} AS run, SUM(NOT COALESCE(${BACKDATED}, 0)), ` +
        `MIN(IF(${BACKDATED}, NULL, ${EARLIEST})), SUM(COALESCE(${BACKDATED}, 0)) ` +
        `FROM ${events} e WHERE e.id >= ? AND e.id < ? AND ${filter.where} GROUP BY run ORDER BY NULL`,
      [span.from, span.to, ...filter.parameters],
    );
    for (const [run, rows, earliest, outOfPlace] of counted) {
      const group = groups.get(Number(run)) ?? { rows: schema.tables.map(() => 0), earliest: Infinity };
      group.rows[index] = Number(rows);
      group.earliest = Math.min(group.earliest, earliest === null ? Infinity : Number(earliest));
      groups.set(Number(run), group);
      backdated[index] = (backdated[index] ?? 0) + Number(outOfPlace);
    }
  }
  const chunks: Chunk[] = [];
  for (const [run, group] of [...groups].toSorted(([a], [b]) => a - b)) {
    const next: Chunk = {
      from: Math.max(span.from, run * ROWS_PER_CHUNK),
      to: Math.min(span.to, (run + 1) * ROWS_PER_CHUNK),
      ...group,
    };
    const last = chunks.at(-1);
    if (last !== undefined && sum(last.rows) + sum(next.rows) <= ROWS_PER_CHUNK) {
      chunks[chunks.length - 1] = join(last, next);
    } else chunks.push(next);
  }
  const archivedRows = sum(chunks.map((chunk) => chunk.rows[1] ?? 0));
  return { chunks, backdated, archivedRows };
}

/** Reads one chunk, in order of id. @throws SourceError as `readCounted` does */
export async function readChunk(
  session: CellSession,
  schema: CellSchema,
  chunk: Chunk,
  filter: Filter,
  plan: ChunkPlan,
): Promise<readonly EventRow[]> {
  const inPlace = sum(plan.backdated) === 0 ? 'TRUE' : `NOT COALESCE(${BACKDATED}, 0)`;
  const rows = await readCounted(session, schema, chunk, chunk.rows, {
    ...filter,
    where: `${filter.where} AND ${inPlace}`,
  });
  return schema.tables.length === 1 ? rows : distinctRows(rows.toSorted((a, b) => a.id - b.id));
}

/** The rows of the span that start long before they were inserted. @throws SourceError as `readCounted` does */
export function readBackdated(
  session: CellSession,
  schema: CellSchema,
  span: IdSpan,
  filter: Filter,
  plan: ChunkPlan,
): Promise<EventRow[]> {
  const where = `${filter.where} AND ${BACKDATED}`;
  return readCounted(session, schema, span, plan.backdated, { ...filter, where });
}

/**
 * Reads the rows of a span from each table pair that has any.
 *
 * @throws SourceError (transient) where fewer or more rows came than the server counted in the same snapshot: a
 *   stream that was cut must not pass for a short one
 */
async function readCounted(
  session: CellSession,
  schema: CellSchema,
  span: IdSpan,
  counted: readonly number[],
  { where, parameters }: Filter,
): Promise<EventRow[]> {
  const found: EventRow[] = [];
  for (const [index, tables] of schema.tables.entries()) {
    const expected = counted[index] ?? 0;
    if (expected === 0) continue;
    const rows = await selectEvents(session.query, schema, tables, `e.id >= ? AND e.id < ? AND ${where}`, [
      span.from,
      span.to,
      ...parameters,
    ]);
    if (rows.length !== expected) {
      throw new SourceError(
        `cell ${session.cell}: ${tables.events} gave ${rows.length} rows of ${expected} counted; the stream was cut`,
        { transient: true },
      );
    }
    found.push(...rows);
  }
  return found;
}

/** How many rows the server counted in them. */
export function rowsOf(chunks: readonly Chunk[]): number {
  return sum(chunks.map(({ rows }) => sum(rows)));
}

/** The earliest time of all. */
export function earliestOf(chunks: readonly Chunk[]): Seconds {
  return chunks.reduce((least, chunk) => Math.min(least, chunk.earliest), Infinity);
}

/** For each chunk, the earliest time of all that follow it: what is before is complete by then. */
export function watermarks(chunks: readonly Chunk[]): number[] {
  const marks = chunks.map(() => Infinity);
  for (let i = chunks.length - 2; i >= 0; i--) {
    marks[i] = Math.min(marks[i + 1] ?? Infinity, chunks[i + 1]?.earliest ?? Infinity);
  }
  return marks;
}

function join(a: Chunk, b: Chunk): Chunk {
  return {
    from: a.from,
    to: b.to,
    rows: a.rows.map((rows, index) => rows + (b.rows[index] ?? 0)),
    earliest: Math.min(a.earliest, b.earliest),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
