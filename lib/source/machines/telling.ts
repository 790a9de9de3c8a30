import type { Seconds } from '../../core/time.ts';
import type { Basis, MachineEvent, MachineEventName } from '../../tables/machine-events/row.ts';
import type { Capacity, MachineName } from '../../tables/machines/row.ts';
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
  let [late, beforeBegin] = [0, 0];
  const add = (
    { host, node }: MachineName,
    event: Omit<MachineEvent, 'host' | 'node' | 'belongs'>,
    belongs = window.start,
  ): void => {
    events.push({ host, node, ...event, belongs });
  };
  return {
    of: (name) => ({
      recorded(event, capacity, time, basis = 'recorded') {
        if (before !== undefined && time < begin) {
          beforeBegin++;
          return;
        }
        if (before !== undefined && time < window.start) late++;
        add(name, { event, capacity, time, notBefore: null, basis }, time);
      },
      assumed(event, capacity, time) {
        add(name, { event, capacity, time, notBefore: null, basis: 'assumed' });
      },
      bounded(event, capacity, time, notBefore) {
        if (!bounds) return false;
        add(name, { event, capacity, time: Math.max(time, notBefore), notBefore, basis: 'bounded' });
        return true;
      },
    }),
    open(machine, { created, capacity, enabled }) {
      const time = created ?? window.start;
      const opening = { capacity, notBefore: null, basis: 'opening' } as const;
      add(machine, { ...opening, event: 'CREATE', time });
      const isTold = enabled === true && machine.enabled !== null;
      add(machine, { ...opening, event: 'ENABLE', time, ...(isTold ? {} : { basis: 'assumed' }) });
      if (enabled !== false) return;
      const disabled = machine.disabledAt ?? machine.switchedAt;
      const isKnown = disabled !== null && disabled >= time && disabled < window.start;
      add(machine, { ...opening, event: 'DISABLE', time: isKnown ? disabled : time });
    },
    events,
    late: () => late,
    beforeBegin: () => beforeBegin,
  };
}
