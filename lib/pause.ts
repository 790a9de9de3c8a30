import { setTimeout as delay } from 'node:timers/promises';
import type { Seconds } from './time.ts';

/**
 * Waits for so many milliseconds.
 *
 * @throws what aborted `signal`, at once where it has been
 */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(milliseconds, undefined, { signal });
  } catch {
    signal.throwIfAborted();
  }
}

/** Waits for the next second to begin, and gives it. @throws what aborted `signal` */
export async function nextSecond(signal: AbortSignal): Promise<Seconds> {
  const next = Math.floor(Date.now() / 1000) + 1;
  // A timer may fire a little early by the clock of `Date`.
  while (Date.now() < next * 1000) await pause(next * 1000 - Date.now(), signal);
  return next;
}
