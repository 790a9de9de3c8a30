import type { Seconds } from '../../core/time.ts';
import { placeOf } from '../../tables/instances/place.ts';
import type { LeaseEvent } from '../../tables/lease-events/row.ts';
import type { Lease } from '../../tables/leases/row.ts';
import { saltedHash } from '../salted-hash.ts';
import { type TellingTimes, tellTimes } from '../telling-times.ts';
import { changesOf } from './changes.ts';
import type { FoundLease } from './found.ts';
import { type LeaseNames, hashHosts, hostsOf, sealNames, unsealNames } from './names.ts';
import { countOf, stateAt } from './opening.ts';
import type { CompareRequest } from './request.ts';
import { rowsOf, statusOf } from './rows.ts';
import type { KnownLease, LeasesState } from './state.ts';

export interface Compared {
  /** In no order. */
  readonly events: readonly LeaseEvent[];
  /** To be handed to the next comparison. */
  readonly next: LeasesState;
  /** Everything that existed in the window, in the state to which the events lead. */
  readonly leases: readonly Lease[];
  readonly late: number;
  readonly beforeBegin: number;
  /** Leases that are gone without a trace, whose names were not kept. */
  readonly vanished: number;
}

/** What two reads of leases differ in. Touches nothing outside, so that a sampler or another source may call it. */
export function compareLeases(request: CompareRequest): Compared {
  const { read, window, begin, seal, opens, bounds } = request;
  const before = request.before ?? stateAt(window.start, read);
  const { salt } = before;
  const times = tellTimes({ continues: request.before !== undefined, window, begin, bounds });
  const next = new Map<string, KnownLease>();
  const events: LeaseEvent[] = [];
  const leases: Lease[] = [];
  const seen = new Set<string>();

  for (const lease of read.leases) {
    const key = saltedHash(salt, lease.id);
    seen.add(key);
    const known = before.leases.get(key);
    if (known?.deleted === true) {
      next.set(key, known);
      continue;
    }
    const isNew = known === undefined && (lease.phase === 'made' || (lease.created ?? 0) >= window.end);
    if (isNew || (isPast(lease, begin) && (known === undefined || request.before === undefined))) continue;
    // Once it is over its hosts are those of the last read, where their names were kept.
    const kept = unsealNames(seal, key, known?.sealed ?? null);
    const names = hostsOf(lease).length === 0 && kept !== undefined ? kept : lease;
    if (request.before === undefined && opens && known !== undefined && known.ended === null)
      events.push(...openingOf(lease, known, times));
    const since = known === undefined ? (lease.created ?? before.at) : (known.since ?? before.at);
    const hosts = hashHosts(salt, lease);
    const nodeCount = countOf(lease);
    const after = changesOf(
      { lease, known, since, at: read.at, window, hosts, nodeCount },
      times,
      (event, told, now) => events.push(...rowsOf(names, event, told, now, now.nodeCount)),
    );
    next.set(key, { ...after, sealed: after.deleted ? null : sealNames(seal, key, names) });
    if (existedIn(after, lease.deleted, window.start))
      leases.push(rowOf(names, after, after.deleted ? lease.deleted : null));
  }

  let vanished = 0;
  for (const [key, known] of before.leases) {
    if (seen.has(key) || known.deleted) continue;
    const names = unsealNames(seal, key, known.sealed);
    if (names === undefined) {
      vanished++;
      continue;
    }
    // What was asked for after the window is the next one's.
    if ((known.deleting ?? -Infinity) >= window.end) {
      next.set(key, { ...known, since: known.since ?? window.end });
      leases.push(rowOf(names, known, null));
      continue;
    }
    const since = known.since ?? before.at;
    const told =
      known.deleting === null ? times.bounded(read.at, since) : times.recorded(known.deleting, 'recorded');
    const gone = { ...known, deleted: true };
    if (told !== undefined) events.push(...rowsOf(names, 'DELETE', told, gone, known.nodeCount));
    const deleted = known.deleting ?? read.at;
    if (existedIn(gone, deleted, window.start)) leases.push(rowOf(names, gone, deleted));
  }
  return {
    events,
    next: { salt, at: read.at, until: window.end, leases: next },
    leases,
    late: times.late(),
    beforeBegin: times.beforeBegin(),
    vanished,
  };
}

/** What had ended when the trace began is no part of it, however long Blazar keeps it. */
function isPast({ ended, deleted }: FoundLease, begin: Seconds): boolean {
  return Math.min(ended?.time ?? Infinity, deleted ?? Infinity) < begin;
}

function existedIn({ ended }: KnownLease, deleted: Seconds | null, start: Seconds): boolean {
  return Math.min(ended ?? Infinity, deleted ?? Infinity) >= start;
}

/** Tells what existed when the trace began: no events, but what later ones need. */
function openingOf(lease: FoundLease, known: KnownLease, times: TellingTimes): LeaseEvent[] {
  const created = lease.created ?? known.start;
  const asMade = { ...known, started: null, failed: false };
  const rows = rowsOf(lease, 'CREATE', times.opening(created), asMade, known.nodeCount);
  if (known.started !== null) {
    const after = { ...known, failed: false };
    rows.push(...rowsOf(lease, 'START', times.opening(known.started), after, known.nodeCount));
  }
  if (known.failed)
    rows.push(
      ...rowsOf(lease, 'ERROR', times.opening(lease.failed?.time ?? created), known, known.nodeCount),
    );
  return rows;
}

function rowOf(names: LeaseNames, known: KnownLease, deleted: Seconds | null): Lease {
  const { id, userId, projectId } = names;
  const { created, start, end, started, ended, nodeCount } = known;
  return {
    id,
    userId,
    projectId,
    created,
    start,
    end,
    started,
    ended,
    deleted,
    status: statusOf(known),
    nodeCount,
    hosts: hostsOf(names),
    place: placeOf(created),
  };
}
