import type { MaskedEvent } from '../tables/instance-events/row.ts';
import { HOUR, type Seconds } from '../core/time.ts';
import type { Window } from '../core/window.ts';
import { countClasses } from '../privacy/classes.ts';
import { durationBin } from './durations.ts';
import { type EventTally, tallyEvents } from './event-tallies.ts';
import { findGaps } from './gaps.ts';
import { EVENT_GROUPS, type EventGroup, groupOf } from './event-groups.ts';
import { type HostStatistics, hostLists, tallyHosts } from './host-tallies.ts';
import { type FlavourTally, identify } from '../privacy/identities.ts';
import { type PrivacyFigures, privacyFigures } from '../privacy/figures.ts';
import { quantiles } from './quantiles.ts';
import { type Ranking, rank } from './ranking.ts';
import { slotsOf } from './slots.ts';
import type { Spread } from './spread.ts';

/** Statistics of a drop's rows, as plain data for JSON. Lists are in order of rows, the most first. */
export interface DropStatistics {
  readonly window: Window;
  readonly rows: number;
  /** Rows that finished before the window; they are in no slot and in no gap. */
  readonly late: number;
  /** Length of a slot. */
  readonly step: Seconds;
  readonly events: readonly EventStatistics[];
  /** The same by what events do, in the order of `EVENT_GROUPS`; without groups of nothing. */
  readonly groups: readonly GroupStatistics[];
  readonly flavours: readonly FlavourStatistics[];
  readonly projects: Ranking;
  readonly hosts: Ranking;
  /** The hosts with most rows, and those with most failed ones. */
  readonly busiestHosts: readonly HostStatistics[];
  readonly failingHosts: readonly HostStatistics[];
  /** The longest spans of the window in which nothing finished. */
  readonly gaps: readonly Window[];
  readonly privacy: PrivacyFigures;
}

export interface EventCounts extends Spread {
  readonly late: number;
  /** By slot of the window, the rows that finished in it. */
  readonly slots: readonly number[];
  readonly success: number;
  readonly error: number;
  /** Any other result, or none. */
  readonly other: number;
}

export interface EventStatistics extends EventCounts {
  readonly event: string | null;
}

export interface GroupStatistics extends EventCounts {
  readonly group: EventGroup;
}

export interface FlavourStatistics {
  readonly memoryMb: number | null;
  readonly rootGb: number | null;
  readonly vcpus: number | null;
  readonly rows: number;
  readonly instances: number;
}

export interface StatisticsCollector extends Disposable {
  add(event: MaskedEvent): void;
  /** May be asked once everything has been added. */
  finish(): DropStatistics;
}

/**
 * Counts a drop's rows in one pass and keeps none of them: what it remembers grows with the distinct users, projects,
 * hosts, instances and classes. Rows may come in any order. Costs about 0.6 µs a row (`test/bench/statistics.ts`).
 */
export function collectStatistics(window: Window): StatisticsCollector {
  const slots = slotsOf(window);
  const events = tallyEvents(slots);
  const identities = identify();
  const hosts = tallyHosts(slots);
  const classes = countClasses();
  const gaps = findGaps(window);
  let rows = 0;

  return {
    add({ instance, event, start, finish, result, host }) {
      rows++;
      const { user, project, flavour } = identities.ownerOf(instance);
      flavour.rows++;
      if (project !== undefined) project.rows++;
      const place = hosts.of(host);
      if (place !== undefined) {
        place.rows++;
        if (result === 'Error') place.errors++;
      }

      const tally = events.of(event);
      const outcome = events.outcomeOf(tally, result);
      outcome.rows++;
      if (finish < window.start) {
        tally.late++;
        if (place !== undefined) place.late++;
      } else {
        const slot = Math.floor((finish - window.start) / slots.step);
        tally.slots[slot] = (tally.slots[slot] ?? 0) + 1;
        if (place !== undefined) place.slots[slot] = (place.slots[slot] ?? 0) + 1;
        gaps.add(finish);
      }
      const duration = finish - start;
      const bin = durationBin(duration);
      tally.durations[bin] = (tally.durations[bin] ?? 0) + 1;
      if (duration > tally.longest) tally.longest = duration;
      tally.lengths.add(duration);

      classes.add(Math.floor(finish / HOUR), outcome.kind, flavour.id, user);
    },
    finish() {
      const tallied = [...events.all.values()];
      const byEvent = tallied
        .map((tally): EventStatistics => ({ event: tally.event, ...countsOf([tally]) }))
        .toSorted(byRowsAndName);
      const grouped = Map.groupBy(tallied, ({ event }) => groupOf(event));
      const { busiest, failing } = hostLists(hosts);
      return {
        window,
        rows,
        late: byEvent.reduce((sum, { late }) => sum + late, 0),
        step: slots.step,
        events: byEvent,
        groups: EVENT_GROUPS.flatMap((group) => {
          const of = grouped.get(group);
          return of === undefined ? [] : [{ group, ...countsOf(of) }];
        }),
        flavours: [...identities.flavours.values()].map(flavourStatistics).toSorted(byRowsAndSize),
        projects: rank(identities.projects, rows),
        hosts: rank(hosts, rows),
        busiestHosts: busiest,
        failingHosts: failing,
        gaps: gaps.longest(),
        privacy: privacyFigures(identities, hosts.all.size, classes.tally(), rows),
      };
    },
    [Symbol.dispose]: () => identities[Symbol.dispose](),
  };
}

/** Of one event, or of several together. */
function countsOf(tallied: readonly EventTally[]): EventCounts {
  const total = (of: (tally: EventTally) => number): number =>
    tallied.reduce((sum, tally) => sum + of(tally), 0);
  const byPlace = (of: (tally: EventTally) => Uint32Array): number[] =>
    Array.from(tallied[0] === undefined ? [] : of(tallied[0]), (_, at) =>
      total((tally) => of(tally)[at] ?? 0),
    );
  const resulted = (result: string): number => total(({ outcomes }) => outcomes.get(result)?.rows ?? 0);
  const rows = total(({ outcomes }) =>
    [...outcomes.values()].reduce((sum, outcome) => sum + outcome.rows, 0),
  );
  const [success, error] = [resulted('Success'), resulted('Error')];
  const lengths = quantiles();
  for (const tally of tallied) lengths.merge(tally.lengths);
  const longest = Math.max(0, ...tallied.map((tally) => tally.longest));
  return {
    rows,
    late: total(({ late }) => late),
    slots: byPlace(({ slots }) => slots),
    success,
    error,
    other: rows - success - error,
    durations: byPlace(({ durations }) => durations),
    half: Math.min(longest, lengths.within(0.5)),
    most: Math.min(longest, lengths.within(0.95)),
    longest,
  };
}

function flavourStatistics({ memoryMb, rootGb, vcpus, rows, instances }: FlavourTally): FlavourStatistics {
  return { memoryMb, rootGb, vcpus, rows, instances };
}

function byRowsAndName(a: EventStatistics, b: EventStatistics): number {
  return b.rows - a.rows || ((a.event ?? '') < (b.event ?? '') ? -1 : 1);
}

function byRowsAndSize(a: FlavourStatistics, b: FlavourStatistics): number {
  const size = (one: FlavourStatistics): number[] =>
    [one.vcpus, one.memoryMb, one.rootGb].map((n) => n ?? -1);
  const [left, right] = [size(a), size(b)];
  const at = left.findIndex((n, index) => n !== right[index]);
  return b.rows - a.rows || (left[at] ?? 0) - (right[at] ?? 0);
}
