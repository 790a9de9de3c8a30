import type { Invocation } from '../drop/invocation.ts';
import type { WindowRows } from '../drop/write-drop.ts';
import type { OrderedRows } from '../drop/write-table.ts';
import { inOrder } from '../source/order.ts';
import { ANY_TIME, type OpenSource, type TableStates } from '../source/source.ts';
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
  let [from, latest] = [range, -Infinity];

  const close = async (): Promise<void> => {
    for (const split of splits.values()) await split[Symbol.asyncDispose]();
    splits.clear();
    await opened?.[Symbol.asyncDispose]();
    opened = undefined;
  };
  const rowsOf = (open: OpenSource, { name, order }: AnyTable, window: Window): OrderedRows<unknown> => {
    const { settleSeconds } = settings;
    const state = window.start === range.start ? states?.[name] : undefined;
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
          if (table.at === undefined) return rowsOf(open, table, window);
          let split = splits.get(table.name);
          if (split === undefined) {
            split = splitByWindow(rowsOf(open, table, from), table, from, windowSeconds, sourceFrom);
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
