import type { Invocation } from '../drop/invocation.ts';
import type { WindowRows } from '../drop/write-drop.ts';
import type { OrderedRows } from '../drop/write-table.ts';
import { inOrder } from '../source/order.ts';
import {
  ANY_TIME,
  type Batch,
  type OpenSource,
  type SourceState,
  type TableStates,
} from '../source/source.ts';
import type { AnyTable } from '../tables/table.ts';
import type { Seconds } from '../core/time.ts';
import type { Window } from '../core/window.ts';
import { type KnownOfSource, type Split, earliestOf, splitByWindow } from './split.ts';

/**
 * One pass over the source for all windows of a range, and all tables of events. A snapshot is read window by window,
 * each from the state that the window before it gave.
 *
 * @param states as they were planned for the range; without them each pass is planned here
 */
export function openRange(
  { source, settings, tables, signal }: Pick<Invocation, 'source' | 'settings' | 'tables' | 'signal'>,
  range: Window,
  states: TableStates | undefined,
  known: KnownOfSource,
) {
  let opened: OpenSource | undefined;
  let planned = states;
  const splits = new Map<string, Split>();
  const snapshots = new Map<string, readonly { readonly end: Seconds; readonly state: SourceState }[]>();
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
    const { settleSeconds, release } = settings;
    // Only a release begins with what there was; before `begin` of a schedule nothing stands alone.
    const opens = release !== undefined && window.start === (release.start ?? range.start);
    const request = { window, begin: window.start, state, settleSeconds, whole: true, opens };
    const batches = open.read(name, { ...request, openHorizonSeconds: ANY_TIME });
    return inOrder(source.kind === 'api' ? toTheEnd(batches) : batches, order);
  };
  async function* snapshot(open: OpenSource, table: AnyTable, window: Window): OrderedRows<unknown> {
    const before = (snapshots.get(table.name) ?? []).filter(({ end }) => end <= window.start);
    // The state that was planned for the start of the range also serves its later windows.
    const outcome = yield* rowsOf(open, table, window, before.at(-1)?.state ?? planned?.[table.name]);
    // Two are kept, because this window may be read again.
    snapshots.set(table.name, [...before.slice(-1), { end: window.end, state: outcome.state }]);
    return outcome;
  }
  return {
    /** Begins to read a window. Windows are read in order; reading one again begins a new pass over the source there. */
    async read(window: Window): Promise<WindowRows> {
      if (opened === undefined || window.start <= latest) {
        await close();
        if (states === undefined) {
          from = { start: window.start, end: range.end };
          const names = tables.map(({ name }) => name);
          [planned] = await source.statesAt([from], names, signal);
        }
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
            const ordered = { ...table, order: earliestOf(table) };
            split = splitByWindow(rowsOf(open, ordered, from, planned?.[name]), table, from, known);
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

/** The API gives its outcome, which the manifest of every window quotes, after the last row: all rows wait for it. */
async function* toTheEnd<R>(
  batches: AsyncGenerator<Batch<unknown>, R, void>,
): AsyncGenerator<Batch<unknown>, R, void> {
  try {
    for (let next = await batches.next(); ; next = await batches.next()) {
      if (next.done === true) return next.value;
      yield { ...next.value, watermark: -Infinity };
    }
  } finally {
    await batches.return(undefined as never);
  }
}
