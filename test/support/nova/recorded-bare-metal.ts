import { leasesOf } from '../../../lib/source/blazar-db/lease-rows.ts';
import type { LeasesRead } from '../../../lib/source/leases/found.ts';
import type { MachinesRead } from '../../../lib/source/machines/found.ts';
import { bareMetalOf } from '../../../lib/source/ironic-db/node-rows.ts';
import { jsonObject } from '../../../lib/source/ironic-db/nodes.ts';
import { type Columns, type RecordedChange, apply, readRecording, seconds } from './recorded-changes.ts';

/*
 * Recorded from a real Ironic 21.4, Blazar 10.0 and Nova 26.2 with Ironic's driver, every table read once a second while
 * nodes were enrolled, maintained, changed, deleted and enrolled again, and leases of each kind made, changed and ended:
 * each change of the columns that machines and leases are made of.
 */

/** What really happened, and when, by the columns that changed. */
export interface TrueEvent {
  readonly time: number;
  /** A node's uuid, or a lease's id. */
  readonly of: string;
  readonly event: string;
}

export interface RecordedBareMetal {
  readonly start: number;
  readonly end: number;
  readonly nodes: readonly TrueEvent[];
  readonly leases: readonly TrueEvent[];
  /** What a reader finds at a time; times do not decrease. */
  machinesAt(time: number): MachinesRead;
  leasesAt(time: number): LeasesRead;
}

export const CHOICE = { names: ['node_type', 'resource_class', 'cpu_arch'], rack: 'placement.rack' };

const text = (value: string | number | null | undefined): string | null =>
  value === null || value === undefined ? null : String(value);
const number = (value: unknown): number | null => (typeof value === 'number' ? value : null);

export async function recordedBareMetal(): Promise<RecordedBareMetal> {
  const { changes, advance, rows } = await readRecording('baremetal');
  return {
    start: Math.floor(changes[0]?.t ?? 0) - 10,
    end: Math.ceil(changes.at(-1)?.t ?? 0),
    nodes: nodeTruth(changes),
    leases: leaseTruth(changes),
    machinesAt(time) {
      advance(time);
      const novaNodes = [...rows('compute_nodes'), ...rows('shadow_compute_nodes')].map((row) => ({
        uuid: String(row['hypervisor_hostname']),
        created: seconds(row['created_at']),
        deleted: Number(row['deleted']) === 0 ? null : seconds(row['deleted_at']),
      }));
      const nodes = rows('nodes').map((row) => ({
        uuid: String(row['uuid']),
        created: seconds(row['created_at']),
        updated: seconds(row['updated_at']),
        provisionState: text(row['provision_state']),
        maintenance: row['maintenance'] === 1,
        resourceClass: text(row['resource_class']),
        properties: jsonObject(row['properties']),
        extra: jsonObject(row['extra']),
      }));
      return bareMetalOf({ nodes, novaNodes, capabilities: undefined }, Math.floor(time), CHOICE);
    },
    leasesAt(time) {
      advance(time);
      const byId = (table: string, key: string): Map<unknown, Columns> =>
        new Map(rows(table).map((row) => [row[key], row]));
      const hosts = byId('computehosts', 'id');
      const ofHosts = byId('computehost_reservations', 'reservation_id');
      const ofServers = byId('instance_reservations', 'reservation_id');
      return leasesOf(
        {
          leases: rows('leases').map((row) => ({
            id: String(row['id']),
            created: seconds(row['created_at']),
            updated: seconds(row['updated_at']),
            deleted: null,
            userId: text(row['user_id']),
            projectId: text(row['project_id']),
            start: seconds(row['start_date']) ?? 0,
            end: seconds(row['end_date']) ?? 0,
            status: text(row['status']),
            degraded: row['degraded'] === 1,
          })),
          reservations: rows('reservations').map((row) => {
            const servers = ofServers.get(row['id']);
            const { resource_properties: requirements, count_range: range } = ofHosts.get(row['id']) ?? {};
            return {
              id: String(row['id']),
              leaseId: String(row['lease_id']),
              type: text(row['resource_type']),
              status: text(row['status']),
              updated: seconds(row['updated_at']),
              degraded: row['missing_resources'] === 1 || row['resources_changed'] === 1,
              countRange: text(range),
              size:
                servers === undefined
                  ? null
                  : ['vcpus', 'memory_mb', 'disk_gb'].map((name) => number(servers[name])),
              amount: number(servers?.['amount']),
              requirements: text(requirements),
            };
          }),
          events: rows('events').map((row) => ({
            leaseId: String(row['lease_id']),
            type: text(row['event_type']),
            time: seconds(row['time']),
            status: text(row['status']),
            updated: seconds(row['updated_at']),
            deleted: null,
          })),
          allocations: rows('computehost_allocations').map((row) => {
            const host = hosts.get(row['compute_host_id']);
            return {
              reservationId: String(row['reservation_id']),
              host: { host: text(host?.['service_name']), node: text(host?.['hypervisor_hostname']) },
              set: seconds(row['updated_at']) ?? seconds(row['created_at']),
              deleted: null,
            };
          }),
        },
        Math.floor(time),
        new Map([['node_type', new Set(['compute_haswell_bm'])]]),
      );
    },
  };
}

/** Goes through the changes with the rows before and after each of them. */
function* walk(
  changes: readonly RecordedChange[],
): Generator<{ t: number; table: string; before: Columns | undefined; after: Columns | undefined }> {
  const tables = new Map<string, Map<string, Columns>>();
  for (const change of changes) {
    const before = tables.get(change.table)?.get(change.key);
    apply(tables, change);
    yield { t: change.t, table: change.table, before, after: tables.get(change.table)?.get(change.key) };
  }
}

function nodeTruth(changes: readonly RecordedChange[]): TrueEvent[] {
  const truth: TrueEvent[] = [];
  for (const { t, table, before, after } of walk(changes)) {
    if (table !== 'nodes') continue;
    const of = String((after ?? before)?.['uuid']);
    const time = seconds(after?.['updated_at']) ?? t;
    if (before === undefined) truth.push({ time: seconds(after?.['created_at']) ?? t, of, event: 'CREATE' });
    else if (after === undefined) truth.push({ time: t, of, event: 'DELETE' });
    else {
      if (before['maintenance'] !== after['maintenance'])
        truth.push({ time, of, event: after['maintenance'] === 1 ? 'DISABLE' : 'ENABLE' });
      if (told(before) !== told(after)) truth.push({ time, of, event: 'UPDATE' });
    }
  }
  return truth.toSorted((a, b) => a.time - b.time);
}

/** What is told of a node's capacity. */
function told(row: Columns): string {
  const { cpus, memory_mb: memory, local_gb: disk, cpu_arch: arch } = jsonObject(row['properties']);
  return JSON.stringify([cpus, memory, disk, arch, row['resource_class']]);
}

function leaseTruth(changes: readonly RecordedChange[]): TrueEvent[] {
  const truth: TrueEvent[] = [];
  const failed = new Set<string>();
  const statuses = new Map<string, unknown>();
  const leaseOf = new Map<unknown, string>();
  for (const { t, table, before, after } of walk(changes)) {
    const row = after ?? before ?? {};
    const time = seconds(after?.['updated_at']) ?? t;
    if (table === 'leases') {
      const of = String(row['id']);
      statuses.set(of, after?.['status']);
      if (before === undefined) truth.push({ time: seconds(row['created_at']) ?? t, of, event: 'CREATE' });
      // A user's call comes first, then Blazar deletes what belongs to the lease, and the lease.
      else if (after === undefined) {
        const called = before['status'] === 'DELETING' ? seconds(before['updated_at']) : null;
        truth.push({ time: called ?? t, of, event: 'DELETE' });
      } else {
        const isPlanned =
          before['start_date'] === after['start_date'] && before['end_date'] === after['end_date'];
        if (!isPlanned) truth.push({ time, of, event: 'UPDATE' });
        if (before['degraded'] !== after['degraded']) truth.push({ time, of, event: 'DEGRADE' });
      }
    }
    if (table === 'reservations') leaseOf.set(row['id'], String(row['lease_id']));
    // While a lease is made or ends, hosts come and go with it.
    if (table === 'computehost_allocations' && before !== undefined) {
      const of = leaseOf.get(row['reservation_id']) ?? '';
      if (['PENDING', 'ACTIVE'].includes(String(statuses.get(of))))
        truth.push({ time: t, of, event: 'UPDATE' });
    }
    if (table === 'events' && after !== undefined && before?.['status'] !== after['status']) {
      const of = String(row['lease_id']);
      const name = row['event_type'] === 'start_lease' ? 'START' : 'END';
      if (row['event_type'] === 'before_end_lease') continue;
      if (after['status'] === 'DONE') truth.push({ time, of, event: name });
      if (after['status'] === 'ERROR' && !failed.has(of)) {
        failed.add(of);
        truth.push({ time, of, event: 'ERROR' });
      }
    }
  }
  return truth.toSorted((a, b) => a.time - b.time);
}
