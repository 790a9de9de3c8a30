import type { Seconds } from '../../core/time.ts';
import type { Masked } from '../table.ts';

/** What a physical host has to give; null where its source does not tell. */
export interface Capacity {
  readonly vcpus: number | null;
  readonly memoryMb: number | null;
  readonly diskGb: number | null;
  /** Of bare metal, the configured properties: the text of a JSON object in their order. Undefined for other hosts. */
  readonly properties?: string;
}

/** What names a physical host. */
export interface MachineName {
  /** As events of servers name it. */
  readonly host: string;
  /** The hypervisor's own name, which tells the rack of a VM cloud's host. */
  readonly node: string | null;
  /** Of bare metal, what is recorded as its rack. Undefined for other hosts. */
  readonly rack?: string | null;
}

/** A physical host that existed in a window, in the state to which the window's events lead. */
export interface Machine extends MachineName {
  readonly created: Seconds | null;
  /** Only if it was deleted before the window's end. */
  readonly deleted: Seconds | null;
  readonly capacity: Capacity;
  readonly enabled: boolean | null;
  /** Whether it reported within the last minute when it was read, and was not forced down. */
  readonly up: boolean;
  /** Where the row goes in its file. */
  readonly place: number;
}

export interface MaskedMachine {
  readonly host: Masked;
  readonly rack: Masked | null;
  readonly created: Seconds | null;
  readonly deleted: Seconds | null;
  readonly capacity: Capacity;
  readonly enabled: boolean | null;
  readonly up: boolean;
}
