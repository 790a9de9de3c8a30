import type { Window } from '../core/window.ts';
import type { Invocation } from './invocation.ts';
import { readAgain } from './read-again.ts';
import { ANY_TIME } from '../source/source.ts';
import { machineEvents } from '../tables/machine-events/table.ts';
import type { Machine } from '../tables/machines/row.ts';
import { machines } from '../tables/machines/table.ts';
import { rackOf } from '../transform/rack.ts';

/** Masks of the racks of all hosts of a release, in order of the racks' names. Costs one look at the hosts. */
export async function racksOf(
  invocation: Invocation,
  range: Window,
): Promise<{ readonly racks?: readonly string[] }> {
  const { source, settings, tables, masking, signal } = invocation;
  const { rackPattern, settleSeconds } = settings;
  if (!tables.some(({ name }) => name === machines.name || name === machineEvents.name)) return {};
  const request = { window: range, begin: range.start, state: undefined, settleSeconds, whole: true };
  const found = await readAgain(invocation, async () => {
    const names = new Set<string>();
    await using opened = await source.open(signal);
    for await (const { rows } of opened.read(machines.name, { ...request, openHorizonSeconds: ANY_TIME }))
      for (const machine of rows as readonly Machine[]) names.add(rackOf(machine, rackPattern) ?? '');
    return [...names].filter((name) => name !== '');
  });
  return found.length === 0 ? {} : { racks: found.toSorted().map((name) => masking.mask(name)) };
}
