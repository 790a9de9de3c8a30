import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitByWindow } from '../../../lib/backfill/split.ts';
import type { OrderedRows } from '../../../lib/drop/write-table.ts';
import type { TraceEvent } from '../../../lib/tables/instance-events/row.ts';
import { instanceEvents } from '../../../lib/tables/instance-events/table.ts';
import type { AnyTable } from '../../../lib/tables/table.ts';
import { type Window, windowsOf } from '../../../lib/core/window.ts';
import { traceEvent } from '../../support/records.ts';

const LENGTH = 100;
const RANGE = { start: 1000, end: 1500 };
const WINDOWS = windowsOf(RANGE, LENGTH);
const TABLE = instanceEvents as AnyTable;

/** A source that gives events in order of the earlier of start and finish, some at a time. */
async function* source(events: readonly TraceEvent[], size: number): OrderedRows<TraceEvent> {
  const first = ({ start, finish }: TraceEvent): number => Math.min(start, finish);
  const ordered = events.toSorted((a, b) => first(a) - first(b));
  for (let at = 0; at < ordered.length; at += size) yield ordered.slice(at, at + size);
  const none = {
    late: 0,
    beforeBegin: 0,
    abandoned: 0,
    stillOpen: 0,
    rewritten: 0,
    restored: 0,
    purged: null,
  };
  return { state: {}, counts: { ...none, skipped: { instanceGone: 3 } }, sourceFrom: 7 };
}

async function readAll(
  events: OrderedRows<unknown>,
): Promise<{ names: string[]; skipped: object; starts: number[] }> {
  const names: string[] = [];
  const starts: number[] = [];
  for (;;) {
    const next = await events.next();
    if (next.done === true) return { names, starts, skipped: next.value.counts.skipped };
    for (const { event, start } of next.value as readonly TraceEvent[]) {
      names.push(String(event));
      starts.push(start);
    }
  }
}

const known = (sourceFrom: number | null) => ({ sourceFrom, purged: new Map([[1100, 5]]) });

const named = (times: readonly [start: number, finish: number][]): TraceEvent[] =>
  times.map(([start, finish], nth) => traceEvent({ event: `e${nth}`, start, finish }));

describe('A pass over several windows', () => {
  test('gives each window what finishes in it, also what began long before', async () => {
    const events = named([
      [990, 1010],
      [1020, 1450],
      [1090, 1110],
      [1250, 1260],
      [1499, 1499],
    ]);
    await using split = splitByWindow(source(events, 2), TABLE, RANGE, known(7));
    const parts: string[][] = [];
    for (const window of WINDOWS) parts.push((await readAll(split.of(window))).names);
    expect(parts).toEqual([['e0'], ['e2'], ['e3'], [], ['e1', 'e4']]);
  });

  test('passes over windows that are left out or given up', async () => {
    const events = named([
      [1010, 1020],
      [1030, 1250],
      [1110, 1120],
      [1120, 1130],
      [1210, 1220],
    ]);
    await using split = splitByWindow(source(events, 1), TABLE, RANGE, known(null));
    const [, second, third] = WINDOWS as [Window, Window, Window];
    const givenUp = split.of(second);
    await givenUp.next();
    await givenUp.return(undefined as never);
    expect((await readAll(split.of(third))).names).toEqual(['e1', 'e4']);
    await expect(readAll(split.of(second))).rejects.toThrow('its events were passed over');
  });

  test('tells with the last window what was left out', async () => {
    await using split = splitByWindow(source(named([[1010, 1020]]), 1), TABLE, RANGE, known(null));
    const skipped: object[] = [];
    for (const window of WINDOWS) skipped.push((await readAll(split.of(window))).skipped);
    expect(skipped.at(-1)).toEqual({ instanceGone: 3 });
  });

  test('puts an event that ends before it begins, by two clocks, where it ends, as a schedule does', async () => {
    const events = named([
      [1201, 1199],
      [1190, 1195],
      [1499, 1010],
      [30_000, 1198],
    ]);
    await using split = splitByWindow(source(events, 1), TABLE, RANGE, known(null));
    const parts: string[][] = [];
    for (const window of WINDOWS) parts.push((await readAll(split.of(window))).names);
    expect(parts).toEqual([['e2'], ['e1', 'e0', 'e3'], [], [], []]);
  });

  test('gives every event once, in order of start, whatever the events and the batches', async () => {
    const times = fc.tuple(fc.integer({ min: 500, max: 1999 }), fc.integer({ min: -900, max: 900 }));
    await fc.assert(
      fc.asyncProperty(fc.array(times), fc.integer({ min: 1, max: 7 }), async (some, size) => {
        const events = named(
          some
            .map(([start, length]): [number, number] => [start, start + length])
            .filter(([, finish]) => finish >= RANGE.start && finish < RANGE.end),
        );
        await using split = splitByWindow(source(events, size), TABLE, RANGE, known(null));
        for (const window of WINDOWS) {
          const { names, starts } = await readAll(split.of(window));
          const own = events.filter(({ finish }) => finish >= window.start && finish < window.end);
          expect(names.toSorted()).toEqual(own.map(({ event }) => String(event)).toSorted());
          expect(starts).toEqual(starts.toSorted((a, b) => a - b));
        }
      }),
    );
  });
});
