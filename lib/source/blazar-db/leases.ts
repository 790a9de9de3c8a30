import type { Seconds } from '../../core/time.ts';
import type { LeasesRead } from '../leases/found.ts';
import { unixSeconds } from '../nova-db/event-rows.ts';
import type { CellSession, Value } from '../nova-db/session.ts';
import { readCapabilities } from './capabilities.ts';
import {
  type AllocationRow,
  type EventRow,
  type LeaseRow,
  type ReservationRow,
  leasesOf,
} from './lease-rows.ts';
import type { KnownValues } from './requirements.ts';
import { type BlazarSchema, hasColumn, readBlazarSchema, requireLeases } from './schema.ts';

/**
 * The leases of Blazar, with what a fork keeps of deleted ones. Its tables have no index on any time: each is read from
 * end to end, some ten thousand rows.
 *
 * @param names of properties that may be told of what was asked for
 * @param since leases that were deleted before are left out
 */
export async function readBlazarLeases(
  session: CellSession,
  names: readonly string[],
  since: Seconds,
): Promise<LeasesRead> {
  const schema = await readBlazarSchema(session);
  requireLeases(schema);
  const shown = shownLeases(schema, since);
  const rows = {
    leases: await readLeaseRows(session, schema, shown),
    reservations: await readReservations(session, schema, shown),
    events: await readEvents(session, schema, shown),
    allocations: await readAllocations(session, schema, shown),
  };
  return leasesOf(rows, session.began, await knownValues(session, names));
}

/** Which leases are read. */
interface Shown {
  readonly where: string;
  readonly parameters: readonly unknown[];
}

function shownLeases(schema: BlazarSchema, since: Seconds): Shown {
  if (!hasColumn(schema, 'leases', 'deleted_at')) return { where: 'TRUE', parameters: [] };
  return { where: `(l.deleted_at IS NULL OR ${unixSeconds('l.deleted_at')} >= ?)`, parameters: [since] };
}

function deletedOf(schema: BlazarSchema, table: string, alias: string): string {
  return hasColumn(schema, table, 'deleted_at') ? unixSeconds(`${alias}.deleted_at`) : 'NULL';
}

const number = (value: Value | undefined): number | null =>
  value === null || value === undefined ? null : Number(value);
const string = (value: Value | undefined): string | null =>
  value === null || value === undefined ? null : String(value);

async function readLeaseRows(
  { query }: CellSession,
  schema: BlazarSchema,
  { where, parameters }: Shown,
): Promise<LeaseRow[]> {
  const rows = await query(
    `SELECT l.id, ${unixSeconds('l.created_at')}, ${unixSeconds('l.updated_at')}, ${deletedOf(schema, 'leases', 'l')}, ` +
      `l.user_id, l.project_id, ${unixSeconds('l.start_date')}, ${unixSeconds('l.end_date')}, l.status, l.degraded ` +
      `FROM leases l WHERE ${where}`,
    parameters,
  );
  return rows.map(([id, created, updated, deleted, userId, projectId, start, end, status, degraded]) => ({
    id: String(id),
    created: number(created),
    updated: number(updated),
    deleted: number(deleted),
    userId: string(userId),
    projectId: string(projectId),
    start: Number(start),
    end: Number(end),
    status: string(status),
    degraded: Number(degraded) !== 0,
  }));
}

async function readReservations(
  { query }: CellSession,
  schema: BlazarSchema,
  { where, parameters }: Shown,
): Promise<ReservationRow[]> {
  const kept = (table: string, alias: string): string =>
    hasColumn(schema, table, 'deleted_at')
      ? ` AND (${alias}.deleted_at IS NULL OR l.deleted_at IS NOT NULL)`
      : '';
  const servers = hasColumn(schema, 'instance_reservations', 'resource_properties');
  const rows = await query(
    `SELECT r.id, r.lease_id, r.resource_type, r.status, ${unixSeconds('r.updated_at')}, ` +
      'COALESCE(r.missing_resources, 0) OR COALESCE(r.resources_changed, 0), h.count_range, i.reservation_id, i.vcpus, ' +
      `i.memory_mb, i.disk_gb, i.amount, COALESCE(h.resource_properties, ${servers ? 'i.resource_properties' : 'NULL'}) ` +
      `FROM leases l JOIN reservations r ON r.lease_id = l.id${kept('reservations', 'r')} ` +
      `LEFT JOIN computehost_reservations h ON h.reservation_id = r.id ` +
      `LEFT JOIN instance_reservations i ON i.reservation_id = r.id WHERE ${where}`,
    parameters,
  );
  const byId = new Map<string, ReservationRow>();
  for (const [id, leaseId, type, status, updated, degraded, range, isServers, ...more] of rows) {
    const [vcpus, memoryMb, diskGb, amount, requirements] = more;
    byId.set(String(id), {
      id: String(id),
      leaseId: String(leaseId),
      type: string(type),
      status: string(status),
      updated: number(updated),
      degraded: Number(degraded) !== 0,
      countRange: string(range),
      size: isServers === null ? null : [number(vcpus), number(memoryMb), number(diskGb)],
      amount: number(amount),
      requirements: string(requirements),
    });
  }
  return [...byId.values()];
}

async function readEvents(
  { query }: CellSession,
  schema: BlazarSchema,
  { where, parameters }: Shown,
): Promise<EventRow[]> {
  const rows = await query(
    `SELECT e.lease_id, e.event_type, ${unixSeconds('e.time')}, e.status, ${unixSeconds('e.updated_at')}, ` +
      `${deletedOf(schema, 'events', 'e')} FROM leases l JOIN events e ON e.lease_id = l.id ` +
      `WHERE ${where} AND e.event_type IN ('start_lease', 'end_lease') ORDER BY e.time`,
    parameters,
  );
  return rows.map(([leaseId, type, time, status, updated, deleted]) => ({
    leaseId: String(leaseId),
    type: string(type),
    time: number(time),
    status: string(status),
    updated: number(updated),
    deleted: number(deleted),
  }));
}

/** Hosts are joined by id within Blazar, and told by their names: Blazar keeps the id that Nova gave once. */
async function readAllocations(
  { query }: CellSession,
  schema: BlazarSchema,
  { where, parameters }: Shown,
): Promise<AllocationRow[]> {
  const rows = await query(
    'SELECT a.reservation_id, h.service_name, h.hypervisor_hostname, ' +
      `${unixSeconds('GREATEST(a.created_at, COALESCE(a.updated_at, a.created_at))')}, ` +
      `${deletedOf(schema, 'computehost_allocations', 'a')} FROM leases l JOIN reservations r ON r.lease_id = l.id ` +
      'JOIN computehost_allocations a ON a.reservation_id = r.id JOIN computehosts h ON h.id = a.compute_host_id ' +
      `WHERE ${where}`,
    parameters,
  );
  return rows.map(([reservationId, host, node, set, deleted]) => ({
    reservationId: String(reservationId),
    host: { host: string(host), node: string(node) },
    set: number(set),
    deleted: number(deleted),
  }));
}

async function knownValues(session: CellSession, names: readonly string[]): Promise<KnownValues> {
  const hosts = [...(await readCapabilities(session, names)).values()];
  return new Map(names.map((name) => [name, new Set(hosts.flatMap(({ values }) => values.get(name) ?? []))]));
}
