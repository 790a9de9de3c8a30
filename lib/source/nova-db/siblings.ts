import { inGroups } from '../../core/collections/in-groups.ts';
import type { Seconds } from '../../core/time.ts';
import type { Query, Value } from './session.ts';
import { type EventRow, FINISH, IDS_PER_STATEMENT } from './event-rows.ts';
import { type CellSchema, LIVE } from './schema.ts';

/*
 * Nova finishes "the first event of that name in the action". Where an action holds two of one name (a build that
 * was rescheduled, an operation redone after a compute's restart), the second finish overwrites the first row and
 * the second row stays open. So a published row may change as long as a namesake of it is open.
 */

/** A finished row, by the times that it has at present. */
export interface Sibling {
  readonly finish: Seconds;
  /** When the open row began; Infinity where nobody looked for it. */
  readonly namesakeStart: Seconds;
}

/** Finished rows by id that share action and event name with one of these open rows. */
export async function findSiblings(query: Query, open: readonly EventRow[]): Promise<Map<number, Sibling>> {
  const names = new Map<number, Map<string | null, Seconds>>();
  for (const { actionId, event, archived, start, created } of open) {
    // Archived rows are final, and their table has no index on the action.
    if (actionId === null || archived) continue;
    const starts = names.get(actionId) ?? new Map<string | null, Seconds>();
    names.set(actionId, starts.set(event, Math.min(start ?? created, starts.get(event) ?? Infinity)));
  }
  const siblings = new Map<number, Sibling>();
  for (const some of inGroups([...names.keys()], IDS_PER_STATEMENT)) {
    const rows = await query(
      `SELECT e.id, e.action_id, e.event, ${FINISH} FROM ${LIVE.events} e ` +
        'WHERE e.action_id IN (?) AND e.finish_time IS NOT NULL',
      [some],
    );
    for (const [id, actionId, event, finish] of rows) {
      const namesakeStart = names.get(actionId as number)?.get(event as string | null);
      if (namesakeStart !== undefined) siblings.set(id as number, sibling(finish, namesakeStart));
    }
  }
  return siblings;
}

const sibling = (finish: Value | undefined, namesakeStart = Infinity): Sibling => ({
  finish: finish as Seconds,
  namesakeStart,
});

/** The finished ones of these rows, wherever they are now. */
export async function readFinishes(
  query: Query,
  schema: CellSchema,
  ids: Iterable<number>,
): Promise<Map<number, Sibling>> {
  const finishes = new Map<number, Sibling>();
  for (const some of inGroups([...ids], IDS_PER_STATEMENT)) {
    for (const { events } of schema.tables) {
      const rows = await query(`SELECT e.id, ${FINISH} FROM ${events} e WHERE e.id IN (?)`, [some]);
      for (const [id, finish] of rows) if (finish !== null) finishes.set(id as number, sibling(finish));
    }
  }
  return finishes;
}
