import type { Invocation } from '../drop/invocation.ts';
import type { WindowRows } from '../drop/write-drop.ts';
import type { OrderedRows } from '../drop/write-table.ts';
import { inOrder } from '../source/order.ts';
import { ANY_TIME, type OpenSource, type Outcome } from '../source/source.ts';
import type { SourceState, TableStates } from '../source/source.ts';
import { type AnyTable, earlierOf } from '../tables/table.ts';
import type { Window } from '../core/window.ts';
import { type KnownOfSource, type Split, splitByWindow } from './split.ts';

/**
 * One pass over the source for all windows of a range, and all tables of events. A snapshot is read window by window,
 * each from the state that the window before it gave.
 *
 * @param statesAtStart of the range; asked for by each pass, which looks back only where a window is read
 */
export function openRange(
  { source, settings, signal }: Pick<Invocation, 'source' | 'settings' | 'signal'>,
  range: Window,
  statesAtStart: () => Promise<TableStates>,
  known: KnownOfSource,
) {
  let opened: OpenSource | undefined;
  const splits = new Map<string, Split>();
  const snapshots = new Map<string, SourceState>();
  const early = new Map<string, Outcome>();
  let states: TableStates = {};
  let latest = -Infinity;

  const close = async (): Promise<void> => {
    for (const split of splits.values()) await split[Symbol.asyncDispose]();
    splits.clear();
    snapshots.clear();
    await opened?.[Symbol.asyncDispose]();
    opened = undefined;
  };
  const rowsOf = (open: OpenSource, { name, order }: AnyTable, window: Window, state?: SourceState) => {
    const { settleSeconds, release } = settings;
    // Only a release begins with what there was; before `begin` of a schedule nothing stands alone.
    const opens = release !== undefined && window.start === release.range?.start;
    const asked = { window, begin: window.start, state, settleSeconds, whole: true, opens };
    const batches = open.read(name, { ...asked, openHorizonSeconds: ANY_TIME, passFrom: range.start });
    return inOrder(batches, order, (outcome) => early.set(name, outcome));
  };
  async function* snapshot(open: OpenSource, table: AnyTable, window: Window): OrderedRows<unknown> {
    const { name } = table;
    // The state of the start of the range also serves its later windows.
    const outcome = yield* rowsOf(open, table, window, snapshots.get(name) ?? states[name]);
    snapshots.set(name, outcome.state);
    return outcome;
  }
  return {
    /** Begins to read a window. Windows are read in order; reading one again begins a new pass over the source. */
    async read(window: Window): Promise<WindowRows> {
      if (opened === undefined || window.start <= latest) {
        await close();
        states = await statesAtStart();
        opened = await source.open(signal);
      }
      latest = window.start;
      const open = opened;
      return {
        of(table) {
          if (table.at === undefined) return snapshot(open, table, window);
          const { name } = table;
          let split = splits.get(name);
          if (split === undefined) {
            const rows = rowsOf(open, { ...table, order: earlierOf(table) }, range, states[name]);
            split = splitByWindow(rows, table, range, { ...known, early: () => early.get(name) });
            splits.set(name, split);
          }
          return split.of(window);
        },
        // The next window uses the same opening.
        [Symbol.asyncDispose]: async () => undefined,
      };
    },
    [Symbol.asyncDispose]: close,
  };
}
