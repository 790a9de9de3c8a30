import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for a condition; how long is for the test's own timeout to say, for a busy machine takes its time. */
export async function until(condition: () => boolean | Promise<boolean>, everyMs = 5): Promise<void> {
  while (!(await condition())) await sleep(everyMs);
}
