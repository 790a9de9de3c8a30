import type { Seconds } from '../../core/time.ts';
import type { Reservation } from '../../tables/lease-events/row.ts';
import type { LeaseHost, LeaseName, LeasePlan } from '../../tables/leases/row.ts';

/** When something is recorded to have happened; `assumed` where only a plan tells, for the record is overwritten. */
export interface Happened {
  readonly time: Seconds;
  readonly assumed: boolean;
}

/** A reservation as one read found it. */
export interface FoundReservation extends Omit<Reservation, 'nodeCount'> {
  readonly hosts: readonly LeaseHost[];
}

/** A lease as one read found it, whatever the source. Times that the source does not tell are null. */
export interface FoundLease extends LeaseName, LeasePlan {
  readonly created: Seconds | null;
  /** Nothing of the lease itself has changed since. */
  readonly updated: Seconds | null;
  /** Where deleted leases are kept. */
  readonly deleted: Seconds | null;
  /**
   * `made`: it is being made, and may be withdrawn. `passing`: it is on its way to another state, so its plan and hosts
   * are looked at the next time. `deleting`: it will be gone.
   */
  readonly phase: 'made' | 'passing' | 'deleting' | 'settled';
  readonly started: Happened | null;
  readonly ended: Happened | null;
  /** Null for one that has not failed. */
  readonly failed: { readonly time: Seconds | null } | null;
  /** When the plan was set, as far as it is recorded: its start, its end. */
  readonly startSet: Seconds | null;
  readonly endSet: Seconds | null;
  /** When hosts were given last. */
  readonly hostsSet: Seconds | null;
  /** Whether the source does not show its hosts, although it may have some. */
  readonly hidesHosts?: boolean;
  readonly degraded: boolean;
  /** It was degraded by then. */
  readonly degradedBy: Seconds | null;
  readonly reservations: readonly FoundReservation[];
}

export interface LeasesRead {
  /** By the source's clock. */
  readonly at: Seconds;
  readonly leases: readonly FoundLease[];
}
