import { setTimeout as delay } from 'node:timers/promises';
import { SourceError } from '../../errors.ts';

/** An answer that may be another one next time. */
export class TransientAnswer extends SourceError {
  /** What the server asked for. */
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, retryAfterSeconds: number | undefined) {
    super(message, { transient: true });
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** With one request of eight failing, one of twenty million fails this often in a row. */
const ATTEMPTS = 8;
const FIRST_DELAY = 0.25;
const LONGEST_DELAY = 20;

/**
 * Tries again what failed for a transient reason, after a random share of a doubling delay ("full jitter"), and not
 * before the server's Retry-After is over. The deadline of `signal` ends the waiting.
 *
 * @throws SourceError the last one, saying how often it was tried
 */
export async function withRetries<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof SourceError && error.transient)) throw error;
      if (tries === ATTEMPTS) {
        throw new SourceError(`${error.message}, ${tries} times in a row`, { transient: true, cause: error });
      }
      const backOff = Math.random() * Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** (tries - 1));
      const asked = error instanceof TransientAnswer ? (error.retryAfterSeconds ?? 0) : 0;
      // Beyond what was asked for, so that those who were refused together do not come back together.
      await pause(asked + backOff, signal);
    }
  }
}

async function pause(seconds: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(seconds * 1000, undefined, { signal });
  } catch {
    signal.throwIfAborted();
  }
}

/** Retry-After in seconds: a number of them, or a date (RFC 9110, 10.2.3). */
export function retryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,6}$/.test(header.trim())) return Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - now) / 1000);
}
