import type { MachinesRead } from '../../../lib/source/machines/found.ts';
import {
  type HostsOptions,
  type NodeRow,
  type ProviderRow,
  type ServiceRow,
  machinesOf,
} from '../../../lib/source/nova-db/host-rows.ts';
import { type Columns, type RecordedChange, apply, readRecording, seconds } from './recorded-changes.ts';

/*
 * Recorded from a real Nova 26.2 with Placement, every table read once a second while hosts were disabled, killed, grown,
 * removed and renamed: each change of the columns that machines are made of.
 */

/** What really happened to hosts, and when, by the columns that changed. */
export interface TrueEvent {
  readonly time: number;
  readonly host: string;
  readonly event: string;
}

export interface RecordedMachines {
  readonly start: number;
  readonly end: number;
  readonly truth: readonly TrueEvent[];
  /** What a reader finds at a time; times do not decrease. */
  readAt(time: number, options?: HostsOptions): MachinesRead;
}

export async function recordedMachines(): Promise<RecordedMachines> {
  const { changes, advance, rows } = await readRecording('machines');
  const truth = truthOf(changes);
  return {
    // What there was at first is read within the first seconds.
    start: Math.ceil(changes[0]?.t ?? 0) + 120,
    end: Math.ceil(changes.at(-1)?.t ?? 0),
    truth,
    readAt(time, options = { forcedDownDisables: false }) {
      advance(time);
      const services = [...rows('services'), ...rows('shadow_services')].map(serviceOf);
      const nodes = [...rows('compute_nodes'), ...rows('shadow_compute_nodes')].map(nodeOf);
      const at = Math.floor(time);
      return {
        at,
        partial: false,
        parts: ['cell1'],
        machines: machinesOf('cell1', services, nodes, providersOf(rows), at, options),
      };
    },
  };
}

function serviceOf(row: Columns): ServiceRow {
  return {
    id: Number(row['id']),
    host: String(row['host']),
    created: seconds(row['created_at']),
    deleted: Number(row['deleted']) === 0 ? null : seconds(row['deleted_at']),
    disabled: row['disabled'] === 1,
    forcedDown: row['forced_down'] === 1,
    updated: seconds(row['updated_at']),
    seen: seconds(row['last_seen_up']),
  };
}

function nodeOf(row: Columns): NodeRow {
  return {
    id: Number(row['id']),
    uuid: String(row['uuid']),
    host: String(row['host']),
    node: String(row['hypervisor_hostname']),
    created: seconds(row['created_at']),
    updated: seconds(row['updated_at']),
    deleted: Number(row['deleted']) === 0 ? null : seconds(row['deleted_at']),
    vcpus: Number(row['vcpus']),
    memoryMb: Number(row['memory_mb']),
    diskGb: Number(row['local_gb']),
  };
}

function providersOf(rows: (table: string) => Columns[]): Map<string, ProviderRow> {
  const inventories = rows('inventories');
  const traits = rows('resource_provider_traits');
  return new Map(
    rows('resource_providers').map(({ id, uuid }) => {
      const own = inventories.filter((row) => row['resource_provider_id'] === id);
      const times = own.flatMap((row) => seconds(row['updated_at']) ?? []);
      const trait = traits.find((row) => row['resource_provider_id'] === id);
      const amounts = own.map((row) =>
        [row['resource_class_id'], row['reserved'], row['allocation_ratio']].join(':'),
      );
      return [
        String(uuid),
        {
          changed: times.length === 0 ? null : Math.max(...times),
          amounts: amounts.toSorted().join(),
          disabledAt: seconds(trait?.['created_at']),
        },
      ];
    }),
  );
}

function truthOf(changes: readonly RecordedChange[]): TrueEvent[] {
  const truth: TrueEvent[] = [];
  const tables = new Map<string, Map<string, Columns>>();
  for (const change of changes) {
    const { t, table, key, row = {} } = change;
    const before = tables.get(table)?.get(key);
    const host = String(before?.['host']);
    const time = seconds(row['updated_at']) ?? t;
    if (before !== undefined && table === 'services' && 'disabled' in row)
      truth.push({ time, host, event: row['disabled'] === 1 ? 'DISABLE' : 'ENABLE' });
    const grows = ['vcpus', 'memory_mb', 'local_gb'].some((column) => column in row);
    if (before !== undefined && table === 'compute_nodes' && grows)
      truth.push({ time, host, event: 'UPDATE' });
    apply(tables, change);
  }
  // The host that was removed, and came back 47 s later.
  const host = 'cmp-01.osrig';
  truth.push({ time: Date.parse('2026-11-29T20:50:41Z') / 1000, host, event: 'DELETE' });
  truth.push({ time: Date.parse('2026-11-29T20:51:28Z') / 1000, host, event: 'CREATE' });
  return truth.toSorted((a, b) => a.time - b.time);
}
