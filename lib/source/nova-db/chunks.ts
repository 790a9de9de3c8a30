import { SourceError } from '../../core/errors.ts';
import type { IdSpan } from './bounds.ts';
import { BACKDATED, type Chunk, type ChunkPlan, type Filter } from './chunk-plan.ts';
import type { CellSession } from './session.ts';
import { type EventRow, selectEvents } from './event-rows.ts';
import { distinctRows } from './same-rows.ts';
import type { CellSchema } from './schema.ts';

/** Reads one chunk, in order of id. @throws SourceError as `readCounted` does */
export async function readChunk(
  session: CellSession,
  schema: CellSchema,
  chunk: Chunk,
  filter: Filter,
  plan: ChunkPlan,
): Promise<readonly EventRow[]> {
  const hasBackdated = plan.backdated.some((rows) => rows > 0);
  const inPlace = hasBackdated ? `NOT COALESCE(${BACKDATED}, 0)` : 'TRUE';
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
