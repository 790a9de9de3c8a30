import type { Seconds } from '../../core/time.ts';
import type { ReadRequest } from '../source.ts';
import { DISORDER, type Extent, type IdSpan, firstIdAfter, lastIdBefore } from './bounds.ts';
import type { Filter } from './chunk-plan.ts';
import type { CellSchema } from './schema.ts';
import type { CellSession } from './session.ts';

/** A cell that was read before: every row counts. */
export const EVERYTHING: Filter = { where: 'TRUE', parameters: [] };

/**
 * A first run looks back over the whole horizon for events still open. Of what finished before it needs only the last
 * rows, for the next run must not take them for late.
 *
 * @param lastRows first id of those
 */
export function finishedSince(time: Seconds, lastRows: number): Filter {
  const finished = "e.finish_time >= '1970-01-01' + INTERVAL ? SECOND";
  return { where: `(e.finish_time IS NULL OR ${finished} OR e.id >= ?)`, parameters: [time, lastRows] };
}

/** Below this id of a span a first run leaves nothing to the next but what it carries as open. */
export function accountedTo(
  { query }: CellSession,
  schema: CellSchema,
  span: IdSpan,
  { window, settleSeconds }: ReadRequest,
  reached: Seconds,
): Promise<number> {
  const heldBackFrom = Math.min(window.end, reached) - settleSeconds;
  return lastIdBefore(query, schema, heldBackFrom - DISORDER, span);
}

/** What a window has to read: from an id on, or over the whole horizon, up to the window's end. */
export async function idSpan(
  { query }: CellSession,
  schema: CellSchema,
  extent: Extent,
  first: number | undefined,
  { window, openHorizonSeconds }: ReadRequest,
): Promise<IdSpan> {
  const all = { from: first ?? 0, to: Math.max(extent.endId, first ?? 0) };
  const from =
    first ?? (await lastIdBefore(query, schema, window.start - openHorizonSeconds - DISORDER, all));
  return { from, to: await firstIdAfter(query, schema, window.end + DISORDER, { from, to: all.to }) };
}
