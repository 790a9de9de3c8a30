import { MINUTE, type Seconds } from '../../core/time.ts';
import type { LeaseHost } from '../../tables/leases/row.ts';
import type { FoundLease, FoundReservation, Happened, LeasesRead } from '../leases/found.ts';
import { type KnownValues, requirementsOf } from './requirements.ts';

/** Rows of Blazar's tables; times that only a fork has are null. */
export interface LeaseRow {
  readonly id: string;
  readonly created: Seconds | null;
  readonly updated: Seconds | null;
  readonly deleted: Seconds | null;
  readonly userId: string | null;
  readonly projectId: string | null;
  readonly start: Seconds;
  readonly end: Seconds;
  readonly status: string | null;
  readonly degraded: boolean;
}

export interface ReservationRow {
  readonly id: string;
  readonly leaseId: string;
  readonly type: string | null;
  readonly status: string | null;
  readonly updated: Seconds | null;
  /** Resources are missing, or were exchanged. */
  readonly degraded: boolean;
  /** Of hosts. */
  readonly countRange: string | null;
  /** Of servers. */
  readonly size: readonly (number | null)[] | null;
  readonly amount: number | null;
  readonly requirements: string | null;
}

export interface EventRow {
  readonly leaseId: string;
  readonly type: string | null;
  readonly time: Seconds | null;
  readonly status: string | null;
  readonly updated: Seconds | null;
  readonly deleted: Seconds | null;
}

export interface AllocationRow {
  readonly reservationId: string;
  readonly host: LeaseHost;
  readonly set: Seconds | null;
  readonly deleted: Seconds | null;
}

export interface BlazarRows {
  readonly leases: readonly LeaseRow[];
  readonly reservations: readonly ReservationRow[];
  readonly events: readonly EventRow[];
  readonly allocations: readonly AllocationRow[];
}

/** Kinds that are told by name: another one would be somebody's own. */
const TYPES: ReadonlySet<string> = new Set([
  'physical:host',
  'virtual:instance',
  'flavor:instance',
  'virtual:floatingip',
  'network',
  'device',
]);

/**
 * @param at when they were read
 * @param known which properties are told, and which values of them hosts have
 */
export function leasesOf(
  { leases, reservations, events, allocations }: BlazarRows,
  at: Seconds,
  known: KnownValues,
): LeasesRead {
  const reservationsOf = Map.groupBy(reservations, ({ leaseId }) => leaseId);
  const eventsOf = Map.groupBy(events, ({ leaseId }) => leaseId);
  const allocationsOf = Map.groupBy(allocations, ({ reservationId }) => reservationId);
  return {
    at,
    leases: leases.map((lease) =>
      leaseOf(
        lease,
        (reservationsOf.get(lease.id) ?? []).toSorted((a, b) => (a.id < b.id ? -1 : 1)),
        eventsOf.get(lease.id) ?? [],
        allocationsOf,
        known,
      ),
    ),
  };
}

function leaseOf(
  lease: LeaseRow,
  reservations: readonly ReservationRow[],
  events: readonly EventRow[],
  allocationsOf: ReadonlyMap<string, readonly AllocationRow[]>,
  known: KnownValues,
): FoundLease {
  const { id, userId, projectId, created, updated, deleted, start, end, status } = lease;
  const [startEvent, endEvent] = ['start_lease', 'end_lease'].map((type) =>
    events.find((event) => event.type === type),
  );
  const started = doneAt(startEvent, lease);
  const ended = doneAt(endEvent, lease);
  const broken = [startEvent, endEvent].find((event) => event?.status === 'ERROR');
  const isFailed = broken !== undefined || status === 'ERROR';
  const degraded = reservations.filter((reservation) => reservation.degraded);
  const held = reservations.flatMap((reservation) => allocationsOf.get(reservation.id) ?? []);
  return {
    id,
    userId,
    projectId,
    created,
    updated,
    deleted,
    start,
    end,
    phase: phaseOf(status),
    started: started ?? (ended === null ? null : { time: Math.min(start, ended.time), assumed: true }),
    ended:
      ended === null || started === null ? ended : { ...ended, time: Math.max(ended.time, started.time) },
    failed: isFailed ? { time: broken?.deleted === null ? broken.updated : null } : null,
    startSet: setAt(startEvent, start),
    endSet: setAt(endEvent, end),
    hostsSet: newest(held.filter((allocation) => allocation.deleted === null).map(({ set }) => set)),
    degraded: lease.degraded || degraded.length > 0,
    degradedBy: newest(degraded.map((reservation) => reservation.updated)),
    reservations: reservations.map((reservation) =>
      reservationOf(reservation, allocationsOf.get(reservation.id) ?? [], known),
    ),
  };
}

function phaseOf(status: string | null): FoundLease['phase'] {
  switch (status) {
    case 'CREATING':
      return 'made';
    case 'DELETING':
      return 'deleting';
    case 'UPDATING':
    case 'STARTING':
    case 'TERMINATING':
      return 'passing';
    default:
      return 'settled';
  }
}

/**
 * When an event was done: its row says so, until a soft delete, which overwrites that. Then its plan has to do, which is
 * some seconds early, and lies within the life of the lease.
 */
function doneAt(event: EventRow | undefined, lease: LeaseRow): Happened | null {
  if (event?.status !== 'DONE') return null;
  const isOverwritten = event.deleted !== null || lease.deleted !== null;
  if (!isOverwritten && event.updated !== null) return { time: event.updated, assumed: false };
  const planned = event.time ?? (event.type === 'start_lease' ? lease.start : lease.end);
  const last = Math.min(event.deleted ?? Infinity, lease.deleted ?? Infinity);
  return { time: Math.min(Math.max(planned, lease.created ?? planned), last), assumed: true };
}

/** When a plan was set: an open event is touched by nothing else. One that was never changed has no such time. */
function setAt(event: EventRow | undefined, planned: Seconds): Seconds | null {
  const isOpen = event?.status === 'UNDONE' && event.deleted === null && event.time === planned;
  return isOpen ? event.updated : null;
}

function reservationOf(
  { id, type, countRange, size, amount, requirements }: ReservationRow,
  allocations: readonly AllocationRow[],
  known: KnownValues,
): FoundReservation {
  const [min = null, max = min] = /^\d+-\d+$/.test(countRange ?? '')
    ? String(countRange).split('-').map(Number)
    : [amount];
  return {
    id,
    type: type !== null && TYPES.has(type) ? type : null,
    min,
    max,
    properties: requirementsOf(requirements, size, known),
    hosts: hostsOf(allocations),
  };
}

/** Allocations that went at the end of the lease went together: where they are kept, they are its last hosts. */
function hostsOf(allocations: readonly AllocationRow[]): LeaseHost[] {
  const live = allocations.filter(({ deleted }) => deleted === null);
  if (live.length > 0) return distinct(live);
  const last = newest(allocations.map(({ deleted }) => deleted));
  return distinct(allocations.filter(({ deleted }) => (deleted ?? 0) > (last ?? 0) - MINUTE));
}

/** A reservation of servers has a row for each of them. */
function distinct(allocations: readonly AllocationRow[]): LeaseHost[] {
  return [...new Map(allocations.map(({ host }) => [JSON.stringify([host.host, host.node]), host])).values()];
}

function newest(times: readonly (Seconds | null)[]): Seconds | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.max(...known);
}
