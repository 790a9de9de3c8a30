import type { Seconds } from '../../core/time.ts';
import type { MachineEvent, MachineEventName } from '../../tables/machine-events/row.ts';
import type { Capacity, MachineName } from '../../tables/machines/row.ts';
import type { Basis, Told } from '../../tables/told.ts';
import { tellTimes } from '../telling-times.ts';
import type { CompareRequest } from './request.ts';
import type { FoundMachine } from './found.ts';
import type { KnownMachine } from './state.ts';

/** Makes the events of one machine. */
export interface Tell {
  recorded(event: MachineEventName, capacity: Capacity, time: Seconds, basis?: Basis): void;
  /** What goes with an event of which no time is recorded. */
  assumed(event: MachineEventName, capacity: Capacity, time: Seconds): void;
  /** @returns false where nothing may be told of which no time is recorded */
  bounded(event: MachineEventName, capacity: Capacity, time: Seconds, notBefore: Seconds): boolean;
}

export interface Telling {
  of(name: MachineName): Tell;
  /** Tells what existed when the trace began: no events, but what later ones need. */
  open(machine: FoundMachine, known: KnownMachine): void;
  readonly events: readonly MachineEvent[];
  /** Recorded before the window, and not told of then. */
  readonly late: () => number;
  readonly beforeBegin: () => number;
}

export function openTelling({
  before,
  window,
  begin,
  bounds,
}: Pick<CompareRequest, 'before' | 'window' | 'begin' | 'bounds'>): Telling {
  const events: MachineEvent[] = [];
  const times = tellTimes({ continues: before !== undefined, window, begin, bounds });
  const add = (
    { host, node, rack }: MachineName,
    event: MachineEventName,
    capacity: Capacity,
    told: Told | undefined,
  ): boolean => {
    if (told !== undefined)
      events.push({ host, node, ...(rack === undefined ? {} : { rack }), event, capacity, ...told });
    return told !== undefined;
  };
  return {
    of: (name) => ({
      recorded(event, capacity, time, basis) {
        add(name, event, capacity, times.recorded(time, basis));
      },
      assumed(event, capacity, time) {
        add(name, event, capacity, times.assumed(time));
      },
      bounded: (event, capacity, time, notBefore) =>
        add(name, event, capacity, times.bounded(time, notBefore)),
    }),
    open(machine, { created, capacity, enabled }) {
      const time = created ?? window.start;
      add(machine, 'CREATE', capacity, times.opening(time));
      const isTold = enabled === true && machine.enabled !== null;
      add(machine, 'ENABLE', capacity, isTold ? times.opening(time) : times.assumed(time));
      if (enabled !== false) return;
      const disabled = machine.disabledAt ?? machine.switchedAt;
      const isKnown = disabled !== null && disabled >= time && disabled < window.start;
      add(machine, 'DISABLE', capacity, times.opening(isKnown ? disabled : time));
    },
    events,
    late: times.late,
    beforeBegin: times.beforeBegin,
  };
}
