import { MINUTE, type Seconds } from '../../core/time.ts';
import type { MachineEvent } from '../../tables/machine-events/row.ts';
import { placeOf } from '../../tables/instances/place.ts';
import type { Machine } from '../../tables/machines/row.ts';
import { saltedHash } from '../salted-hash.ts';
import { changesOf } from './changes.ts';
import type { FoundMachine, MachinesRead } from './found.ts';
import { type Tell, openTelling } from './telling.ts';
import { stateAt } from './opening.ts';
import { findRenamed } from './renamed.ts';
import type { CompareRequest } from './request.ts';
import { sealName, unsealName } from './names.ts';
import type { KnownMachine, MachinesState } from './state.ts';

export interface Compared {
  /** In no order. */
  readonly events: readonly MachineEvent[];
  /** To be handed to the next comparison. */
  readonly next: MachinesState;
  /** Everything that existed in the window, in the state to which the events lead. */
  readonly machines: readonly Machine[];
  readonly late: number;
  readonly beforeBegin: number;
  /** Machines that are gone without a trace, whose names were not kept. */
  readonly vanished: number;
}

/**
 * What two reads differ in. What is recorded to have changed after the window is left to the next one. Touches nothing
 * outside, so that a sampler or another source may call it; rules: a change belongs to the window of its recorded time,
 * and one without to the window in which it is found.
 */
export function compareMachines(request: CompareRequest): Compared {
  const { read, window, seal } = request;
  const before = request.before ?? stateAt(window.start, read);
  const { salt } = before;
  const telling = openTelling(request);
  const next = new Map<string, KnownMachine>();
  const existing: Machine[] = [];
  const renamed = findRenamed(read.machines, before);
  const left = new Set(renamed.values());

  const keep = (key: string, machine: FoundMachine, known: KnownMachine): void => {
    const slot = machine.slot === null ? null : saltedHash(salt, machine.slot);
    next.set(key, { ...known, slot, sealed: known.deleted ? null : sealName(seal, key, machine) });
    const { created, capacity, enabled } = known;
    if (!known.deleted) existing.push(rowOf(machine, { created, deleted: null, capacity, enabled }));
  };
  const end = (machine: FoundMachine, known: KnownMachine, deleted: Seconds): void => {
    const { created, capacity, enabled } = known;
    if (deleted >= window.start) existing.push(rowOf(machine, { created, deleted, capacity, enabled }));
  };

  for (const machine of read.machines) {
    const was = renamed.get(machine);
    if (left.has(machine)) continue;
    const key = saltedHash(salt, machine.key);
    const known = before.machines.get(was === undefined ? key : saltedHash(salt, was.key));
    if (request.before === undefined && request.opens && known?.deleted === false)
      telling.open(was ?? machine, known);
    const since = known?.held === true ? before.until : before.at;
    const seen = { since, at: read.at, window, bounds: request.bounds };
    if (was !== undefined && known !== undefined) {
      const oldKey = saltedHash(salt, was.key);
      if ((machine.created ?? 0) >= window.end) {
        const old = asBefore(machine, was, known);
        const change = changesOf({ ...seen, machine: old, known, isRenamed: false }, telling.of(old));
        keep(oldKey, old, { ...(change?.known ?? known), held: true });
        continue;
      }
      next.set(oldKey, { ...known, deleted: true, slot: null, sealed: null });
    }
    const tell: Tell = telling.of(machine);
    if (machine.noticed === true && known?.deleted === false && (machine.deleted ?? Infinity) < since)
      continue;
    const change = changesOf({ ...seen, machine, known, isRenamed: was !== undefined }, tell);
    if (change === undefined) continue;
    if (change.replaced !== undefined) end(machine, ...change.replaced);
    keep(key, machine, change.known);
    if (change.ended !== null) end(machine, change.known, change.ended);
  }

  let vanished = 0;
  const names = new Map([...(read.names ?? [])].map(([key, name]) => [saltedHash(salt, key), name]));
  for (const [key, known] of before.machines) {
    if (next.has(key)) continue;
    if (known.deleted) {
      if (names.has(key)) next.set(key, known);
      continue;
    }
    const name = unsealName(seal, key, known.sealed) ?? names.get(key);
    const { created, capacity, enabled } = known;
    const since = known.held ? before.until : before.at;
    const latest = name === undefined ? read.at : goneBy(name.host, since, read);
    const deleted = read.partial ? null : latest;
    if (name !== undefined)
      existing.push(rowOf({ ...name, up: false }, { created, deleted, capacity, enabled }));
    if (read.partial) next.set(key, { ...known, held: true });
    else if (name === undefined) vanished++;
    else {
      telling.of(name).bounded('DELETE', capacity, latest, since);
      // The other service will tell of the deletion, too.
      if (names.has(key)) next.set(key, { ...known, deleted: true, held: false, sealed: null });
    }
  }
  const { late, beforeBegin, events } = telling;
  return {
    events,
    next: { salt, at: read.at, until: window.end, parts: read.parts, machines: next },
    machines: existing,
    late: late(),
    beforeBegin: beforeBegin(),
    vanished,
  };
}

/** One that is renamed after the window still has its old name: what it was, with what became of its service since. */
function asBefore(machine: FoundMachine, was: FoundMachine, { alike }: KnownMachine): FoundMachine {
  const { key, node, created, capacity, changedBy } = was;
  return { ...machine, key, node, created, capacity, changedBy, deleted: null, capacityAt: null, alike };
}

/** Before a host of the same name could come, the one before had to be removed. */
function goneBy(host: string, since: Seconds, { at, machines }: MachinesRead): Seconds {
  const came = machines.flatMap((machine) =>
    machine.host === host && machine.created !== null && machine.created > since ? machine.created - 1 : [],
  );
  return Math.min(at, ...came);
}

function rowOf(
  { host, node, rack, up }: Pick<FoundMachine, 'host' | 'node' | 'rack' | 'up'>,
  state: Pick<Machine, 'created' | 'deleted' | 'capacity' | 'enabled'>,
): Machine {
  const name = { host, node, ...(rack === undefined ? {} : { rack }) };
  return { ...name, ...state, up: up && state.deleted === null, place: placeOf(state.created) };
}

/** A host that has not reported for longer is down, as Nova has it (`service_down_time`). */
export const DOWN_AFTER: Seconds = MINUTE;
