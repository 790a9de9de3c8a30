import { SourceError, StoreError } from '../core/errors.ts';
import { pause } from '../core/pause.ts';
import type { Invocation } from './invocation.ts';

/** A lost connection is tried again this often before the run fails. */
const ATTEMPTS = 3;

/** Data objects that another run changed while this one wrote them. */
export class ObjectsChangedError extends StoreError {}

/**
 * Reads, and tries again if that failed for a transient reason.
 *
 * @throws SourceError the last one
 */
export async function readAgain<T>(
  { log, signal }: Pick<Invocation, 'log' | 'signal'>,
  read: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await read();
    } catch (error) {
      const mayHelp =
        error instanceof ObjectsChangedError || (error instanceof SourceError && error.transient);
      if (!mayHelp || attempt === ATTEMPTS) throw error;
      log('reading again', { attempt, reason: error.message });
      await pause(attempt * attempt * (500 + Math.random() * 1000), signal);
    }
  }
}
