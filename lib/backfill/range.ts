import type { Invocation } from '../drop/invocation.ts';
import type { OrderedEvents } from '../drop/pump.ts';
import { inStartOrder } from '../source/order.ts';
import { ANY_TIME, type SourceState } from '../source/source.ts';
import type { Seconds } from '../time.ts';
import type { Window } from '../window.ts';
import { type Split, splitByWindow } from './split.ts';

/** Reads the windows of a range one after the other. */
export interface RangeReader extends AsyncDisposable {
  /** Begins to read a window. Windows come in order; asking for one again begins a new pass over the source there. */
  read(window: Window): OrderedEvents;
}

/**
 * One pass over the source for all windows of a range.
 *
 * @param state as a schedule would have had it at the start of the range; without one the source looks back itself
 * @param sourceFrom start of the oldest event of the source
 */
export function openRange(
  { source, settings, signal }: Invocation,
  range: Window,
  windowSeconds: Seconds,
  state: SourceState | undefined,
  sourceFrom: Seconds | null,
): RangeReader {
  let split: Split | undefined;
  let latest = -Infinity;
  const over: PromiseLike<void>[] = [];

  const pass = (from: Window): Split => {
    // From a known state it is cheaper to pass over windows than to look back from a later one.
    const rest = state === undefined ? { start: from.start, end: range.end } : range;
    const request = {
      window: rest,
      begin: rest.start,
      state,
      openHorizonSeconds: ANY_TIME,
      settleSeconds: settings.settleSeconds,
      whole: true,
      signal,
    };
    return splitByWindow(inStartOrder(source.read(request)), rest, windowSeconds, sourceFrom);
  };
  return {
    read(window) {
      if (split === undefined || window.start <= latest) {
        if (split !== undefined) over.push(split[Symbol.asyncDispose]());
        split = pass(window);
      }
      latest = window.start;
      return split.of(window);
    },
    async [Symbol.asyncDispose]() {
      if (split !== undefined) over.push(split[Symbol.asyncDispose]());
      await Promise.allSettled(over);
    },
  };
}
