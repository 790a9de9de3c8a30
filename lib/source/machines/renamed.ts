import { MINUTE } from '../../core/time.ts';
import type { FoundMachine } from './found.ts';
import { saltedHash } from '../salted-hash.ts';
import type { MachinesState } from './state.ts';

/**
 * A hypervisor that starts under another name is a new row beside a deleted one, within seconds and for the same
 * service: it is the same machine.
 *
 * @returns by the new machine, the one that it was
 */
export function findRenamed(
  machines: readonly FoundMachine[],
  { salt, machines: known }: MachinesState,
): ReadonlyMap<FoundMachine, FoundMachine> {
  const isLeft = ({ key, deleted }: FoundMachine): boolean =>
    deleted !== null && known.get(saltedHash(salt, key))?.deleted === false;
  const left = machines.filter(isLeft);
  const renamed = new Map<FoundMachine, FoundMachine>();
  for (const machine of left.length === 0 ? [] : machines) {
    const { key, host, slot, created } = machine;
    if (slot === null || created === null || known.has(saltedHash(salt, key))) continue;
    const was = left.find(
      (other) =>
        other.host === host &&
        other.slot === slot &&
        Math.abs(created - (other.deleted ?? Infinity)) < MINUTE &&
        ![...renamed.values()].includes(other),
    );
    if (was !== undefined) renamed.set(machine, was);
  }
  return renamed;
}
