import { PassThrough, type Transform } from 'node:stream';
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

/** An object that is sent to a store while it is made. An abort of the signal is thrown as an AbortError. */
export function openStreamed(
  compressor: Transform,
  { send, isLost, toError }: Sending,
  signal: AbortSignal,
): OpenObject {
  const sending = send();
  /** Ends the wait for the compressor. */
  let giveUp: (error: unknown) => void = () => undefined;
  // It may fail while nobody waits for it; the next write, or finish, reports it.
  sending.catch((error: unknown) => giveUp(error));
  const onAbort = (): void => giveUp(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });

  /** Returns once the compressor has taken the bytes. */
  const hand = async (bytes: Uint8Array | string): Promise<void> => {
    const taken = Promise.withResolvers<void>();
    giveUp = taken.reject;
    compressor.write(bytes, (error) => (error ? taken.reject(error) : taken.resolve()));
    try {
      await taken.promise;
    } catch (error) {
      if (signal.aborted) throw new DOMException('The operation was aborted', 'AbortError');
      // A failing upload takes the compressor along, which then tells first, and not why.
      throw await sending.then(
        () => error,
        (reason: unknown) => reason,
      );
    }
  };
  // A PassThrough keeps the bytes until they are sent, so their buffer could not be used again.
  const text = compressor instanceof PassThrough ? undefined : gatherText(hand);
  const put = async (piece: string | Uint8Array): Promise<void> => {
    if (typeof piece === 'string' && text !== undefined) return text.add(piece);
    await text?.flush();
    await hand(piece);
  };

  return {
    async write(piece) {
      try {
        await put(piece);
      } catch (error) {
        throw toError(error);
      }
    },
    async finish() {
      try {
        await text?.flush();
        compressor.end();
        return await sending;
      } catch (error) {
        if (isLost(error)) return undefined;
        throw toError(error);
      } finally {
        signal.removeEventListener('abort', onAbort);
      }
    },
    async abort() {
      signal.removeEventListener('abort', onAbort);
      compressor.destroy();
      await sending.catch(() => undefined);
    },
  };
}

/**
 * To hand a piece to the compressor's thread, and to hear of its end, costs as much as to compress some 20 KB. So text is
 * handed over in pieces of this size, from two buffers in turn.
 */
const BUFFER_BYTES = 512 * 1024;

/** A UTF-16 unit takes three bytes of UTF-8 at the most. */
const MOST_BYTES_OF_UNIT = 3;

/** @param hand returns once the bytes may be overwritten */
function gatherText(hand: (bytes: Uint8Array) => Promise<void>) {
  let [filling, other] = [Buffer.allocUnsafeSlow(BUFFER_BYTES), Buffer.allocUnsafeSlow(BUFFER_BYTES)];
  let filled = 0;
  let handing = Promise.resolve();

  const begin = async (): Promise<void> => {
    await handing;
    handing = hand(filling.subarray(0, filled));
    // The next call that waits for it throws its error.
    handing.catch(() => undefined);
    [filling, other] = [other, filling];
    filled = 0;
  };
  const flush = async (): Promise<void> => {
    if (filled > 0) await begin();
    await handing;
  };
  return {
    async add(piece: string): Promise<void> {
      const most = piece.length * MOST_BYTES_OF_UNIT;
      if (filled + most > BUFFER_BYTES && filled > 0) await begin();
      if (most > BUFFER_BYTES) {
        await flush();
        await hand(Buffer.from(piece));
      } else filled += filling.write(piece, filled);
    },
    flush,
  };
}
