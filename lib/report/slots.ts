import { HOUR, MINUTE, type Seconds } from '../core/time.ts';
import type { Window } from '../core/window.ts';

/** A window cut into equal parts, which a chart shows side by side; the last may be shorter. */
export interface Slots {
  /** Length of a slot. */
  readonly step: Seconds;
  readonly count: number;
}

const STEPS = [HOUR, 30 * MINUTE, 15 * MINUTE, 10 * MINUTE, 5 * MINUTE, 2 * MINUTE, MINUTE, 30, 10, 5, 1];
const FEWEST = 12;

/** Hours for a day; for a shorter window the longest step that gives at least twelve slots. */
export function slotsOf({ start, end }: Window): Slots {
  const step = STEPS.find((length) => (end - start) / length >= FEWEST) ?? 1;
  return { step, count: Math.ceil((end - start) / step) };
}
