import type { Invocation } from '../drop/invocation.ts';
import { historyGone, planBackfill } from './plan.ts';
import { plannedStates } from './plan-execution.ts';
import type { BackfillRequest } from './request.ts';
import { runBackfill } from './run.ts';
import type { Group } from './steps.ts';

export interface GroupResult {
  /** For the next turn of the same worker; null where the run is done. */
  readonly left: Group | null;
  readonly published: number;
  readonly rows: number;
}

/**
 * One worker's turn: publishes what it can of a run of windows before its time is over.
 *
 * @throws HistoryGoneError where the source has purged a window since the execution was planned
 */
export async function runGroup(
  invocation: Invocation,
  request: BackfillRequest,
  group: Group,
  execution: string,
  remaining: () => number,
): Promise<GroupResult> {
  const plan = await planBackfill(invocation, request);
  const [purged] = plan.beforeHistory;
  if (purged !== undefined) throw historyGone(purged, request.release);
  const states = await plannedStates(invocation, execution, group);
  const { rows, done, left } = await runBackfill(invocation, request, plan, remaining, states);
  const published = done.filter((window) => window.status === 'published').length;
  const [start] = (left[0] ?? '').split('/');
  return { left: start === undefined || start === '' ? null : { ...group, start }, published, rows };
}
