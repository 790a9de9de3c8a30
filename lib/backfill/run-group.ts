import type { Invocation } from '../drop/invocation.ts';
import { runBackfill } from './backfill.ts';
import { plannedCheckpoint, plannedState, plannedWhole } from './plan-execution.ts';
import type { BackfillRequest } from './request.ts';
import type { Group } from './steps.ts';

export interface GroupResult {
  /** For the next turn of the same worker; null where the run is done. */
  readonly left: Group | null;
  readonly published: number;
  readonly rows: number;
}

/** One worker's turn: publishes what it can of a run of windows before its time is over. */
export async function runGroup(
  invocation: Invocation,
  request: BackfillRequest,
  group: Group,
  execution: string,
  remaining: () => number,
): Promise<GroupResult> {
  const state = await plannedState(invocation, execution, group);
  const summary = await runBackfill(invocation, request, {
    remaining,
    megabytes: 0,
    state,
    checkpoint: await plannedCheckpoint(invocation, execution),
    ...(await plannedWhole(invocation, execution)),
  });
  const { status, rows, done } = summary;
  const published = done.filter((window) => window.status === 'published').length;
  return { left: status === 'unfinished' ? leftOf(summary.left, group) : null, published, rows };
}

/** From the first window that is left to the last; what lies between and is published is passed over. */
function leftOf(intervals: readonly string[], group: Group): Group | null {
  const [start] = (intervals[0] ?? '').split('/');
  const end = intervals.at(-1)?.split('/')[1];
  return start === undefined || end === undefined ? null : { ...group, start, end };
}
