import type { Seconds } from '../../core/time.ts';
import type { Masked } from '../table.ts';

/** Who has a lease. */
export interface LeaseName {
  readonly id: string;
  readonly userId: string | null;
  readonly projectId: string | null;
}

/** A reserved host by both of its names: that of its service, and that of its hypervisor, a node's uuid on bare metal. */
export interface LeaseHost {
  readonly host: string | null;
  readonly node: string | null;
}

/** In which state events leave a lease; Blazar has passing ones in between. */
export type LeaseStatus = 'PENDING' | 'ACTIVE' | 'TERMINATED' | 'ERROR' | 'DELETED';

/** When a lease is to begin and to end: a plan, to the minute. */
export interface LeasePlan {
  readonly start: Seconds;
  readonly end: Seconds;
}

/** A lease that existed in a window, in the state to which the window's events lead. */
export interface Lease extends LeaseName, LeasePlan {
  readonly created: Seconds | null;
  /** When it really began and ended; null where it has not, or nobody saw it. */
  readonly started: Seconds | null;
  readonly ended: Seconds | null;
  readonly deleted: Seconds | null;
  readonly status: LeaseStatus;
  /** As of the last read before it ended; null where there was none. */
  readonly nodeCount: number | null;
  readonly hosts: readonly LeaseHost[];
  /** Where the row goes in its file. */
  readonly place: number;
}

export interface MaskedLease extends LeasePlan {
  readonly id: Masked;
  readonly userId: Masked | null;
  readonly projectId: Masked | null;
  readonly created: Seconds | null;
  readonly started: Seconds | null;
  readonly ended: Seconds | null;
  readonly deleted: Seconds | null;
  readonly status: LeaseStatus;
  readonly nodeCount: number | null;
  readonly hosts: readonly Masked[];
}
