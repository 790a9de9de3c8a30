import * as z from 'zod/mini';
import { StoreError } from '../core/errors.ts';
import { type Window, windowKey } from '../core/window.ts';
import type { Invocation } from '../drop/invocation.ts';
import type { Place } from '../drop/place.ts';
import type { TableStates } from '../source/source.ts';

/*
 * With these states (row numbers, no names) the workers of an execution read their groups by primary key. The plan
 * looks back over the history once for all of them, and keeps the states in the store.
 */

const Stored = z.strictObject({
  stateVersion: z.literal(3),
  source: z.string(),
  tables: z.record(z.string(), z.record(z.string(), z.unknown())),
});

/** Looks back over the history once for all groups. */
export function statesAt(invocation: Invocation, groups: readonly Window[]): Promise<readonly TableStates[]> {
  const { source, tables, signal } = invocation;
  const names = tables.map(({ name }) => name);
  return source.statesAt(groups, names, signal);
}

export async function keepStates(invocation: Invocation, groups: readonly Window[], execution: string) {
  const { source, store, signal } = invocation;
  const states = groups.length === 0 ? [] : await statesAt(invocation, groups);
  for (const [nth, group] of groups.entries()) {
    const tables = states[nth] ?? {};
    if (Object.keys(tables).length === 0) continue;
    const key = keyOf(invocation, execution, group);
    const text = JSON.stringify({ stateVersion: 3, source: source.kind, tables });
    // If its answer was lost, a plan is made again and replaces its own states.
    const expected = await store.expectedNow(key, signal);
    if ((await store.writeText(key, text, expected, signal)) === undefined)
      throw new StoreError(`plan: ${key}: was changed by another plan of the same execution; try again`);
  }
}

/** @returns undefined if none is kept; the run then looks back itself */
export async function readStates(invocation: Invocation, execution: string, group: Window) {
  const { store, source, signal } = invocation;
  const stored = await store.readText(keyOf(invocation, execution, group), signal);
  const parsed = z.safeParse(Stored, stored?.json());
  return parsed.data?.source === source.kind ? (parsed.data.tables as TableStates) : undefined;
}

/** Removes the states of one execution; without one, those of all executions of the trace. */
export async function forgetStates({ store, layout, signal }: Place, execution?: string): Promise<void> {
  const prefix = execution === undefined ? layout.backfills : layout.backfillStates(execution);
  for await (const { key } of store.list(prefix, '', signal)) await store.remove(key, signal);
}

const keyOf = ({ layout }: Place, execution: string, group: Window): string =>
  `${layout.backfillStates(execution)}${windowKey(group)}.json`;
