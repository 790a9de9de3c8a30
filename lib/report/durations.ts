import { DAY, HOUR, MINUTE, type Seconds } from '../core/time.ts';

const SECOND = 1;

/**
 * Where the bins of durations and lifetimes begin; each ends where the next begins, the last has no end. Log-spaced, a factor of 2 to
 * 3 apart, at familiar lengths of time. The first holds only 0 s, which is common, because Nova keeps whole seconds.
 */
export const DURATION_EDGES: readonly Seconds[] = [
  0,
  ...[1, 2, 5, 10, 20].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 20].map((n) => n * MINUTE),
  ...[1, 2, 5, 10].map((n) => n * HOUR),
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].map((n) => n * DAY),
];

/** Nearly all events are shorter than an hour; for those, one lookup finds the bin. */
const SHORT = Uint8Array.from({ length: HOUR }, (_, seconds) => search(seconds));

/** The bin of a duration. A negative one, from clocks that disagree, counts as 0 s. */
export function durationBin(seconds: Seconds): number {
  if (seconds <= 0) return 0;
  return SHORT[seconds] ?? search(seconds);
}

function search(seconds: Seconds): number {
  let bin = DURATION_EDGES.length - 1;
  while (bin > 0 && (DURATION_EDGES[bin] ?? 0) > seconds) bin--;
  return bin;
}
