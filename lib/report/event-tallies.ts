import type { Seconds } from '../core/time.ts';
import { DURATION_EDGES } from './durations.ts';
import { type Quantiles, quantiles } from './quantiles.ts';
import type { Slots } from './slots.ts';

/** Counts for one event, such as `compute_stop_instance`. */
export interface EventTally {
  readonly event: string | null;
  /** By slot of the window, the rows that finished in it. */
  readonly slots: Uint32Array;
  /** Rows that finished before the window. */
  late: number;
  /** By bin, see `DURATION_EDGES`. */
  readonly durations: Uint32Array;
  longest: Seconds;
  readonly lengths: Quantiles;
  readonly outcomes: Map<string | null, Outcome>;
}

export interface Outcome {
  /** Small whole number for the event together with its result. */
  readonly kind: number;
  rows: number;
}

export interface EventTallies {
  of(event: string | null): EventTally;
  outcomeOf(tally: EventTally, result: string | null): Outcome;
  readonly all: ReadonlyMap<string | null, EventTally>;
}

export function tallyEvents(slots: Slots): EventTallies {
  const all = new Map<string | null, EventTally>();
  let kinds = 0;
  return {
    all,
    of(event) {
      let tally = all.get(event);
      if (tally === undefined) {
        tally = {
          event,
          slots: new Uint32Array(slots.count),
          late: 0,
          durations: new Uint32Array(DURATION_EDGES.length),
          longest: 0,
          lengths: quantiles(),
          outcomes: new Map(),
        };
        all.set(event, tally);
      }
      return tally;
    },
    outcomeOf({ outcomes }, result) {
      let outcome = outcomes.get(result);
      if (outcome === undefined) outcomes.set(result, (outcome = { kind: kinds++, rows: 0 }));
      return outcome;
    },
  };
}
