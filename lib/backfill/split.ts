import type { OrderedRows } from '../drop/write-table.ts';
import { SourceError } from '../core/errors.ts';
import { inOrder } from '../source/order.ts';
import { type Batch, NO_COUNTS, type Outcome } from '../source/source.ts';
import { type AnyTable, earlierOf } from '../tables/table.ts';
import type { Seconds } from '../core/time.ts';
import { type Window, windowText } from '../core/window.ts';

/** What is known of the source before it is read, for the outcome of each window. */
export interface KnownOfSource {
  /** Start of the oldest event of the source. */
  readonly sourceFrom: Seconds | null;
  /** About how many events were purged, by the start of the window. */
  readonly purged: ReadonlyMap<Seconds, number | null>;
  /** The outcome of a source that knows it before its rows. */
  readonly early?: () => Outcome | undefined;
}

/**
 * Parts a stream of events by window. A window is complete as soon as an event arrives that neither starts nor finishes
 * before its end. Events of later windows are held until then: a few in a thousand of a day, and the rest of a batch.
 *
 * @param events everything that finished in the range, in order of {@link earlierOf}, no batch empty
 */
export function splitByWindow(
  events: OrderedRows<unknown>,
  table: Pick<AnyTable, 'order' | 'at'>,
  range: Window,
  { sourceFrom, purged, early }: KnownOfSource,
) {
  const { order, at = order } = table;
  const earliest = earlierOf(table);
  let held: unknown[] = [];
  let reached = -Infinity;
  let outcome: Outcome | undefined;

  /** Takes the events of the window, and holds those of later ones. */
  const sift = (some: readonly unknown[], window: Window): unknown[] => {
    held = held.concat(some.filter((event) => at(event) >= window.end && at(event) < range.end));
    return some.filter((event) => at(event) >= window.start && at(event) < window.end);
  };
  async function* batchesOf(window: Window): AsyncGenerator<Batch<unknown>, undefined, void> {
    const waiting = held;
    held = [];
    // The last window is read to the end, which tells whether all events arrived.
    const end = window.end >= range.end ? Infinity : window.end;
    let isOver = waiting.some((event) => earliest(event) >= end);
    yield { rows: sift(waiting, window), watermark: -Infinity };
    while (!isOver) {
      const next = await events.next();
      if (next.done === true) {
        outcome ??= next.value;
        return undefined;
      }
      const watermark = earliest(next.value.at(-1));
      isOver = watermark >= end;
      yield { rows: sift(next.value, window), watermark };
    }
    return undefined;
  }

  return {
    /**
     * The rows of one window, in their table's order. Windows are read in order. A window may be left out, or given up
     * half read; its rows are then passed over.
     */
    async *of(window: Window): OrderedRows<unknown> {
      if (window.start < reached) {
        throw new SourceError(`window ${windowText(window)}: its events were passed over`, {
          transient: false,
        });
      }
      reached = window.end;
      yield* inOrder(batchesOf(window), order);
      const stillOpen = held.filter((event) => order(event) < window.end).length;
      const { counts, api, reading } = outcome ?? early?.() ?? {};
      return {
        state: {},
        // What was skipped is known once everything is read.
        counts: {
          ...NO_COUNTS,
          stillOpen,
          purged: purged.get(window.start) ?? null,
          skipped: counts?.skipped ?? {},
        },
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
