import { StoreError, firstLine } from '../core/errors.ts';

/** What every request of the AWS clients takes. */
export interface HowToAsk {
  readonly abortSignal: AbortSignal;
}

type Send<T> = (how: HowToAsk) => Promise<T>;

/**
 * Asks a service of AWS.
 *
 * @param what is asked, for the message of an error: `start the state machine of backfills`
 * @param harmless names of errors that are an answer as well
 * @returns undefined for a harmless error
 * @throws StoreError if the service refuses
 */
export function ask<T>(what: string, signal: AbortSignal, send: Send<T>): Promise<T>;
export function ask<T>(
  what: string,
  signal: AbortSignal,
  send: Send<T>,
  harmless: readonly string[],
): Promise<T | undefined>;
export async function ask<T>(
  what: string,
  signal: AbortSignal,
  send: Send<T>,
  harmless: readonly string[] = [],
): Promise<T | undefined> {
  try {
    return await send({ abortSignal: signal });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Error && harmless.includes(error.name)) return undefined;
    const reason = error instanceof Error ? `${error.name}: ${firstLine(error)}` : String(error);
    throw new StoreError(`could not ${what}: ${reason}`, { cause: error });
  }
}
