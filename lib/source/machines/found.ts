import type { Seconds } from '../../core/time.ts';
import type { Capacity, MachineName } from '../../tables/machines/row.ts';

/** A physical host as one read found it, whatever the source. Times that the source does not tell are null. */
export interface FoundMachine extends MachineName {
  /** What the source calls it for good, such as `cell1/12`; no name that people gave it. */
  readonly key: string;
  /** What stays when a hypervisor is renamed: of two machines with the same, one may have become the other. */
  readonly slot: string | null;
  readonly created: Seconds | null;
  readonly deleted: Seconds | null;
  /** Whether one that was created later is another machine, though it has the same key. */
  readonly renews?: true;
  /** Whether another service noticed the deletion: earlier than the last read, that was another one. */
  readonly noticed?: true;
  readonly capacity: Capacity;
  /** When the capacity was recorded to have changed last. */
  readonly capacityAt: Seconds | null;
  /** What moves `capacityAt` as well: where it differs, that time is a bound only. */
  readonly alike: string | null;
  /** The capacity has not changed since; null: that is not known. Undefined where `capacityAt` tells it. */
  readonly capacityBy?: Seconds | null;
  /** Nothing of the machine has changed since. */
  readonly changedBy: Seconds | null;
  /** It was not enabled or disabled since; null where nothing tells. */
  readonly switchedBy?: Seconds | null;
  /** Null where nothing tells, as of one that is deleted. */
  readonly enabled: boolean | null;
  /** Since when it has been disabled, recorded. */
  readonly disabledAt: Seconds | null;
  /** When it was enabled or disabled last, recorded in another way. */
  readonly switchedAt: Seconds | null;
  readonly up: boolean;
}

/** What one read found: all machines at hand, and those deleted that the source still tells of. */
export interface MachinesRead {
  /** By the source's clock. */
  readonly at: Seconds;
  readonly machines: readonly FoundMachine[];
  /** By key, names that another service still knows of machines that are gone. */
  readonly names?: ReadonlyMap<string, MachineName>;
  /** Whether machines may be missing because a part of the cloud did not answer. */
  readonly partial: boolean;
  /** What was read, such as the names of cells: without one of them its machines would seem to be gone. */
  readonly parts: readonly string[];
}
