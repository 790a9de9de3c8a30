import { SourceError } from '../../core/errors.ts';
import type { CellSession } from '../nova-db/session.ts';

/** The columns of Blazar's tables that this user may read, by table: releases and forks differ. */
export type BlazarSchema = ReadonlyMap<string, ReadonlySet<string>>;

/** What is read, column by column: the others hold names, trusts and addresses. */
export const BLAZAR_COLUMNS = {
  leases: [
    'id',
    'created_at',
    'updated_at',
    'user_id',
    'project_id',
    'start_date',
    'end_date',
    'status',
    'degraded',
  ],
  reservations: [
    'id',
    'lease_id',
    'resource_type',
    'status',
    'updated_at',
    'missing_resources',
    'resources_changed',
  ],
  events: ['lease_id', 'event_type', 'time', 'status', 'updated_at'],
  computehosts: ['id', 'hypervisor_hostname', 'service_name'],
  computehost_reservations: ['reservation_id', 'resource_properties', 'count_range'],
  computehost_allocations: ['compute_host_id', 'reservation_id', 'created_at', 'updated_at'],
  instance_reservations: ['reservation_id', 'vcpus', 'memory_mb', 'disk_gb', 'amount'],
} as const;

/** Of hosts; which of the last two there is, and how they are joined, depends on the release. */
export const CAPABILITY_TABLES = [
  'computehost_extra_capabilities',
  'resource_properties',
  'extra_capabilities',
] as const;

export async function readBlazarSchema(session: CellSession): Promise<BlazarSchema> {
  const rows = await session.query(
    'SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = DATABASE()' +
      ' AND table_name IN (?)',
    [[...Object.keys(BLAZAR_COLUMNS), ...CAPABILITY_TABLES]],
  );
  const columns = new Map<string, Set<string>>();
  for (const [table, column] of rows) {
    const name = String(table);
    columns.set(name, (columns.get(name) ?? new Set()).add(String(column).toLowerCase()));
  }
  return columns;
}

/** Columns of leases that this user may not read, or that are missing, as `leases (status)`. */
export function lackingColumns(schema: BlazarSchema): string[] {
  return Object.entries(BLAZAR_COLUMNS).flatMap(([table, needed]) => {
    const known = schema.get(table);
    const lacking = needed.filter((column) => known?.has(column) !== true);
    return lacking.length === 0 ? [] : [`${table} (${lacking.join(', ')})`];
  });
}

/** @throws SourceError naming all that is lacking */
export function requireLeases(schema: BlazarSchema): void {
  const lacking = lackingColumns(schema);
  if (lacking.length === 0) return;
  throw new SourceError(
    `blazar: may not be read, or is missing: ${lacking.join(', ')}; grant SELECT on these columns, or leave leases and ` +
      'lease_events out of STAR_TABLES',
    { transient: false },
  );
}

export function hasColumn(schema: BlazarSchema, table: string, column: string): boolean {
  return schema.get(table)?.has(column) === true;
}
