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

/** An object that is sent to a store while it is made. */
export function openStreamed(
  compressor: Transform,
  { send, isLost, toError }: Sending,
  signal: AbortSignal,
): OpenObject {
  const sending = send();
  // It may fail while nobody waits for it; the next write, or finish, reports it.
  sending.catch(() => undefined);

  /** Returns once the compressor has taken the bytes. */
  const hand = async (bytes: Uint8Array | string): Promise<void> => {
    const taking = new Promise<void>((resolve, reject) => {
      compressor.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
    try {
      await Promise.race([taking, sending]);
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
  };
  // What passes through is not taken when it was handed over: it waits to be sent.
  const text = compressor instanceof PassThrough ? undefined : gatherText(hand);

  return {
    async write(piece) {
      if (typeof piece === 'string' && text !== undefined) return text.add(piece);
      await text?.flush();
      await hand(piece);
    },
    async finish() {
      await text?.flush();
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

/**
 * To hand a piece to the compressor's thread, and to hear of its end, costs as much as to compress some 20 KB. So text is handed
 * over in pieces of this size, from two buffers in turn.
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
    // Whoever waits for it next is told.
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
