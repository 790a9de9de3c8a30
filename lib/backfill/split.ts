import type { OrderedRows } from '../drop/write-table.ts';
import { SourceError } from '../core/errors.ts';
import { NO_COUNTS, type Outcome } from '../source/source.ts';
import type { AnyTable } from '../tables/table.ts';
import { MINUTE, type Seconds } from '../core/time.ts';
import { type Window, windowText } from '../core/window.ts';

/** If the clocks of conductors differ, an event may end before it begins, but not by this much. */
const CLOCKS = 10 * MINUTE;

/**
 * Parts a stream of events by window. Events arrive in order of start, so a window is complete soon after an event that
 * starts after its end. Events of later windows are held until then: a few in a thousand of a day, and the rest of a
 * batch.
 *
 * @param events everything that finished in the range, in order of start
 * @param sourceFrom start of the oldest event of the source, for the outcome of each window
 */
export function splitByWindow(
  events: OrderedRows<unknown>,
  { order, at = order }: Pick<AnyTable, 'order' | 'at'>,
  range: Window,
  sourceFrom: Seconds | null,
) {
  let held: unknown[] = [];
  let reached = -Infinity;
  let outcome: Outcome | undefined;
  let ahead: IteratorResult<readonly unknown[], Outcome> | undefined;

  /** The next events; undefined if there are no more. */
  const pull = async (): Promise<readonly unknown[] | undefined> => {
    const next = ahead ?? (await events.next());
    // One batch ahead: the API gives all events at once, and its outcome, which every manifest quotes, after them.
    ahead = next.done === true ? next : await events.next();
    if (ahead.done === true) outcome = ahead.value;
    return next.done === true ? undefined : next.value;
  };

  return {
    /**
     * The rows of one window, in order of start. Windows are read in order. A window may be left out, or given up half
     * read; its rows are then passed over.
     */
    async *of(window: Window): OrderedRows<unknown> {
      if (window.start < reached) {
        throw new SourceError(`window ${windowText(window)}: its events were passed over`, {
          transient: false,
        });
      }
      reached = window.end;
      /** Takes the events of the window, and holds those of later ones. */
      const sift = (some: readonly unknown[]): unknown[] => {
        held = held.concat(some.filter((event) => at(event) >= window.end && at(event) < range.end));
        return some.filter((event) => at(event) >= window.start && at(event) < window.end);
      };
      let some: readonly unknown[] | undefined = held;
      held = [];
      // The last window is read to the end, which tells whether all events arrived.
      const end = window.end >= range.end ? Infinity : window.end + CLOCKS;
      for (let isOver = false; some !== undefined; some = isOver ? undefined : await pull()) {
        const mine = sift(some);
        if (mine.length > 0) yield mine;
        isOver = some.some((event) => order(event) >= end);
      }
      const stillOpen = held.filter((event) => order(event) < window.end).length;
      const { counts, api, reading } = outcome ?? {};
      return {
        state: {},
        // What was skipped is known once everything is read.
        counts: { ...NO_COUNTS, stillOpen, skipped: counts?.skipped ?? {} },
        sourceFrom,
        ...(api && { api }),
        ...(reading && { reading }),
      };
    },
    async [Symbol.asyncDispose]() {
      await events.return(undefined as never);
    },
  };
}

export type Split = ReturnType<typeof splitByWindow>;
