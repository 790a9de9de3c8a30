import { SourceError } from '../../core/errors.ts';
import { pause } from '../../core/pause.ts';

/** An answer that may be another one next time. */
export class TransientAnswer extends SourceError {
  /** What the server asked for. */
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, retryAfterSeconds: number | undefined, status?: number) {
    super(message, {
      transient: true,
      ...(status === undefined ? {} : { cause: new Error(String(status)) }),
    });
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** With one request of eight failing, one of twenty million fails this often in a row. */
const ATTEMPTS = 8;
const FIRST_DELAY = 0.25;
/** No invocation lasts as long; and timers of Node's cannot wait for more than 24 days. */
const LONGEST_ASKED = 3600;

const LONGEST_DELAY = 20;

/** Errors after which nobody is to try again, though their reason may pass. */
const exhausted = new WeakSet<Error>();

/** Has an error end all tries, although its reason may pass: what has never answered is more likely named wrongly. */
export function isLast<E extends SourceError>(error: E): E {
  exhausted.add(error);
  return error;
}

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
      if (!(error instanceof SourceError && error.transient) || exhausted.has(error)) throw error;
      if (tries === ATTEMPTS) {
        const message = `${error.message}, ${tries} times in a row`;
        throw isLast(new SourceError(message, { transient: true, cause: error }));
      }
      const backOff = Math.random() * Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** (tries - 1));
      const asked = error instanceof TransientAnswer ? (error.retryAfterSeconds ?? 0) : 0;
      // Beyond what was asked for, so that those who were refused together do not come back together.
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
