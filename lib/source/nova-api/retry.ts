import { SourceError } from '../../core/errors.ts';
import { pause } from '../../core/pause.ts';

/** An answer that may be different next time. */
export class TransientAnswer extends SourceError {
  /** The delay that the server requested. */
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, retryAfterSeconds: number | undefined, status?: number) {
    super(message, {
      transient: true,
      ...(status === undefined ? {} : { cause: new Error(String(status)) }),
    });
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** If one request of eight fails, one of twenty million fails this often in a row. */
const ATTEMPTS = 8;
const FIRST_DELAY = 0.25;
/** Longer than any invocation. Node's timers cannot wait for more than 24 days. */
const LONGEST_ASKED = 3600;

const LONGEST_DELAY = 20;

/** Transient errors that must not be tried again. */
const exhausted = new WeakSet<Error>();

/** Makes a transient error final: a server that has never answered probably has a wrong name. */
export function isLast<E extends SourceError>(error: E): E {
  exhausted.add(error);
  return error;
}

/**
 * Repeats a task that failed for a transient reason, after a random share of a doubling delay ("full jitter") and not
 * before the server's Retry-After has passed. The deadline of `signal` ends the waiting.
 *
 * @throws SourceError the last one, with the number of tries
 */
export async function withRetries<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof SourceError && error.transient) || exhausted.has(error)) throw error;
      if (tries === ATTEMPTS) {
        const message = `${error.message}, ${tries} times in a row`;
        throw isLast(new SourceError(message, { transient: true, cause: error }));
      }
      const backOff = Math.random() * Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** (tries - 1));
      const asked = error instanceof TransientAnswer ? (error.retryAfterSeconds ?? 0) : 0;
      // In addition to the requested delay, so that requests that were refused together do not return together.
      await pause((asked + backOff) * 1000, signal);
    }
  }
}

/** Retry-After in seconds: a number of them, or a date (RFC 9110, 10.2.3). */
export function retryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const seconds = /^\d{1,9}$/.test(header.trim()) ? Number(header) : (Date.parse(header) - now) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.min(LONGEST_ASKED, Math.max(0, seconds));
}
