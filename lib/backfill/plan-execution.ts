import { type Checkpoint, formatCheckpoint, readCheckpoint } from '../drop/checkpoint.ts';
import { StoreError } from '../errors.ts';
import type { Invocation } from '../drop/invocation.ts';
import type { Where } from '../drop/where.ts';
import type { SourceState } from '../source/source.ts';
import { listKeys, readText, remove, writeText } from '../store/bucket.ts';
import { iso } from '../time.ts';
import { groupsOf } from './groups.ts';
import { type BackfillPlan, planBackfill } from './plan.ts';
import { type BackfillRequest, eventOf } from './request.ts';
import { type Group, groupOf } from './steps.ts';
import { intervals } from './summary.ts';

export interface ExecutionPlan {
  /** What was asked for, as its workers and its end are to take it. */
  readonly request: object;
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
 * key: row numbers, no names; and how the schedule stood, which moves on while they are at work.
 */
export async function planExecution(
  invocation: Invocation,
  request: BackfillRequest,
  execution: string,
  checkpoint: Checkpoint | undefined,
): Promise<ExecutionPlan> {
  const { source, layout, run, signal } = invocation;
  const plan = await planBackfill(invocation, request, checkpoint);
  const groups = groupsOf(plan.due, plan.windows, plan.events, plan.ties);
  if (checkpoint !== undefined)
    await keep(invocation, checkpointKey(layout, execution), formatCheckpoint(run, checkpoint));
  if (plan.ties.length > 0)
    await keep(invocation, wholeKey(layout, execution), JSON.stringify({ ties: plan.ties }));
  const states =
    groups.length === 0 ? [] : await source.statesAt(groups, checkpoint?.window.end ?? Infinity, signal);
  for (const [nth, group] of groups.entries()) {
    const state = states[nth];
    if (state === undefined) continue;
    const text = JSON.stringify({ backfillVersion: 1, source: source.kind, state });
    await keep(invocation, stateKey(layout, execution, groupOf(group)), text);
  }
  return {
    request: eventOf({ ...request, replacement: plan.replacement }, request.range),
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

async function keep({ bucket, signal }: Invocation, key: string, text: string): Promise<void> {
  // A plan that is made again after a lost answer replaces its own.
  const found = await readText(bucket, key, signal);
  const expected = found === undefined ? 'absent' : { etag: found.etag };
  if ((await writeText(bucket, key, text, expected, signal)) === undefined)
    throw new StoreError(`${key}: the same execution is planned twice at once`);
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

/** How the schedule stood when an execution was planned. */
export async function plannedCheckpoint(
  { bucket, layout, signal }: Where,
  execution: string,
): Promise<Checkpoint | undefined> {
  return (await readCheckpoint(bucket, checkpointKey(layout, execution), signal))?.checkpoint;
}

/** What holds for all groups of an execution. */
export async function plannedWhole(
  { bucket, layout, signal }: Invocation,
  execution: string,
): Promise<Pick<BackfillPlan, 'ties'>> {
  const stored = await readText(bucket, wholeKey(layout, execution), signal);
  const { ties = [] } = (stored?.json() ?? {}) as Partial<BackfillPlan>;
  return { ties };
}

function wholeKey(layout: Invocation['layout'], execution: string): string {
  return `${layout.backfillStates(execution)}whole.json`;
}

function checkpointKey(layout: Invocation['layout'], execution: string): string {
  return `${layout.backfillStates(execution)}checkpoint.json`;
}

function stateKey(layout: Invocation['layout'], execution: string, group: Group): string {
  return `${layout.backfillStates(execution)}${group.plan}.json`;
}

/** Removes what was planned for an execution, of groups that were done in an earlier turn too. */
export async function forgetStates({ bucket, layout, signal }: Where, execution: string): Promise<void> {
  const prefix = layout.backfillStates(execution);
  for await (const key of listKeys(bucket, prefix, '', signal)) await remove(bucket, key, signal);
}
