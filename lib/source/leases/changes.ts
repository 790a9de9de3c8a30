import type { Seconds } from '../../core/time.ts';
import type { Window } from '../../core/window.ts';
import { LEASE_EVENTS, type LeaseEventName } from '../../tables/lease-events/row.ts';
import type { Told } from '../../tables/told.ts';
import type { TellingTimes } from '../telling-times.ts';
import type { FoundLease, Happened } from './found.ts';
import type { KnownLease } from './state.ts';

export interface Seen {
  readonly lease: FoundLease;
  /** Undefined for one that was not there. */
  readonly known: KnownLease | undefined;
  /** Changes are later than that. */
  readonly since: Seconds;
  /** When it was read. */
  readonly at: Seconds;
  readonly window: Window;
  /** Salted hash of its hosts; null where they are not shown. */
  readonly hosts: string | null;
  readonly nodeCount: number | null;
}

/** Takes what happened, and the lease as it is after it. */
export type Tell = (event: LeaseEventName, told: Told, after: KnownLease) => void;

interface Change {
  readonly event: LeaseEventName;
  readonly time: Seconds;
  /** Undefined for what is not told. */
  readonly told: Told | undefined;
  readonly makes: Partial<KnownLease>;
}

/**
 * Tells the changes of one lease, and gives it as the window leaves it. What is recorded to have come after the window is
 * left to the next one.
 */
export function changesOf(seen: Seen, times: TellingTimes, tell: Tell): KnownLease {
  const { changes, heldSince } = findChanges(seen, times);
  const before = seen.known ?? fresh(seen);
  const shown = before.hosts === null && before.ended === null ? seen : before;
  let now: KnownLease = { ...before, hosts: shown.hosts, nodeCount: shown.nodeCount, since: heldSince };
  // Each row has the state of its own time.
  for (const { event, told, makes } of changes.toSorted(byTime)) {
    now = { ...now, ...makes };
    if (told !== undefined) tell(event, told, now);
  }
  const { phase, updated } = seen.lease;
  return { ...now, deleting: phase === 'deleting' ? updated : null };
}

function byTime(a: Change, b: Change): number {
  return a.time - b.time || LEASE_EVENTS.indexOf(a.event) - LEASE_EVENTS.indexOf(b.event);
}

/** What is left to the next window is later than `heldSince`; null where nothing is left. */
function findChanges(seen: Seen, times: TellingTimes): { changes: Change[]; heldSince: Seconds | null } {
  const { lease, window, since, at } = seen;
  const known = seen.known ?? fresh(seen);
  const changes: Change[] = [];
  let heldSince: Seconds | null = null;
  const hold = (from: Seconds): void => {
    heldSince = Math.min(from, heldSince ?? Infinity);
  };
  /** Something with a time of its own. */
  const happened = (
    event: LeaseEventName,
    { time, assumed }: Happened,
    makes: Partial<KnownLease> = {},
  ): void => {
    if (time >= window.end) hold(window.end);
    else changes.push({ event, time, told: times.recorded(time, assumed ? 'assumed' : 'recorded'), makes });
  };
  /** Something whose time is recorded only at times, and else lies between the last read and `by`. */
  const changed = (
    event: LeaseEventName,
    recorded: Seconds | null,
    by: Seconds | null,
    makes: Partial<KnownLease>,
  ): void => {
    if (recorded !== null && recorded > since) {
      happened(event, { time: recorded, assumed: false }, makes);
      return;
    }
    // Nothing changes after the end.
    const latest = Math.min(by ?? at, lease.ended?.time ?? at, lease.deleted ?? at, at);
    const told = times.bounded(Math.max(since, latest), since);
    if (told === undefined) hold(since);
    else changes.push({ event, time: told.time, told, makes });
  };

  const { started, ended, failed, deleted, created, phase } = lease;
  const isOver = ended !== null || deleted !== null;
  if (seen.known === undefined) happened('CREATE', { time: created ?? window.start, assumed: false });
  if (phase === 'settled' || isOver) changePlan(seen, known, changed);
  if (phase === 'passing' && !isOver) hold(since);
  // Hosts that are shown for the first time are no change.
  const wereShown = seen.known === undefined || known.hosts !== null;
  if (phase === 'settled' && !isOver && wereShown && seen.hosts !== null && known.hosts !== seen.hosts) {
    const { hosts, nodeCount } = seen;
    changed('UPDATE', lease.hostsSet, null, { hosts, nodeCount });
  }
  if (started !== null && known.started === null) happened('START', started, { started: started.time });
  if (lease.degraded && !known.degraded) changed('DEGRADE', null, lease.degradedBy, { degraded: true });
  if (failed !== null && !known.failed) changed('ERROR', failed.time, lease.updated, { failed: true });
  if (ended !== null && known.ended === null) happened('END', ended, { ended: ended.time, hosts: null });
  if (deleted !== null) happened('DELETE', { time: deleted, assumed: false }, { deleted: true, hosts: null });
  return { changes, heldSince };
}

/** As it was made, before anything came of it: what is told of it first is its present plan. */
function fresh({ lease, hosts, nodeCount }: Seen): KnownLease {
  return {
    start: lease.start,
    end: lease.end,
    created: lease.created,
    started: null,
    ended: null,
    failed: false,
    degraded: false,
    deleted: false,
    since: null,
    deleting: null,
    nodeCount,
    hosts,
    sealed: null,
  };
}

function changePlan(
  { lease }: Seen,
  known: KnownLease,
  changed: (
    event: 'UPDATE',
    recorded: Seconds | null,
    by: Seconds | null,
    makes: Partial<KnownLease>,
  ) => void,
): void {
  const { start, end, startSet, endSet, started, updated, deleted } = lease;
  if (start === known.start && end === known.end) return;
  const sets = [...(start === known.start ? [] : [startSet]), ...(end === known.end ? [] : [endSet])];
  const recorded = sets.every((set) => set !== null) ? Math.max(...sets.map(Number)) : null;
  // One that has started has its start behind it.
  const latest = start === known.start || started === null ? Infinity : started.time;
  const by = Math.min(latest, deleted === null ? (updated ?? Infinity) : Infinity);
  changed('UPDATE', recorded, Number.isFinite(by) ? by : null, { start, end });
}
