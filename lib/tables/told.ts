import type { Seconds } from '../core/time.ts';

/**
 * How an event's time is known. `recorded`: it stands somewhere, to a few seconds. `bounded`: the event lies between
 * `notBefore` and its time. `assumed`: it follows from something else, such as a plan. `opening`: no event, but what
 * existed when the trace began.
 */
export type Basis = 'recorded' | 'bounded' | 'assumed' | 'opening';

/** When something happened that was found by comparing two reads. */
export interface Told {
  readonly time: Seconds;
  /** Of a bounded one. */
  readonly notBefore: Seconds | null;
  readonly basis: Basis;
  /** Lies in the window that the row belongs to. */
  readonly belongs: Seconds;
}
