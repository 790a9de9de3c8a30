import type { Seconds } from '../core/time.ts';
import type { Window } from '../core/window.ts';
import { LEASE_EVENTS, type MaskedLeaseEvent } from '../tables/lease-events/row.ts';
import type { LeaseStatus, MaskedLease } from '../tables/leases/row.ts';
import { type Change, tallyChanges } from './changes.ts';
import { instantsOf, levelsOf } from './levels.ts';
import { type Spread, spreadOf } from './spread.ts';

/** Statistics of the leases of a drop, as plain data for JSON. */
export interface LeaseStatistics {
  readonly rows: number;
  /** As the window left them. */
  readonly states: Readonly<Record<LeaseStatus, number>>;
  /** Distance of the instants below; the first is the window's start. */
  readonly instant: Seconds;
  /** Hosts of leases that ran at each instant, each host once. */
  readonly reserved: readonly number[];
  /** Leases that have run, and whose hosts nobody saw: they reserve nothing above. */
  readonly withoutHosts: number;
  /** Of the leases that were made in the window, as they are planned. */
  readonly lengths: Spread;
  /** Of the same: from when they were made to their planned start. */
  readonly leads: Spread;
  readonly use: LeaseUse;
  /** By the number of hosts, in order; the last has no end. Without those of nothing. */
  readonly sizes: readonly LeaseSize[];
  /** Rows by event and how their time is known; without those of nothing. */
  readonly changes: readonly Change[];
}

/** How much of the planned time was used, of the leases that were over in the window. */
export interface LeaseUse {
  readonly rows: number;
  /** They were given up before they began, or failed. */
  readonly never: number;
  /** They were given back before the planned end: by quarters of the planned time. */
  readonly quarters: readonly [number, number, number, number];
  readonly whole: number;
  /** The share that half of those given back used at most, 0 to 1; null without any. */
  readonly half: number | null;
}

export interface LeaseSize {
  readonly from: number;
  /** Null for all that are larger. */
  readonly to: number | null;
  readonly leases: number;
  /** Within the window, hosts times their time. */
  readonly hostSeconds: Seconds;
}

export interface LeaseCollector {
  addLease(lease: MaskedLease): void;
  addEvent(event: MaskedLeaseEvent): void;
  finish(): LeaseStatistics;
}

/** Keeps the leases: there are some hundreds, or thousands. */
export function collectLeases(window: Window): LeaseCollector {
  const leases: MaskedLease[] = [];
  const changes = tallyChanges(LEASE_EVENTS);
  return {
    addLease: (lease) => void leases.push(lease),
    addEvent: ({ event, basis }) => changes.add(event, basis),
    finish() {
      const made = leases.filter(({ created }) => isIn(window, created));
      const ran = leases.filter(({ started }) => started !== null);
      const states = { PENDING: 0, ACTIVE: 0, TERMINATED: 0, ERROR: 0, DELETED: 0 };
      for (const { status } of leases) states[status]++;
      return {
        rows: leases.length,
        states,
        instant: instantsOf(window).step,
        reserved: reservedOf(window, ran),
        withoutHosts: ran.filter((lease) => hostsOf(lease) === null).length,
        lengths: spreadOf(made.map(({ start, end }) => end - start)),
        // What is to start at once starts at the minute that has begun.
        leads: spreadOf(made.map(({ created, start }) => Math.max(0, start - (created ?? start)))),
        use: useOf(leases),
        sizes: sizesOf(window, leases),
        changes: changes.list(),
      };
    },
  };
}

function isIn({ start, end }: Window, time: Seconds | null): boolean {
  return time !== null && time >= start && time < end;
}

/** When a lease was over, at the latest; null for one that is not. */
function overOf({ ended, deleted }: MaskedLease): Seconds | null {
  return ended ?? deleted;
}

function hostsOf({ hosts, nodeCount }: MaskedLease): number | null {
  return hosts.length > 0 ? hosts.length : nodeCount;
}

/** Reservations of servers may share a host, which counts once; of hosts without names there is only a number. */
function reservedOf(window: Window, ran: readonly MaskedLease[]): number[] {
  const levels = levelsOf(window, instantsOf(window));
  const spans = new Map<string, [from: Seconds, to: Seconds][]>();
  for (const lease of ran) {
    const [from, to] = [lease.started ?? window.start, overOf(lease) ?? Infinity];
    if (lease.hosts.length === 0) levels.add(lease.nodeCount ?? 0, from, to);
    for (const host of lease.hosts) spans.set(host, [...(spans.get(host) ?? []), [from, to]]);
  }
  for (const ofHost of spans.values()) {
    let covered = -Infinity;
    for (const [from, to] of ofHost.toSorted(([a], [b]) => a - b)) {
      if (to > covered) levels.add(1, Math.max(from, covered), to);
      covered = Math.max(covered, to);
    }
  }
  return levels.values();
}

function useOf(leases: readonly MaskedLease[]): LeaseUse {
  const quarters: [number, number, number, number] = [0, 0, 0, 0];
  const shares: number[] = [];
  let [rows, never, whole] = [0, 0, 0];
  for (const lease of leases) {
    const { start, end, started } = lease;
    const over = overOf(lease);
    if (over === null) continue;
    rows++;
    if (started === null) never++;
    else if (over >= end) whole++;
    else {
      const share = Math.min(1, Math.max(0, over - started) / Math.max(1, end - start));
      const quarter = Math.min(3, Math.floor(share * 4)) as 0 | 1 | 2 | 3;
      quarters[quarter]++;
      shares.push(share);
    }
  }
  const half = shares.toSorted((a, b) => a - b)[Math.ceil(shares.length / 2) - 1];
  return { rows, never, quarters, whole, half: half ?? null };
}

const SIZES: readonly (readonly [from: number, to: number | null])[] = [
  [1, 1],
  [2, 2],
  [3, 4],
  [5, 8],
  [9, 16],
  [17, null],
];

function sizesOf(window: Window, leases: readonly MaskedLease[]): LeaseSize[] {
  return SIZES.flatMap(([from, to]) => {
    const own = leases.filter((lease) => {
      const hosts = hostsOf(lease) ?? 0;
      return hosts >= from && hosts <= (to ?? Infinity);
    });
    if (own.length === 0) return [];
    const hostSeconds = own.reduce((sum, lease) => sum + (hostsOf(lease) ?? 0) * timeIn(window, lease), 0);
    return [{ from, to, leases: own.length, hostSeconds }];
  });
}

/** How long a lease ran within the window. */
function timeIn({ start, end }: Window, lease: MaskedLease): Seconds {
  if (lease.started === null) return 0;
  return Math.max(0, Math.min(end, overOf(lease) ?? end) - Math.max(start, lease.started));
}
