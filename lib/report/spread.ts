import type { Seconds } from '../core/time.ts';
import { DURATION_EDGES, durationBin } from './durations.ts';
import { durationText } from './text.ts';

/** Durations, as charts and sentences tell them. */
export interface Spread {
  readonly rows: number;
  /** By bin, see `DURATION_EDGES`. */
  readonly durations: readonly number[];
  /** Half of all took no longer. */
  readonly half: Seconds;
  /** 95 % took no longer. */
  readonly most: Seconds;
  readonly longest: Seconds;
}

/** Of all durations, none rounded: for the few of which all are kept. */
export function spreadOf(all: readonly Seconds[]): Spread {
  const sorted = all.toSorted((a, b) => a - b);
  const durations = DURATION_EDGES.map(() => 0);
  for (const one of sorted) durations[durationBin(one)] = (durations[durationBin(one)] ?? 0) + 1;
  const within = (share: number): Seconds => sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
  return { rows: sorted.length, durations, half: within(0.5), most: within(0.95), longest: within(1) };
}

/** `half within 12 s, 95 % within 40 s, longest 3 min`, or less where that says it all. */
export function spreadText({ rows, half, most, longest }: Spread): string {
  if (rows === 1) return `took ${durationText(longest)}`;
  if (longest === 0) return 'all within a second';
  if (half === longest) return `all within ${durationText(longest)}`;
  const within = (seconds: Seconds): string => (seconds === 0 ? 'a second' : durationText(seconds));
  const parts =
    most === half ? `95% within ${within(most)}` : `half within ${within(half)}, 95% within ${within(most)}`;
  return `${parts}, longest ${durationText(longest)}`;
}
