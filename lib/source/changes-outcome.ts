import type { Seconds } from '../core/time.ts';
import { NO_COUNTS, type Outcome, type SourceState } from './source.ts';

/** What a comparison of two reads counts. */
export interface ComparedCounts {
  readonly late: number;
  readonly beforeBegin: number;
  readonly vanished: number;
}

interface At {
  readonly at: Seconds;
}

/** The outcome of a table whose events are what two reads differ in. @param before the read before; undefined at first */
export function changesOutcome(
  { late, beforeBegin, vanished }: ComparedCounts,
  state: SourceState,
  read: At,
  before: At | undefined,
): Outcome {
  return {
    state,
    counts: { ...NO_COUNTS, late, beforeBegin, skipped: vanished === 0 ? {} : { vanished } },
    sourceFrom: null,
    reading: {
      reads: 1,
      longestGapSeconds: before === undefined ? null : Math.max(0, read.at - before.at),
    },
  };
}
