import type { Window } from '../core/window.ts';
import type { MaskedEvent } from '../tables/instance-events/row.ts';
import { instanceEvents } from '../tables/instance-events/table.ts';
import type { MaskedServer } from '../tables/instances/row.ts';
import { instances } from '../tables/instances/table.ts';
import type { MaskedMachineEvent } from '../tables/machine-events/row.ts';
import type { MaskedLeaseEvent } from '../tables/lease-events/row.ts';
import { leaseEvents } from '../tables/lease-events/table.ts';
import type { MaskedLease } from '../tables/leases/row.ts';
import { leases } from '../tables/leases/table.ts';
import { machineEvents } from '../tables/machine-events/table.ts';
import type { MaskedMachine } from '../tables/machines/row.ts';
import { machines } from '../tables/machines/table.ts';
import type { AnyTable } from '../tables/table.ts';
import type { HostStatistics } from './host-tallies.ts';
import { type LeaseStatistics, collectLeases } from './lease-statistics.ts';
import { type MachineStatistics, collectMachines } from './machine-statistics.ts';
import type { Ranking } from './ranking.ts';
import { type ServerStatistics, collectServers } from './server-statistics.ts';
import { type DropStatistics, collectStatistics } from './statistics.ts';

/** What a page shows of a drop's rows; of servers, machines and leases where the drop has their tables. */
export interface Collected {
  readonly statistics: DropStatistics;
  readonly servers: ServerStatistics | undefined;
  readonly machines: MachineStatistics | undefined;
  readonly leases: LeaseStatistics | undefined;
}

export interface Collector extends Disposable {
  /** Masked rows. */
  rows(table: string, rows: readonly unknown[]): void;
  /** May be asked once everything has been added. */
  finish(): Collected;
}

/** Counts the rows of all tables in one pass, and keeps none but those of machines and leases. */
export function collect(window: Window, tables: readonly AnyTable[]): Collector {
  const has = ({ name }: { readonly name: string }): boolean => tables.some((table) => table.name === name);
  const events = collectStatistics(window);
  const servers = has(instances) ? collectServers(window) : undefined;
  const hosts = has(machines) ? collectMachines(window) : undefined;
  const ofLeases = has(leases) ? collectLeases(window) : undefined;
  const takers = new Map<string, (row: unknown) => void>([
    [instanceEvents.name, (row) => events.add(row as MaskedEvent)],
    [instances.name, (row) => servers?.add(row as MaskedServer)],
    [machines.name, (row) => hosts?.addMachine(row as MaskedMachine)],
    [machineEvents.name, (row) => hosts?.addEvent(row as MaskedMachineEvent)],
    [leases.name, (row) => ofLeases?.addLease(row as MaskedLease)],
    [leaseEvents.name, (row) => ofLeases?.addEvent(row as MaskedLeaseEvent)],
  ]);
  return {
    rows(table, rows) {
      const take = takers.get(table);
      if (take !== undefined) for (const row of rows) take(row);
    },
    finish: () => ({
      statistics: events.finish(),
      servers: servers?.finish(),
      machines: hosts?.finish(),
      leases: ofLeases?.finish(),
    }),
    [Symbol.dispose]: () => events[Symbol.dispose](),
  };
}

/** The same without values of masked columns: nothing else of them is on a page. */
export function nameless(statistics: DropStatistics): DropStatistics {
  const { projects, hosts, busiestHosts, failingHosts } = statistics;
  return {
    ...statistics,
    projects: namelessRanking(projects),
    hosts: namelessRanking(hosts),
    busiestHosts: busiestHosts.map(namelessOne),
    failingHosts: failingHosts.map(namelessOne),
  };
}

function namelessOne<T extends HostStatistics | Ranking['top'][number]>(one: T): T {
  return { ...one, mask: '0'.repeat(32) };
}

function namelessRanking(ranking: Ranking): Ranking {
  return { ...ranking, top: ranking.top.map(namelessOne) };
}
