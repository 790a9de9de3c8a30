import type { Invocation } from '../drop/invocation.ts';
import type { WindowRows } from '../drop/write-drop.ts';
import type { OrderedRows } from '../drop/write-table.ts';
import { inOrder } from '../source/order.ts';
import { ANY_TIME, type OpenSource, type SourceState, type TableStates } from '../source/source.ts';
import type { AnyTable } from '../tables/table.ts';
import type { Seconds } from '../core/time.ts';
import type { Window } from '../core/window.ts';
import { type Split, splitByWindow } from './split.ts';

/** Reads the windows of a range one after the other. */
export interface RangeReader extends AsyncDisposable {
  /** Begins to read a window. Windows come in order; asking for one again begins a new pass over the source there. */
  read(window: Window): Promise<WindowRows>;
}

/**
 * One pass over the source for all windows of a range, and all tables of events; of a snapshot, each window is read
 * for itself.
 *
 * @param states as a schedule would have had them at the start of the range; without one the source looks back itself
 * @param sourceFrom start of the oldest event of the source
 */
export function openRange(
  { source, settings, signal }: Pick<Invocation, 'source' | 'settings' | 'signal'>,
  range: Window,
  windowSeconds: Seconds,
  states: TableStates | undefined,
  sourceFrom: Seconds | null,
): RangeReader {
  let opened: OpenSource | undefined;
  const splits = new Map<string, Split>();
  const memories = new Map<string, Memory>();
  let [from, latest] = [range, -Infinity];

  const close = async (): Promise<void> => {
    for (const split of splits.values()) await split[Symbol.asyncDispose]();
    splits.clear();
    await opened?.[Symbol.asyncDispose]();
    opened = undefined;
  };
  const rowsOf = (
    open: OpenSource,
    { name, order }: AnyTable,
    window: Window,
    state: SourceState | undefined,
  ): OrderedRows<unknown> => {
    const { settleSeconds } = settings;
    const request = { window, begin: window.start, state, settleSeconds, whole: true };
    return inOrder(open.read(name, { ...request, openHorizonSeconds: ANY_TIME }), order);
  };
  return {
    async read(window) {
      if (opened === undefined || window.start <= latest) {
        await close();
        opened = await source.open(signal);
        // From a known state it is cheaper to pass over windows than to look back from a later one.
        from = states === undefined ? { start: window.start, end: range.end } : range;
      }
      latest = window.start;
      const open = opened;
      return {
        of(table) {
          if (table.at === undefined) {
            const memory = memories.get(table.name) ?? openMemory();
            memories.set(table.name, memory);
            // What was planned for the start of the range holds for its later windows, too.
            const state = memory.at(window) ?? states?.[table.name];
            return memory.keep(window, rowsOf(open, table, window, state));
          }
          let split = splits.get(table.name);
          if (split === undefined) {
            const state = from.start === range.start ? states?.[table.name] : undefined;
            const rows = rowsOf(open, table, from, state);
            split = splitByWindow(rows, table, from, windowSeconds, sourceFrom);
            splits.set(table.name, split);
          }
          return split.of(window);
        },
        // The next window goes on with the same opening.
        [Symbol.asyncDispose]: async () => undefined,
      };
    },
    [Symbol.asyncDispose]: close,
  };
}

/** What a reader of a snapshot remembers from one window of the range to the next. */
interface Memory {
  /** Its state for a window: of the latest window before. */
  at(window: Window): SourceState | undefined;
  /** Passes the rows on, and keeps the state that follows from them. */
  keep(window: Window, rows: OrderedRows<unknown>): OrderedRows<unknown>;
}

function openMemory(): Memory {
  // Two, for a window whose rows were read may have to be read again.
  let kept: readonly { readonly end: Seconds; readonly state: SourceState }[] = [];
  return {
    at: ({ start }) => kept.findLast(({ end }) => end <= start)?.state,
    async *keep({ end }, rows) {
      const outcome = yield* rows;
      kept = [...kept.filter((one) => one.end < end).slice(-1), { end, state: outcome.state }];
      return outcome;
    },
  };
}
