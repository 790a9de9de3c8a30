import { inGroups } from '../../in-groups.ts';
import type { Seconds } from '../../time.ts';
import type { Query } from './session.ts';
import { type EventRow, FINISH, IDS_PER_STATEMENT } from './event-rows.ts';
import { type CellSchema, LIVE } from './schema.ts';

/*
 * Nova finishes "the first event of that name in the action". Where an action holds two of one name (a build that
 * was rescheduled, an operation redone after a compute's restart), the second finish overwrites the first row and
 * the second row stays open. So a published row may change as long as a namesake of it is open.
 */

/** Finished rows by id, with their present finish, that share action and event name with one of these open rows. */
export async function findSiblings(query: Query, open: readonly EventRow[]): Promise<Map<number, Seconds>> {
  const names = new Map<number, Set<string | null>>();
  for (const { actionId, event, archived } of open) {
    // Archived rows are final, and their table has no index on the action.
    if (actionId === null || archived) continue;
    names.set(actionId, (names.get(actionId) ?? new Set()).add(event));
  }
  const siblings = new Map<number, Seconds>();
  for (const some of inGroups([...names.keys()], IDS_PER_STATEMENT)) {
    const rows = await query(
      `SELECT e.id, e.action_id, e.event, ${FINISH} FROM ${LIVE.events} e ` +
        'WHERE e.action_id IN (?) AND e.finish_time IS NOT NULL',
      [some],
    );
    for (const [id, actionId, event, finish] of rows) {
      const isNamesake = names.get(actionId as number)?.has(event as string | null) === true;
      if (isNamesake) siblings.set(id as number, finish as number);
    }
  }
  return siblings;
}

/** The present finish of rows, wherever they are now. */
export async function readFinishes(
  query: Query,
  schema: CellSchema,
  ids: Iterable<number>,
): Promise<Map<number, Seconds>> {
  const finishes = new Map<number, Seconds>();
  for (const some of inGroups([...ids], IDS_PER_STATEMENT)) {
    for (const { events } of schema.tables) {
      const rows = await query(`SELECT e.id, ${FINISH} FROM ${events} e WHERE e.id IN (?)`, [some]);
      for (const [id, finish] of rows) if (finish !== null) finishes.set(id as number, finish as number);
    }
  }
  return finishes;
}
