import type { Seconds } from '../../core/time.ts';
import type { Masked } from '../table.ts';

/** A server as the cloud knows it when it is read; sizes are its present flavour's, also in rows of its past. */
export interface Instance {
  readonly uuid: string;
  readonly hostname: string | null;
  readonly userId: string | null;
  readonly projectId: string | null;
  /** The compute where it is now, or was when it was deleted. */
  readonly host: string | null;
  /** The hypervisor's own name: for bare metal, the machine. */
  readonly node: string | null;
  readonly memoryMb: number | null;
  readonly rootGb: number | null;
  readonly vcpus: number | null;
}

/** One finished instance action event. Events of one instance share the object that describes it. */
export interface TraceEvent {
  readonly instance: Instance;
  readonly event: string | null;
  readonly start: Seconds;
  readonly finish: Seconds;
  readonly result: string | null;
  /** Where the event was recorded: a compute, or a controller; absent before Rocky. */
  readonly host: string | null;
}

export interface MaskedInstance {
  readonly uuid: Masked;
  readonly hostname: Masked | null;
  readonly userId: Masked | null;
  readonly projectId: Masked | null;
  readonly memoryMb: number | null;
  readonly rootGb: number | null;
  readonly vcpus: number | null;
}

export interface MaskedEvent {
  readonly instance: MaskedInstance;
  readonly event: string | null;
  readonly start: Seconds;
  readonly finish: Seconds;
  readonly result: string | null;
  readonly host: Masked | null;
}
