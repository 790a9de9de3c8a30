import type { Random } from './prng.ts';
import type { Mix } from './random-mix.ts';

export interface EventPlan {
  name: string;
  host: string | null;
  /** The database's clock when the id is given: ids follow it. */
  allocated: number;
  /** The writing conductor's clock, up to 3 s ahead and 2 s behind. */
  start: number;
  /** When the row's transaction is committed. */
  shown: number;
  /** None: never. Two: rewritten. */
  finishes: { time: number; shown: number; result: 'Success' | 'Error' }[];
}

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;
const LATE_WITHIN_SETTLE = 25 * MINUTE;
/** Three conductors, whose clocks are this far from the database's. */
const CONDUCTOR_CLOCKS = [-2, 0, 3];

export function planEvent(
  random: Random,
  name: string,
  host: string | null,
  allocated: number,
  late: number,
): EventPlan {
  const start = Math.floor(allocated + random.pick(CONDUCTOR_CLOCKS));
  const delay = random.chance(late) ? random.between(MINUTE, LATE_WITHIN_SETTLE) : random.between(0, 0.02);
  return { name, host, allocated, start, shown: allocated + delay, finishes: [] };
}

/** Finishes an event that takes `seconds`, unless it is to be one of the odd ones. */
export function vary(random: Random, mix: Mix, event: EventPlan, seconds: number): void {
  if (random.chance(mix.neverFinishes)) return;
  const duration = random.chance(mix.lasting) ? random.between(DAY, 6 * DAY) : seconds;
  const delay = random.chance(mix.lateFinish)
    ? random.between(MINUTE, LATE_WITHIN_SETTLE)
    : random.chance(mix.veryLateFinish)
      ? random.between(HOUR, 20 * HOUR)
      : 0;
  finish(event, duration, random.chance(mix.error) ? 'Error' : 'Success', delay);
}

export function finish(event: EventPlan, seconds: number, result: 'Success' | 'Error', delay = 0): void {
  const time = Math.floor(event.start + seconds);
  const shown = Math.max(event.shown + 0.01, event.allocated + seconds + 0.02 + delay);
  event.finishes.push({ time, shown, result });
}
