import { HOUR, MINUTE, type Seconds } from '../core/time.ts';
import type { Window } from '../core/window.ts';

/** Instants of a window, equally far apart, at which something is measured; the first is the window's start. */
export interface Instants {
  readonly step: Seconds;
  readonly count: number;
}

const STEPS = [1, 2, 5, 10, 15, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE];
const MOST = 300;

/** Every five minutes of a day, and closer where a window is shorter. */
export function instantsOf({ start, end }: Window): Instants {
  const step = STEPS.find((length) => (end - start) / length <= MOST) ?? HOUR;
  return { step, count: Math.ceil((end - start) / step) };
}

/** How much of something there is at each instant; it takes 8 bytes an instant, however much is added. */
export interface Levels {
  /**
   * Counts an amount at each instant in `[from, to)`.
   *
   * @param from null where it is not known: before the window
   * @param to null where it has not ended
   */
  add(amount: number, from: Seconds | null, to: Seconds | null): void;
  values(): number[];
}

export function levelsOf(window: Window, { step, count }: Instants): Levels {
  const changes = new Float64Array(count + 1);
  const instantFrom = (time: Seconds): number =>
    Math.min(count, Math.max(0, Math.ceil((time - window.start) / step)));
  return {
    add(amount, from, to) {
      const [first, last] = [
        from === null ? 0 : instantFrom(from),
        to === null ? count : Math.max(instantFrom(to), from === null ? 0 : instantFrom(from)),
      ];
      changes[first] = (changes[first] ?? 0) + amount;
      changes[last] = (changes[last] ?? 0) - amount;
    },
    values() {
      let level = 0;
      return [...changes.subarray(0, count)].map((change) => (level += change));
    },
  };
}
