import type { Seconds } from '../../core/time.ts';
import type { Capacity, MachineName } from '../machines/row.ts';
import type { Masked } from '../table.ts';
import type { Basis, Told } from '../told.ts';

/** In the order in which events of one second are written. */
export const MACHINE_EVENTS = ['CREATE', 'ENABLE', 'UPDATE', 'DISABLE', 'DELETE'] as const;
export type MachineEventName = (typeof MACHINE_EVENTS)[number];

export interface MachineEvent extends MachineName, Told {
  readonly event: MachineEventName;
  /** After the event; of a DELETE, the last that was known. */
  readonly capacity: Capacity;
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
