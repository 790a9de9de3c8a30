import { type Seconds, iso } from '../../lib/core/time.ts';
import { MACHINE_EVENTS } from '../../lib/tables/machine-events/row.ts';
import { type StoredDrop, type StoredTrace, rowsOf } from '../support/trace/read.ts';
import type { HostEvent, HostRow } from './hosts.ts';

/** What a reader of drops knows of a host, by its disk. */
type Estate = ReadonlyMap<number, { readonly vcpus: number; readonly isEnabled: boolean }>;

interface Event extends HostEvent {
  readonly vcpus: number;
  readonly basis: string;
  readonly notBefore: Seconds | null;
}

/** Holds the tables of machines against what their events lead to, what really happened, and what the source has. */
export interface MachinesOracle {
  /** The next drop of the schedule, published by the move that was just made. */
  checkScheduled(trace: StoredTrace, drop: StoredDrop, rows: readonly HostRow[]): void;
  /** Drops of a backfill or release that were published by the move that was just made, in order. */
  checkPast(trace: StoredTrace, drops: readonly StoredDrop[], rows: readonly HostRow[]): void;
  /** What the last scheduled drop says is what there is. */
  end(rows: readonly HostRow[]): void;
  /** Events so far, but for openings. */
  readonly told: () => number;
}

export function openMachinesOracle(truth: readonly HostEvent[]): MachinesOracle {
  /** As the last scheduled drop left it. */
  let state: Estate | undefined;
  const published = new Map<string, string>();
  let told = 0;

  const open = (trace: StoredTrace, drop: StoredDrop) => {
    const where = `${trace.root}: the drop of ${iso(drop.start)}`;
    const fail = (problem: string): never => {
      throw new Error(`${where}: ${problem}`);
    };
    const events = eventsIn(trace, drop);
    for (const event of events) {
      if (!isTrue(event, truth)) fail(`nothing like ${JSON.stringify(event)} has happened`);
      if (event.basis === 'recorded' && event.time >= drop.end) fail(`${JSON.stringify(event)} is too early`);
    }
    told += events.filter(({ basis }) => basis !== 'opening').length;
    const machines = rowsOf(trace, drop, 'machines');
    const deleted = machines.filter((row) => row['deleted_time'] !== null);
    const isTold = (row: Record<string, unknown>): boolean =>
      events.some(
        ({ event, disk, time }) =>
          event === 'DELETE' && disk === row['local_gb'] && time === timeOf(row['deleted_time']),
      );
    for (const row of deleted)
      if (!isTold(row)) fail(`no event tells of the deletion of ${String(row['local_gb'])}`);
    const live: Estate = new Map(
      machines
        .filter((row) => row['deleted_time'] === null)
        .map((row) => [
          Number(row['local_gb']),
          { vcpus: Number(row['vcpus']), isEnabled: row['enabled'] === true },
        ]),
    );
    return { fail, events, live };
  };
  return {
    checkScheduled(trace, drop, rows) {
      const { fail, events, live } = open(trace, drop);
      const isFirst = drop.manifest.previous === null;
      const before: Estate = isFirst ? new Map() : (state ?? new Map());
      const { counts } = drop.manifest.tables['machine_events'] ?? {};
      const vanished = expectFold(before, events, live, fail);
      expectCount('vanished', vanished, counts?.skipped['vanished'] ?? 0, fail);
      // The first drop says what there was before.
      const late = events.filter(
        ({ basis, time }) => (basis === 'recorded' || basis === 'assumed') && time < drop.start,
      );
      expectCount('late', isFirst ? 0 : late.length, counts?.late, fail);
      for (const { disk, event, time, basis } of events) {
        if (basis !== 'recorded') continue;
        const name = `${event} of ${disk} at ${iso(time)}`;
        const other = published.get(name);
        if (other !== undefined) fail(`${name} is in the drop of ${other}, too`);
        published.set(name, iso(drop.start));
      }
      // Deleted, undeleted and deleted again between two reads: of that nobody knows.
      const isUnseen = ({ disk, created, deleted }: HostRow): boolean =>
        !isFirst && deleted !== null && deleted >= drop.end && created < drop.start && !before.has(disk);
      expectLive(
        drop.end,
        live,
        rows.filter((row) => !isUnseen(row)),
        fail,
      );
      state = live;
    },
    checkPast(trace, drops, rows) {
      // Two backfills at once know different things of what lies between their windows.
      let before: { readonly run: string; readonly end: Seconds; readonly live: Estate } | undefined;
      for (const drop of drops) {
        const { fail, events, live } = open(trace, drop);
        const { run } = drop.manifest;
        if (opens(trace, drop)) before = { run, end: drop.start, live: new Map() };
        if (before?.end === drop.start && before.run === run)
          expectCount('vanished', expectFold(before.live, events, live, fail), 0, fail);
        const there = rows.filter(
          ({ created, deleted }) => created < drop.end && !((deleted ?? Infinity) < drop.end),
        );
        expectSame(
          'hosts',
          [...live.keys()],
          there.map(({ disk }) => disk),
          fail,
        );
        before = { run, end: drop.end, live };
      }
    },
    end(rows) {
      if (state === undefined) return;
      const fail = (problem: string): never => {
        throw new Error(`the last scheduled drop: ${problem}`);
      };
      expectLive(Infinity, state, rows, fail);
    },
    told: () => told,
  };
}

type Fail = (problem: string) => never;

/** Only the first drop of a release says what there was before. */
function opens({ fixed }: StoredTrace, { start }: StoredDrop): boolean {
  if (fixed?.kind !== 'release') return false;
  const { range } = JSON.parse(fixed.text) as { range: { start: string } };
  return range.start === iso(start);
}

function eventsIn(trace: StoredTrace, drop: StoredDrop): Event[] {
  return rowsOf(trace, drop, 'machine_events').map((row) => ({
    disk: Number(row['local_gb']),
    event: String(row['event']),
    time: timeOf(row['event_time']) ?? 0,
    vcpus: Number(row['vcpus']),
    basis: String(row['basis']),
    notBefore: timeOf(row['not_before']),
  }));
}

function timeOf(value: unknown): Seconds | null {
  return typeof value === 'string' ? Date.parse(value) / 1000 : null;
}

/** What is told with a CREATE, or of the time before the trace, is no event of its own. */
function isTrue({ disk, event, time, basis, notBefore }: Event, truth: readonly HostEvent[]): boolean {
  if (basis === 'opening' || basis === 'assumed') return true;
  const from = notBefore ?? time;
  return truth.some(
    (one) => one.disk === disk && one.event === event && one.time >= from && one.time <= time,
  );
}

/**
 * The state before, with the events, is the state after; no event is told of a state in which it cannot happen.
 *
 * @returns how many hosts disappeared, or were created again, without a DELETE
 */
function expectFold(before: Estate, events: readonly Event[], live: Estate, fail: Fail): number {
  const state = new Map(before);
  let vanished = 0;
  const order = ({ time, event }: Event): number =>
    time + (MACHINE_EVENTS as readonly string[]).indexOf(event) / MACHINE_EVENTS.length;
  for (const one of events.toSorted((a, b) => order(a) - order(b))) {
    const { disk, event, vcpus } = one;
    const was = state.get(disk);
    if (event === 'CREATE' && was !== undefined) vanished++;
    const isFit =
      event === 'CREATE' ||
      (was !== undefined &&
        (event === 'DELETE' ||
          (event === 'UPDATE' && was.vcpus !== vcpus) ||
          (event === 'ENABLE' && !was.isEnabled) ||
          (event === 'DISABLE' && was.isEnabled)));
    if (!isFit) fail(`${JSON.stringify(one)} does not fit ${JSON.stringify(was)}`);
    if (event === 'DELETE') state.delete(disk);
    else {
      const isEnabled = event === 'ENABLE' || (event === 'UPDATE' && was?.isEnabled === true);
      state.set(disk, { vcpus, isEnabled });
    }
  }
  for (const disk of state.keys()) {
    if (live.has(disk)) continue;
    state.delete(disk);
    vanished++;
  }
  const how = `machines after ${JSON.stringify([...before])} and ${JSON.stringify(events)}`;
  expectSame(how, [...live].map(stateText), [...state].map(stateText), fail);
  return vanished;
}

const stateText = ([disk, state]: [number, object]): string => `${disk} ${JSON.stringify(state)}`;

/** @param end changes that are recorded later are left to the next drop */
function expectLive(end: Seconds, live: Estate, rows: readonly HostRow[], fail: Fail): void {
  const there = rows.filter(({ created, deleted }) => created < end && (deleted ?? Infinity) >= end);
  expectSame(
    'hosts',
    [...live.keys()],
    there.map(({ disk }) => disk),
    fail,
  );
  for (const { disk, deleted, vcpus, isEnabled, switched } of there) {
    const told = live.get(disk);
    if (deleted !== null || told === undefined) continue;
    if (told.vcpus !== vcpus) fail(`host ${disk} has ${told.vcpus} CPUs, and by the source ${vcpus}`);
    if ((switched ?? -Infinity) < end && told.isEnabled !== isEnabled)
      fail(`host ${disk} is ${told.isEnabled ? '' : 'not '}enabled, and by the source otherwise`);
  }
}

function expectCount(what: string, found: number, told: number | undefined, fail: Fail): void {
  if (found !== told) fail(`${what}: ${told}, and by the model ${found}`);
}

function expectSame(
  what: string,
  found: readonly (string | number)[],
  expected: readonly (string | number)[],
  fail: Fail,
): void {
  const [left, right] = [found, expected].map((list) => list.map(String).toSorted().join('; '));
  if (left !== right) fail(`${what}: ${left}, and by the model ${right}`);
}
