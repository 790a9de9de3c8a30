import type { Seconds } from '../../core/time.ts';
import { type IdSpan, shortSpans } from './bounds.ts';
import { FINISH, START } from './event-rows.ts';
import type { CellSchema } from './schema.ts';
import type { CellSession } from './session.ts';

/** Rows fetched at a time: large enough to make round trips cheap, small enough for flat memory. */
const ROWS_PER_CHUNK = 1000;

/**
 * An event far older than its row (a clone made by a cross-cell resize) would hold back all others until its turn
 * comes; such rows are few and are read first.
 */
export const BACKDATED = '(e.start_time < e.created_at - INTERVAL 10 MINUTE)';

/** By the clocks of two controllers an event may finish before it starts. */
const EARLIEST = `LEAST(${START}, COALESCE(${FINISH}, ${START}))`;

/** Consecutive ids to read, and what the server counted in them. */
export interface Chunk extends IdSpan {
  /** Rows by table pair, in the order of the schema's tables. */
  readonly rows: readonly number[];
  /** No row of a later chunk starts or finishes earlier: what is before is complete once this chunk is read. */
  readonly watermark: Seconds;
}

export interface ChunkPlan {
  /** In order of id. */
  chunks(): Iterable<Chunk>;
  /** In all chunks. */
  readonly rows: number;
  /** No row of any chunk starts or finishes earlier. */
  readonly earliest: Seconds;
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
 * Counts the rows of a span, thousand by thousand ids, in one pass over the primary key. The counts are what the
 * reading is held against; the earliest times are what allows rows to be put in order without holding them all.
 */
export async function planChunks(
  session: CellSession,
  schema: CellSchema,
  span: IdSpan,
  filter: Filter,
): Promise<ChunkPlan> {
  const columns = openColumns(schema.tables.length);
  const backdated = schema.tables.map(() => 0);
  for (const part of shortSpans(span)) {
    const thousands = new Map<number, Thousand>();
    for (const [index, { events }] of schema.tables.entries()) {
      const counted = await session.query(
        `SELECT e.id DIV ${ROWS_PER_CHUNK} AS nth, SUM(NOT COALESCE(${BACKDATED}, 0)), ` +
          `MIN(IF(${BACKDATED}, NULL, ${EARLIEST})), SUM(COALESCE(${BACKDATED}, 0)) ` +
          `FROM ${events} e WHERE e.id >= ? AND e.id < ? AND ${filter.where} GROUP BY nth ORDER BY NULL`,
        [part.from, part.to, ...filter.parameters],
      );
      for (const [nth, rows, earliest, outOfPlace] of counted) {
        const thousand = thousands.get(Number(nth)) ?? {
          rows: schema.tables.map(() => 0),
          earliest: Infinity,
        };
        thousand.rows[index] = Number(rows);
        thousand.earliest = Math.min(thousand.earliest, earliest === null ? Infinity : Number(earliest));
        thousands.set(Number(nth), thousand);
        backdated[index] = (backdated[index] ?? 0) + Number(outOfPlace);
      }
    }
    for (const [nth, thousand] of [...thousands].toSorted(([a], [b]) => a - b)) {
      columns.append(
        {
          from: Math.max(part.from, nth * ROWS_PER_CHUNK),
          to: Math.min(part.to, (nth + 1) * ROWS_PER_CHUNK),
        },
        thousand,
      );
    }
  }
  return { ...columns.plan(), backdated };
}

/** What the server counted in as many ids as a chunk has rows. */
interface Thousand {
  readonly rows: number[];
  earliest: Seconds;
}

/** Chunks as columns of numbers: twenty million rows have twenty thousand chunks. */
function openColumns(tables: number) {
  const from: number[] = [];
  const to: number[] = [];
  const rows = Array.from({ length: tables }, (): number[] => []);
  const earliest: number[] = [];
  const rowsAt = (nth: number): number[] => rows.map((column) => column[nth] as number);

  return {
    /** Adds the next ids, to the last chunk if there is room. */
    append(span: IdSpan, { rows: counted, earliest: first }: Thousand): void {
      const last = from.length - 1;
      if (last >= 0 && sum(rowsAt(last)) + sum(counted) <= ROWS_PER_CHUNK) {
        to[last] = span.to;
        earliest[last] = Math.min(earliest[last] as number, first);
        for (const [index, column] of rows.entries())
          column[last] = (column[last] ?? 0) + (counted[index] ?? 0);
      } else {
        from.push(span.from);
        to.push(span.to);
        earliest.push(first);
        for (const [index, column] of rows.entries()) column.push(counted[index] ?? 0);
      }
    },
    plan(): Omit<ChunkPlan, 'backdated'> {
      const watermarks = Array.from(earliest);
      let least = Infinity;
      for (let nth = earliest.length - 1; nth >= 0; nth--) {
        watermarks[nth] = least;
        least = Math.min(least, earliest[nth] as number);
      }
      return {
        *chunks() {
          for (let nth = 0; nth < from.length; nth++)
            yield {
              from: from[nth] as number,
              to: to[nth] as number,
              rows: rowsAt(nth),
              watermark: watermarks[nth] as number,
            };
        },
        rows: sum(rows.map(sum)),
        earliest: least,
        archivedRows: sum(rows[1] ?? []),
      };
    },
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
