import { once } from 'node:events';
import type { Transform } from 'node:stream';
import type { ObjectSummary, OpenObject } from './store.ts';

/** How a store takes what a compressor makes. */
export interface Sending {
  /** Takes all that the compressor makes, and makes the object visible when that has ended. */
  readonly send: () => Promise<ObjectSummary>;
  /** Whether an error says that the object was not what was expected. */
  readonly isLost: (error: unknown) => boolean;
  /** What to tell of any other error. */
  readonly toError: (error: unknown) => Error;
}

/** An object that is sent to a store while it is made. */
export function openStreamed(
  compressor: Transform,
  { send, isLost, toError }: Sending,
  signal: AbortSignal,
): OpenObject {
  const sending = send();
  // It may fail while nobody waits for it; the next write, or finish, reports it.
  sending.catch(() => undefined);

  return {
    async write(piece) {
      if (compressor.write(piece)) return;
      try {
        await Promise.race([once(compressor, 'drain', { signal }), sending]);
      } catch (error) {
        // A failing upload takes the compressor along, which then tells first, and not why.
        const why = signal.aborted
          ? error
          : await sending.then(
              () => error,
              (reason: unknown) => reason,
            );
        throw toError(why);
      }
    },
    async finish() {
      compressor.end();
      try {
        return await sending;
      } catch (error) {
        if (isLost(error)) return undefined;
        throw toError(error);
      }
    },
    async abort() {
      compressor.destroy();
      await sending.catch(() => undefined);
    },
  };
}
