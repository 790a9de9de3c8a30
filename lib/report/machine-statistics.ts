import type { Seconds } from '../core/time.ts';
import type { Window } from '../core/window.ts';
import { MACHINE_EVENTS, type MaskedMachineEvent } from '../tables/machine-events/row.ts';
import type { MaskedMachine } from '../tables/machines/row.ts';
import { type Change, tallyChanges } from './changes.ts';
import { instantsOf, levelsOf } from './levels.ts';

/** Statistics of the physical hosts of a drop, as plain data for JSON. */
export interface MachineStatistics {
  readonly rows: number;
  /** Of those that were there when the window ended. */
  readonly states: {
    readonly enabledUp: number;
    readonly enabledDown: number;
    readonly disabled: number;
    readonly unknown: number;
  };
  /** Deleted in the window. */
  readonly deleted: number;
  /** Of the enabled ones, when the window ended. */
  readonly capacity: { readonly vcpus: number; readonly memoryMb: number; readonly diskGb: number };
  readonly racks: number;
  /** Distance of the instants below; the first is the window's start. */
  readonly instant: Seconds;
  /** At each instant, of the hosts that were enabled. */
  readonly enabled: readonly number[];
  readonly vcpus: readonly number[];
  readonly memoryMb: readonly number[];
  /** Rows by event and how their time is known, in the order in which a host lives; without those of nothing. */
  readonly changes: readonly Change[];
  /** Hosts whose capacity changed. */
  readonly resized: number;
}

export interface MachineCollector {
  addMachine(machine: MaskedMachine): void;
  addEvent(event: MaskedMachineEvent): void;
  finish(): MachineStatistics;
}

/** A host was switched; the times of one host are in order. */
interface Switch {
  readonly time: Seconds;
  readonly isOn: boolean;
}

/** Keeps a host's capacity and its few switches: memory grows with hosts, not with servers or their events. */
export function collectMachines(window: Window): MachineCollector {
  const machines: MaskedMachine[] = [];
  const switches = new Map<string, Switch[]>();
  const resized = new Set<string>();
  const changes = tallyChanges(MACHINE_EVENTS);
  return {
    addMachine: (machine) => void machines.push(machine),
    addEvent({ host, event, basis, time }) {
      changes.add(event, basis);
      if (event === 'UPDATE') resized.add(host);
      if (event !== 'ENABLE' && event !== 'DISABLE') return;
      const known = switches.get(host) ?? [];
      switches.set(host, [...known, { time, isOn: event === 'ENABLE' }]);
    },
    finish() {
      const instants = instantsOf(window);
      const [enabled, vcpus, memoryMb] = [1, 2, 3].map(() => levelsOf(window, instants));
      for (const machine of machines) {
        for (const [from, to] of enabledSpans(machine, switches.get(machine.host) ?? [])) {
          enabled?.add(1, from, to);
          vcpus?.add(machine.capacity.vcpus ?? 0, from, to);
          memoryMb?.add(machine.capacity.memoryMb ?? 0, from, to);
        }
      }
      return {
        rows: machines.length,
        ...statesOf(machines),
        racks: new Set(machines.flatMap(({ rack }) => rack ?? [])).size,
        instant: instants.step,
        enabled: enabled?.values() ?? [],
        vcpus: vcpus?.values() ?? [],
        memoryMb: memoryMb?.values() ?? [],
        changes: changes.list(),
        resized: resized.size,
      };
    },
  };
}

/**
 * The spans in which a host was there and enabled. Its row says how it is after the drop's events; before the first of
 * them it was the opposite of what that one made it. A host that was removed and came back has a row for each life.
 */
function enabledSpans(
  { created, deleted, enabled }: MaskedMachine,
  switches: readonly Switch[],
): [from: Seconds | null, to: Seconds | null][] {
  const inTime = switches
    .filter(({ time }) => time >= (created ?? -Infinity) && time < (deleted ?? Infinity))
    .toSorted((a, b) => a.time - b.time);
  const [first] = inTime;
  let isOn = first === undefined ? enabled === true : !first.isOn;
  let from = created;
  const spans: [Seconds | null, Seconds | null][] = [];
  for (const { time, isOn: next } of inTime) {
    if (isOn) spans.push([from, time]);
    [from, isOn] = [time, next];
  }
  if (isOn) spans.push([from, deleted]);
  return spans;
}

function statesOf(
  machines: readonly MaskedMachine[],
): Pick<MachineStatistics, 'states' | 'deleted' | 'capacity'> {
  const there = machines.filter(({ deleted }) => deleted === null);
  const on = there.filter(({ enabled }) => enabled === true);
  const sum = (of: (machine: MaskedMachine) => number | null): number =>
    on.reduce((total, machine) => total + (of(machine) ?? 0), 0);
  return {
    states: {
      enabledUp: on.filter(({ up }) => up).length,
      enabledDown: on.filter(({ up }) => !up).length,
      disabled: there.filter(({ enabled }) => enabled === false).length,
      unknown: there.filter(({ enabled }) => enabled === null).length,
    },
    deleted: machines.length - there.length,
    capacity: {
      vcpus: sum(({ capacity }) => capacity.vcpus),
      memoryMb: sum(({ capacity }) => capacity.memoryMb),
      diskGb: sum(({ capacity }) => capacity.diskGb),
    },
  };
}
