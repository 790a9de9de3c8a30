import type { Invocation } from '../drop/invocation.ts';
import type { Where } from '../drop/where.ts';
import type { SourceState } from '../source/source.ts';
import { listKeys, readText, remove, writeText } from '../store/bucket.ts';
import { iso } from '../time.ts';
import { groupsOf } from './groups.ts';
import { planBackfill } from './plan.ts';
import type { BackfillRequest } from './request.ts';
import { type Group, groupOf } from './steps.ts';
import { intervals } from './summary.ts';

export interface ExecutionPlan {
  readonly groups: readonly Group[];
  readonly concurrency: number;
  readonly summary: {
    readonly windows: number;
    readonly due: number;
    readonly events: number | null;
    readonly alreadyPublished: readonly string[];
    readonly beforeHistory: readonly string[];
    readonly sourceFrom: string | null;
  };
}

/**
 * Plans an execution once for all its workers, and leaves in S3 what each of them needs to read its run by primary
 * key: row numbers, no names.
 */
export async function planExecution(
  invocation: Invocation,
  request: BackfillRequest,
  execution: string,
): Promise<ExecutionPlan> {
  const { source, signal } = invocation;
  const plan = await planBackfill(invocation, request);
  const groups = groupsOf(plan.due, plan.windows, plan.events);
  const states = groups.length === 0 ? [] : await source.statesAt(groups, signal);
  for (const [nth, group] of groups.entries()) {
    const state = states[nth];
    if (state !== undefined) await keepState(invocation, execution, groupOf(group), state);
  }
  return {
    groups: groups.map(groupOf),
    concurrency: request.concurrency,
    summary: {
      windows: plan.windows,
      due: plan.due.length,
      events: plan.events,
      alreadyPublished: intervals(plan.published),
      beforeHistory: intervals(plan.beforeHistory),
      sourceFrom: plan.sourceFrom === null ? null : iso(plan.sourceFrom),
    },
  };
}

async function keepState(
  { bucket, layout, source, signal }: Invocation,
  execution: string,
  group: Group,
  state: SourceState,
): Promise<void> {
  const key = stateKey(layout, execution, group);
  const text = JSON.stringify({ backfillVersion: 1, source: source.kind, state });
  // A plan that is made again after a lost answer replaces its own.
  const found = await readText(bucket, key, signal);
  await writeText(bucket, key, text, found === undefined ? 'absent' : { etag: found.etag }, signal);
}

/** What was planned for a run; undefined where nothing was, and the source has to look back itself. */
export async function plannedState(
  { bucket, layout, source, signal }: Invocation,
  execution: string,
  group: Group,
): Promise<SourceState | undefined> {
  const stored = await readText(bucket, stateKey(layout, execution, group), signal);
  const kept = stored?.json() as { source?: string; state?: SourceState } | undefined;
  return kept?.source === source.kind ? kept.state : undefined;
}

function stateKey(layout: Invocation['layout'], execution: string, group: Group): string {
  return `${layout.backfillStates(execution)}${group.plan}.json`;
}

/** Removes what was planned for an execution, of groups that were done in an earlier turn too. */
export async function forgetStates({ bucket, layout, signal }: Where, execution: string): Promise<void> {
  const prefix = layout.backfillStates(execution);
  for await (const key of listKeys(bucket, prefix, '', signal)) await remove(bucket, key, signal);
}
