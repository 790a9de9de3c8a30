import { writeSync } from 'node:fs';
import { perform } from './perform.ts';
import { type Schedule, type ScheduleOptions, planSchedule } from './schedule.ts';
import { createTally } from './tally.ts';
import type { World } from './world.ts';

/** The first seed; schedule number n has the n-th from there on. */
export const SEED = Number(process.env['TEST_SEED'] ?? Math.floor(Date.now() / 1000) % 1e6);
const TOTAL = Number(process.env['TEST_SCHEDULES'] ?? 300);

/** Of the schedules of a whole run so many, at least one. */
export function share(part: number): number {
  return Math.max(1, Math.ceil(TOTAL * part));
}

export interface Suite extends ScheduleOptions {
  readonly title: string;
  readonly count: number;
  readonly seed?: number;
  readonly prepare?: (schedule: Schedule) => Promise<void>;
  /** Off in `npm test`. */
  readonly prints?: boolean;
}

/** Performs schedules one after the other; gives what did not hold, by seed. */
export async function performAll(world: World, suite: Suite): Promise<string[]> {
  const { title, count, seed = SEED, prints = true, prepare } = suite;
  const tally = createTally();
  const wrong: string[] = [];
  for (let nth = 0; nth < count; nth++) {
    const schedule = planSchedule(seed + nth, suite);
    const options = prepare === undefined ? {} : { prepare };
    const found = await perform(world, schedule, tally, options).catch((error: unknown) => [
      `the schedule broke off: ${error instanceof Error ? error.stack : String(error)}`,
    ]);
    for (const line of found) wrong.push(`seed ${schedule.seed}: ${line}`);
    if (prints && found.length > 0) say(`${found.join('\n')}\n${describe(schedule)}`);
  }
  if (tally.faults() < count / 2) wrong.push(`only ${tally.faults()} faults were met`);
  if (prints) say(tally.text(`${title} (seed ${seed})`));
  return wrong;
}

function describe({ seed, windowMinutes, formats, skew, runs }: Schedule): string {
  return `seed ${seed}: ${JSON.stringify({ windowMinutes, formats, skew, runs })}`;
}

/** At once, and past what vitest collects. */
function say(text: string): void {
  writeSync(1, `\n${text}\n`);
}
