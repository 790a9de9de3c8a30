import type { LeaseHost, LeaseName, LeasePlan, LeaseStatus } from '../leases/row.ts';
import type { Masked } from '../table.ts';
import type { Told } from '../told.ts';

/** In the order in which events of one second are written. */
export const LEASE_EVENTS = ['CREATE', 'UPDATE', 'START', 'DEGRADE', 'ERROR', 'END', 'DELETE'] as const;
export type LeaseEventName = (typeof LEASE_EVENTS)[number];

/** What a lease reserves, as far as it is told. */
export interface Reservation {
  readonly id: string;
  /** Such as `physical:host`; null for kinds that this tool does not know. */
  readonly type: string | null;
  readonly min: number | null;
  readonly max: number | null;
  /** The text of a JSON object: what was asked for. */
  readonly properties: string | null;
  readonly hosts: readonly LeaseHost[];
  /** Hosts at the last read before the lease ended; null where there was none. */
  readonly nodeCount: number | null;
}

export type ReservationStatus = 'pending' | 'active' | 'error' | 'deleted';

/** One event of a lease and one of its reservations, and the state after the event. */
export interface LeaseEvent extends LeaseName, LeasePlan, Told {
  readonly event: LeaseEventName;
  readonly status: LeaseStatus;
  /** Null for a lease without any. */
  readonly reservation: Reservation | null;
  readonly reservationStatus: ReservationStatus;
}

export interface MaskedLeaseEvent extends LeasePlan, Omit<Told, 'belongs'> {
  readonly id: Masked;
  readonly userId: Masked | null;
  readonly projectId: Masked | null;
  readonly event: LeaseEventName;
  readonly status: LeaseStatus;
  readonly reservationId: Masked | null;
  readonly reservationStatus: ReservationStatus | null;
  readonly type: string | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly properties: string | null;
  readonly hosts: readonly Masked[];
  readonly nodeCount: number | null;
}
