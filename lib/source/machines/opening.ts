import type { Seconds } from '../../core/time.ts';
import type { FoundMachine, MachinesRead } from './found.ts';
import { newSalt, saltedHash } from '../salted-hash.ts';
import type { KnownMachine, MachinesState } from './state.ts';

/**
 * What existed at a time, as far as a later read tells: where a trace of machines begins. Of capacities there is no
 * history, so they are those of the read; a host counts as disabled unless a time is recorded that proves otherwise.
 */
export function stateAt(time: Seconds, { machines, parts }: MachinesRead): MachinesState {
  const salt = newSalt();
  const known = machines
    .filter(({ created }) => (created ?? -Infinity) < time)
    .map((machine) => [saltedHash(salt, machine.key), knownAt(time, machine, salt)] as const);
  return { salt, at: time, until: time, parts, machines: new Map(known) };
}

function knownAt(time: Seconds, machine: FoundMachine, salt: string): KnownMachine {
  const { created, deleted, capacity, alike, disabledAt, slot } = machine;
  return {
    deleted: deleted !== null && deleted < time,
    held: false,
    created,
    capacity,
    alike,
    enabled: enabledAt(time, machine),
    disabledAt: disabledAt !== null && disabledAt < time ? disabledAt : null,
    slot: slot === null ? null : saltedHash(salt, slot),
    sealed: null,
  };
}

/**
 * Whether a host was enabled at a time, as far as a later read tells. Nothing tells it of a host that is deleted by now:
 * hosts are enabled, unless somebody disables them.
 */
export function enabledAt(time: Seconds, { enabled, disabledAt, switchedAt }: FoundMachine): boolean {
  if (enabled === null) return true;
  const last = enabled ? switchedAt : (disabledAt ?? switchedAt);
  return last !== null && last >= time ? !enabled : enabled;
}
