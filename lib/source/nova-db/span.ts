import { SourceError } from '../../core/errors.ts';
import { type Seconds, iso } from '../../core/time.ts';
import type { ReadRequest } from '../source.ts';
import { DISORDER, type Extent, type IdSpan, firstIdAfter, lastIdBefore } from './bounds.ts';
import type { Filter } from './chunks.ts';
import type { CellSchema } from './schema.ts';
import type { CellSession } from './session.ts';
import type { CellState } from './state.ts';

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
): Promise<number> {
  return lastIdBefore(query, schema, window.end - settleSeconds - DISORDER, span);
}

/** What a window has to read: from where the last one ended, or over the whole horizon, up to the window's end. */
export async function idSpan(
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

/** Ids that went back mean another database, or one restored from a backup: continuing would lose events. */
export function refuseRestoredDatabase(
  session: CellSession,
  extent: Extent,
  state: CellState | undefined,
): void {
  if (state === undefined || extent.newestCreated === null) return;
  const endBefore = [...state.seenIds].reduce((end, id) => Math.max(end, id + 1), state.nextEventId);
  // Where nothing is newer than what was seen, nothing can be passed over; rows may have been purged or reverted.
  if (extent.endId >= endBefore || extent.newestCreated <= state.seenUntil) return;
  throw new SourceError(
    `cell ${session.cell}: its newest event, of ${iso(extent.newestCreated)}, has the id ${extent.endId - 1}, but ids ` +
      `up to ${endBefore - 1} were read before; was the database restored or replaced? See docs/operating.md`,
    { transient: false },
  );
}
