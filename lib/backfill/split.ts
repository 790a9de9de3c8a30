import type { OrderedRows } from '../drop/write-table.ts';
import { SourceError } from '../core/errors.ts';
import { NO_COUNTS, type Outcome } from '../source/source.ts';
import type { AnyTable } from '../tables/table.ts';
import { MINUTE, type Seconds } from '../core/time.ts';
import { type Window, floorTo, windowText } from '../core/window.ts';

/** By the clocks of several conductors an event may end before it begins, but not by so much. */
const CLOCKS = 10 * MINUTE;

/** One pass over a range of windows, of which each in turn gets its rows. */
export interface Split extends AsyncDisposable {
  /**
   * The rows of one window, in order of start. Windows are asked for in order; one may be left out or given up
   * half read, and its rows are then passed over.
   */
  of(window: Window): OrderedRows<unknown>;
}

/**
 * Parts a stream of events by the window that they belong to. As events come in order of start, a window is complete
 * soon after one comes that starts after its end. Of the windows to come only those events are held that started
 * before: in a day that ends at midnight a few in a thousand.
 *
 * @param events everything that finished in the range, in order of start
 * @param sourceFrom start of the oldest event of the source, for the outcome of each window
 */
export function splitByWindow(
  events: OrderedRows<unknown>,
  { order, at = order }: Pick<AnyTable, 'order' | 'at'>,
  range: Window,
  windowSeconds: Seconds,
  sourceFrom: Seconds | null,
): Split {
  const held = new Map<Seconds, unknown[]>();
  let rest: readonly unknown[] = [];
  let upcoming: IteratorResult<readonly unknown[], Outcome> | undefined;
  let outcome: Outcome | undefined;
  let reached = -Infinity;

  const pull = async (): Promise<readonly unknown[] | undefined> => {
    if (rest.length > 0) {
      const pulled = rest;
      rest = [];
      return pulled;
    }
    if (upcoming === undefined && outcome !== undefined) return undefined;
    const next = upcoming ?? (await events.next());
    upcoming = undefined;
    if (next.done === true) {
      outcome = next.value;
      return undefined;
    }
    // One ahead: the API has all events at once and tells how it went behind them, which each manifest has to say.
    upcoming = await events.next();
    if (upcoming.done === true) outcome = upcoming.value;
    return next.value;
  };
  /** Of events in order, those of the window; those of later ones are held. */
  const sift = (some: readonly unknown[], window: Window): unknown[] =>
    some.filter((event) => {
      const start = floorTo(at(event), windowSeconds);
      if (start === window.start) return true;
      if (start > window.start && start < range.end) {
        const others = held.get(start);
        if (others === undefined) held.set(start, [event]);
        else others.push(event);
      }
      return false;
    });

  return {
    async *of(window) {
      if (window.start < reached) {
        throw new SourceError(`window ${windowText(window)}: its events were passed over`, {
          transient: false,
        });
      }
      reached = window.end;
      for (const start of held.keys()) if (start < window.start) held.delete(start);
      const waiting = held.get(window.start) ?? [];
      held.delete(window.start);
      if (waiting.length > 0) yield waiting;
      // The last one is read to the end, which tells whether all came.
      const isLast = window.end >= range.end;
      for (let isOver = false; !isOver;) {
        const pulled = await pull();
        if (pulled === undefined) break;
        const after = isLast ? -1 : pulled.findIndex((event) => order(event) >= window.end + CLOCKS);
        isOver = after >= 0;
        const mine = sift(isOver ? pulled.slice(0, after) : pulled, window);
        if (isOver) rest = pulled.slice(after);
        if (mine.length > 0) yield mine;
      }
      const begun = [...held.values()].flat().filter((event) => order(event) < window.end);
      // What is left out for other reasons is known when all is read.
      const skipped = outcome?.counts.skipped ?? {};
      return {
        state: {},
        counts: { ...NO_COUNTS, stillOpen: begun.length, skipped },
        sourceFrom,
        ...(outcome?.api === undefined ? {} : { api: outcome.api }),
      };
    },
    async [Symbol.asyncDispose]() {
      await events.return(undefined as never);
    },
  };
}
