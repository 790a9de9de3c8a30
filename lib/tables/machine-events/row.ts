import type { Seconds } from '../../core/time.ts';
import type { Capacity, MachineName } from '../machines/row.ts';
import type { Masked } from '../table.ts';

/** In the order in which events of one second are written. */
export const MACHINE_EVENTS = ['CREATE', 'ENABLE', 'UPDATE', 'DISABLE', 'DELETE'] as const;
export type MachineEventName = (typeof MACHINE_EVENTS)[number];

/**
 * How an event's time is known. `recorded`: it stands somewhere, to a few seconds. `bounded`: the event lies between
 * `notBefore` and its time. `assumed`: a new host starts enabled. `opening`: no event, but what existed when the trace
 * began.
 */
export type Basis = 'recorded' | 'bounded' | 'assumed' | 'opening';

export interface MachineEvent extends MachineName {
  readonly event: MachineEventName;
  readonly time: Seconds;
  readonly notBefore: Seconds | null;
  readonly basis: Basis;
  /** After the event; of a DELETE, the last that was known. */
  readonly capacity: Capacity;
  /** Lies in the window that the row belongs to. */
  readonly belongs: Seconds;
}

export interface MaskedMachineEvent {
  readonly host: Masked;
  readonly rack: Masked | null;
  readonly event: MachineEventName;
  readonly time: Seconds;
  readonly notBefore: Seconds | null;
  readonly basis: Basis;
  readonly capacity: Capacity;
}
