import { setTimeout as delay } from 'node:timers/promises';

/**
 * Waits for so many milliseconds.
 *
 * @throws the reason of `signal`, at once if it is aborted already
 */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(milliseconds, undefined, { signal });
  } catch {
    signal.throwIfAborted();
  }
}
