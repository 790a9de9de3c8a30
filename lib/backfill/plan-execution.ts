import * as z from 'zod/mini';
import { StoreError } from '../core/errors.ts';
import type { Invocation } from '../drop/invocation.ts';
import type { Place } from '../drop/place.ts';
import type { TableStates } from '../source/source.ts';
import { iso } from '../core/time.ts';
import { groupsOf } from './groups.ts';
import type { BackfillPlan } from './plan.ts';
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
    readonly published: number;
    readonly events: number | null;
    /** At most one interval. */
    readonly beforeHistory: readonly string[];
    readonly sourceFrom: string | null;
  };
}

/**
 * Plans an execution once for all its workers, and leaves in the store what each of them needs to read its run by
 * primary key: row numbers, no names.
 */
export async function planExecution(
  invocation: Invocation,
  request: BackfillRequest,
  plan: BackfillPlan,
  execution: string,
): Promise<ExecutionPlan> {
  const { source, layout, tables, signal } = invocation;
  const groups = groupsOf(plan.due, plan.events);
  const names = tables.map(({ name }) => name);
  const states = groups.length === 0 ? [] : await source.statesAt(groups, names, signal);
  for (const [nth, group] of groups.entries()) {
    const planned = states[nth];
    if (planned === undefined || Object.keys(planned).length === 0) continue;
    const text = JSON.stringify({ planVersion: 2, source: source.kind, tables: planned });
    await keep(invocation, stateKey(layout, execution, groupOf(group)), text);
  }
  return {
    request: eventOf(request),
    groups: groups.map(groupOf),
    concurrency: request.concurrency,
    summary: {
      windows: plan.windows,
      due: plan.due.length,
      published: plan.published.length,
      events: plan.events,
      beforeHistory: intervals(plan.beforeHistory),
      sourceFrom: plan.sourceFrom === null ? null : iso(plan.sourceFrom),
    },
  };
}

async function keep({ store, signal }: Invocation, key: string, text: string): Promise<void> {
  // A plan that is made again after a lost answer replaces its own.
  const found = await store.readText(key, signal);
  const expected = found === undefined ? 'absent' : { version: found.version };
  if ((await store.writeText(key, text, expected, signal)) === undefined)
    throw new StoreError(`plan: ${key}: was changed by another plan of the same execution; try again`);
}

const Planned = z.strictObject({
  planVersion: z.literal(2),
  source: z.string(),
  tables: z.record(z.string(), z.record(z.string(), z.unknown())),
});

/** What was planned for a run; undefined where nothing was, and the source has to look back itself. */
export async function plannedStates(
  { store, layout, source, signal }: Invocation,
  execution: string,
  group: Group,
): Promise<TableStates | undefined> {
  const stored = await store.readText(stateKey(layout, execution, group), signal);
  const planned = z.safeParse(Planned, stored?.json());
  return planned.data?.source === source.kind ? planned.data.tables : undefined;
}

function stateKey(layout: Invocation['layout'], execution: string, group: Group): string {
  return `${layout.backfillStates(execution)}${group.plan}.json`;
}

/** Removes what was planned for an execution; without one, for all executions of the trace. */
export async function forgetStates({ store, layout, signal }: Place, execution?: string): Promise<void> {
  const prefix = execution === undefined ? layout.backfills : layout.backfillStates(execution);
  for await (const { key } of store.list(prefix, '', signal)) await store.remove(key, signal);
}
