import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DURATION_EDGES } from '../../../lib/report/durations.ts';
import { EVENT_GROUPS, groupOf } from '../../../lib/report/event-groups.ts';
import { roundedUp } from '../../../lib/report/quantiles.ts';
import { type DropStatistics, type EventCounts, collectStatistics } from '../../../lib/report/statistics.ts';
import type { Instance, MaskedEvent, TraceEvent } from '../../../lib/tables/instance-events/row.ts';
import { DAY, HOUR, MINUTE } from '../../../lib/core/time.ts';
import type { Window } from '../../../lib/core/window.ts';
import { unmasked } from '../../support/masked.ts';
import { instance, traceEvent } from '../../support/records.ts';

const START = Date.UTC(2026, 10, 22) / 1000;
const DAY_WINDOW: Window = { start: START, end: START + DAY };

const collect = (window: Window, events: readonly MaskedEvent[]): DropStatistics => {
  const collector = collectStatistics(window);
  for (const event of events) collector.add(event);
  return collector.finish();
};
const statisticsOf = (window: Window, events: readonly TraceEvent[]): DropStatistics =>
  collect(window, unmasked(events));

describe('the statistics of a drop agree with a plain recount', () => {
  const few = (...names: (string | null)[]) => fc.constantFrom(...names);
  const server: fc.Arbitrary<Instance> = fc.record({
    uuid: few('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h').map(String),
    hostname: fc.constant(null),
    userId: few('u1', 'u2', 'u3', 'u4', 'u5', 'u6', 'u7', '', null),
    projectId: few('p1', 'p2', 'p3', '', null),
    host: few('h1', 'h2', '', null),
    node: fc.constant(null),
    memoryMb: fc.constantFrom(512, 2048, null),
    rootGb: fc.constantFrom(0, 20),
    vcpus: fc.constant(2),
  });
  const anyWindow = fc
    .constantFrom(DAY, 12 * HOUR, HOUR, 20 * MINUTE, MINUTE, 5)
    .chain((length) =>
      fc
        .nat(DAY / length - 1)
        .map((nth) => ({ start: START + nth * length, end: START + (nth + 1) * length })),
    );
  const drop = anyWindow.chain((window) =>
    fc.array(server, { minLength: 1, maxLength: 12 }).chain((servers) =>
      fc.record({
        window: fc.constant(window),
        events: fc.array(
          fc
            .record({
              // Objects are shared between events, as the sources do it.
              instance: fc.constantFrom(...servers),
              event: few(
                'compute_stop_instance',
                'compute_start_instance',
                'compute_attach_volume',
                'api_lock',
                null,
              ),
              duration: fc.oneof(fc.nat(3), fc.nat(400), fc.nat(40 * DAY), fc.constant(-1)),
              finish: fc.oneof(
                fc.integer({ min: window.start, max: window.end - 1 }),
                fc.integer({ min: window.start - 3 * HOUR, max: window.end - 1 }),
              ),
              result: few('Success', 'Error', 'Success', 'Strange', null),
              host: few('h1', 'h2', 'h3', null),
            })
            .map(({ duration, ...event }): TraceEvent => ({ ...event, start: event.finish - duration })),
          { maxLength: 120 },
        ),
      }),
    ),
  );

  test('whatever comes', () => {
    fc.assert(
      fc.property(drop, (one) => {
        const rows = unmasked(one.events);
        expect(collect(one.window, rows)).toEqual(recount(one.window, rows));
      }),
      { numRuns: 400 },
    );
  });
});

describe('the parts of a window', () => {
  const stepOf = (length: number): number => statisticsOf({ start: START, end: START + length }, []).step;

  test('are hours of a day, and finer where it is shorter', () => {
    expect([DAY, 12 * HOUR, 6 * HOUR, HOUR, 20 * MINUTE, MINUTE].map(stepOf)).toEqual([
      HOUR,
      HOUR,
      30 * MINUTE,
      5 * MINUTE,
      MINUTE,
      5,
    ]);
  });
});

describe('the privacy figures', () => {
  const at = (finish: number, userId: string | null, more: Partial<Instance> = {}): TraceEvent =>
    traceEvent({ start: finish, finish }, { userId, ...more });

  test('call a class rare until five users share it', () => {
    const users = ['u1', 'u2', 'u3', 'u4', 'u4', 'u5'];
    const rareRows = users.map(
      (_, n) =>
        statisticsOf(
          DAY_WINDOW,
          users.slice(0, n + 1).map((user) => at(START, user)),
        ).privacy.classes.rareRows,
    );
    expect(rareRows).toEqual([1, 2, 3, 4, 5, 0]);
  });

  test('keep hours, results, events and flavours apart', () => {
    const users = ['u1', 'u2', 'u3', 'u4', 'u5'];
    const five = (one: (user: string) => TraceEvent): TraceEvent[] => users.map(one);
    const { classes } = statisticsOf(DAY_WINDOW, [
      ...five((user) => at(START, user)),
      at(START + HOUR, 'u1'),
      { ...at(START, 'u1'), result: 'Error' },
      { ...at(START, 'u1'), event: 'api_lock' },
      at(START, 'u1', { memoryMb: 1 }),
    ]).privacy;
    expect(classes).toMatchObject({ count: 5, rare: 4, rareRows: 4, rareShare: 4 / 9 });
  });

  test('count rows without a user as of one more user, who is not among the distinct ones', () => {
    const without = [at(START, null), at(START, ''), at(START, null)];
    const named = ['u1', 'u2', 'u3'].map((user) => at(START, user));
    const three = statisticsOf(DAY_WINDOW, [...named, ...without]).privacy;
    expect(three.distinct.users).toBe(3);
    expect(three.classes.rareRows).toBe(6);
    const four = statisticsOf(DAY_WINDOW, [...named, at(START, 'u4'), ...without]).privacy;
    expect(four.distinct.users).toBe(4);
    expect(four.classes.rareRows).toBe(0);
  });

  test('name the flavours that one user alone has', () => {
    const { singleOwnerFlavours } = statisticsOf(DAY_WINDOW, [
      at(START, 'u1'),
      at(START, 'u2'),
      at(START, 'u1', { memoryMb: 1, uuid: 'x' }),
      at(START, 'u1', { memoryMb: 1, uuid: 'y' }),
      at(START, null, { memoryMb: 2 }),
    ]).privacy;
    expect(singleOwnerFlavours).toEqual({ count: 2, rows: 3, of: 3 });
  });
});

describe('the longest gaps', () => {
  test('of an empty day are the day', () => {
    expect(statisticsOf(DAY_WINDOW, []).gaps).toEqual([DAY_WINDOW]);
  });

  test('reach from second to second, and to the edges of the window', () => {
    const events = [10, 11, 11, 40].map((n) => traceEvent({ start: START + n, finish: START + n }));
    expect(statisticsOf({ start: START, end: START + MINUTE }, events).gaps).toEqual([
      { start: START + 12, end: START + 40 },
      { start: START + 41, end: START + 60 },
      { start: START, end: START + 10 },
    ]);
  });

  test('end at no late event', () => {
    const late = traceEvent({ start: START - 5, finish: START - 1 });
    expect(statisticsOf(DAY_WINDOW, [late])).toMatchObject({ rows: 1, late: 1, gaps: [DAY_WINDOW] });
  });
});

test('an instance in several objects counts once', () => {
  const twice = [traceEvent({}, instance()), traceEvent({}, instance())];
  expect(statisticsOf(DAY_WINDOW, twice)).toMatchObject({
    privacy: { distinct: { instances: 1 } },
    flavours: [{ rows: 2, instances: 1 }],
  });
});

/** The same by lists and sets, over and over. */
function recount(window: Window, rows: readonly MaskedEvent[]): DropStatistics {
  const { step } = collect(window, []);
  const slots = Array.from({ length: Math.ceil((window.end - window.start) / step) }, (_, n) => n);
  const group = <K>(key: (row: MaskedEvent) => K): Map<K, MaskedEvent[]> => Map.groupBy(rows, key);
  const flavour = ({ instance: i }: MaskedEvent): string => `${i.vcpus}/${i.memoryMb}/${i.rootGb}`;
  const user = ({ instance: i }: MaskedEvent): string => i.userId ?? '';
  const named = <T>(values: Iterable<T | null>): Set<T | null> =>
    new Set([...values].filter((value) => value !== null && value !== ''));
  const ranking = (key: (row: MaskedEvent) => string | null): DropStatistics['hosts'] => {
    const groups = [...group(key)].filter(([mask]) => mask !== null && mask !== '');
    return {
      distinct: groups.length,
      without: rows.filter((row) => (key(row) ?? '') === '').length,
      top: groups
        .map(([mask, of]) => ({ mask: mask ?? '', rows: of.length }))
        .toSorted((a, b) => b.rows - a.rows || a.mask.localeCompare(b.mask)),
    };
  };
  const slotOf = (row: MaskedEvent): number => Math.floor((row.finish - window.start) / step);
  const finished = rows.filter(({ finish }) => finish >= window.start);
  const late = (of: readonly MaskedEvent[]): number => of.filter((row) => !finished.includes(row)).length;
  const inSlots = (of: readonly MaskedEvent[]): number[] =>
    slots.map((n) => of.filter((row) => slotOf(row) === n).length);
  const countsOf = (of: readonly MaskedEvent[]): EventCounts => {
    const lengths = of.map((row) => row.finish - row.start).toSorted((a, b) => a - b);
    const longest = Math.max(0, lengths.at(-1) ?? 0);
    const within = (share: number): number =>
      Math.min(longest, roundedUp(lengths[Math.ceil(lengths.length * share) - 1] ?? 0));
    return {
      rows: of.length,
      late: late(of),
      slots: inSlots(of),
      success: of.filter(({ result }) => result === 'Success').length,
      error: of.filter(({ result }) => result === 'Error').length,
      other: of.filter(({ result }) => result !== 'Success' && result !== 'Error').length,
      durations: DURATION_EDGES.map((edge, bin) => {
        const end = DURATION_EDGES[bin + 1] ?? Infinity;
        return lengths.filter((length) => Math.max(0, length) >= edge && Math.max(0, length) < end).length;
      }),
      half: within(0.5),
      most: within(0.95),
      longest,
    };
  };
  const hosts = [...group(({ host }) => host)].flatMap(([mask, of]) =>
    mask === null || mask === ''
      ? []
      : [
          {
            mask: String(mask),
            rows: of.length,
            errors: of.filter(({ result }) => result === 'Error').length,
            late: late(of),
            slots: inSlots(of),
          },
        ],
  );
  const classes = [
    ...group((row) =>
      [flavour(row), Math.floor(row.finish / HOUR), String(row.event), String(row.result)].join('|'),
    ).values(),
  ];
  const rare = classes.filter((of) => new Set(of.map(user)).size < 5);
  const owned = [...group(flavour).values()].filter((of) => new Set(of.map(user)).size === 1);
  const firstFlavour = new Map<string, string>();
  for (const row of rows) {
    if (!firstFlavour.has(row.instance.uuid)) firstFlavour.set(row.instance.uuid, flavour(row));
  }
  const busy = new Set(finished.map(({ finish }) => finish));
  const gaps: { start: number; end: number }[] = [];
  const marks = [window.start - 1, ...[...busy].toSorted((a, b) => a - b), window.end];
  for (const [at, mark] of marks.entries()) {
    const next = marks[at + 1];
    if (next !== undefined && next > mark + 1) gaps.push({ start: mark + 1, end: next });
  }
  return {
    window,
    rows: rows.length,
    late: rows.length - finished.length,
    step,
    events: [...group(({ event }) => event)]
      .map(([event, of]) => ({ event, ...countsOf(of) }))
      .toSorted((a, b) => b.rows - a.rows || (a.event ?? '').localeCompare(b.event ?? '')),
    groups: EVENT_GROUPS.flatMap((name) => {
      const of = rows.filter(({ event }) => groupOf(event) === name);
      return of.length === 0 ? [] : [{ group: name, ...countsOf(of) }];
    }),
    flavours: [...group(flavour).values()]
      .flatMap((of) =>
        of.slice(0, 1).map((row) => ({
          memoryMb: row.instance.memoryMb,
          rootGb: row.instance.rootGb,
          vcpus: row.instance.vcpus,
          rows: of.length,
          instances: [...firstFlavour.values()].filter((first) => first === flavour(row)).length,
        })),
      )
      .toSorted(
        (a, b) =>
          b.rows - a.rows || (a.memoryMb ?? -1) - (b.memoryMb ?? -1) || (a.rootGb ?? 0) - (b.rootGb ?? 0),
      ),
    projects: ranking((row) => row.instance.projectId),
    hosts: ranking(({ host }) => host),
    busiestHosts: hosts.toSorted((a, b) => b.rows - a.rows || a.mask.localeCompare(b.mask)),
    failingHosts: hosts
      .filter(({ errors }) => errors > 0)
      .toSorted((a, b) => b.errors - a.errors || a.mask.localeCompare(b.mask)),
    gaps: gaps.toSorted((a, b) => b.end - b.start - (a.end - a.start) || a.start - b.start).slice(0, 5),
    privacy: {
      distinct: {
        users: named(rows.map((row) => row.instance.userId)).size,
        projects: named(rows.map((row) => row.instance.projectId)).size,
        hosts: named(rows.map(({ host }) => host)).size,
        instances: firstFlavour.size,
      },
      classes: {
        by: ['flavour', 'hour', 'event', 'result'],
        count: classes.length,
        fewerThanUsers: 5,
        rare: rare.length,
        rareRows: rare.flat().length,
        rareShare: rows.length === 0 ? 0 : rare.flat().length / rows.length,
      },
      singleOwnerFlavours: {
        count: owned.length,
        rows: owned.flat().length,
        of: group(flavour).size,
      },
    },
  };
}
