import { setTimeout as delay } from 'node:timers/promises';

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
