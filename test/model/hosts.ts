import type { Seconds } from '../../lib/core/time.ts';
import { type Hosts, hostsOf } from '../support/nova/hosts.ts';
import type { Random } from '../support/nova/prng.ts';
import type { Cell } from '../support/nova/schema.ts';
import { sqlTime } from '../support/nova/sql-time.ts';

/*
 * Physical hosts of a cloud that lives on. Each has a disk of a size of its own, whatever becomes of it: by that it is
 * told in drops whose masks do not join.
 */

export const HOST_STEPS = [
  'addHost',
  'removeHost',
  'returnHost',
  'renameHost',
  'undeleteHost',
  'switchHost',
  'resizeHost',
  'archiveHosts',
  'purgeHosts',
] as const;
export type HostStep = (typeof HOST_STEPS)[number];

/** What really happened to a host. */
export interface HostEvent {
  readonly disk: number;
  readonly event: string;
  readonly time: Seconds;
}

interface Host {
  readonly name: string;
  readonly disk: number;
  readonly of: Hosts;
  vcpus: number;
  isEnabled: boolean;
  state: 'live' | 'removed' | 'archived';
  /** Names that its hypervisor has had. */
  names: number;
}

export interface LivingHosts {
  /** Each at a time, as two changes within one second have no order. */
  readonly do: Readonly<Record<HostStep, (random: Random, at: Seconds) => Promise<void>>>;
  readonly truth: readonly HostEvent[];
}

const VCPUS = [16, 32, 64, 128];

export function liveHostsOn(cells: readonly Cell[]): LivingHosts {
  const inCells = cells.map(hostsOf);
  const hosts: Host[] = [];
  const truth: HostEvent[] = [];
  const some = (state: Host['state'], random: Random): Host | undefined => {
    const all = hosts.filter((host) => host.state === state);
    return all.length === 0 ? undefined : random.pick(all);
  };
  const note = ({ disk }: Host, event: string, time: Seconds): void => void truth.push({ disk, event, time });
  const sizes = ({ disk, vcpus }: Host) => ({ local_gb: disk, vcpus });
  const begin = async (host: Host, at: Seconds): Promise<void> => {
    await host.of.add(host.name, at, sizes(host));
    await host.of.beat(host.name, at);
    Object.assign(host, { state: 'live', isEnabled: true, names: 1 });
    note(host, 'CREATE', at);
  };
  return {
    truth,
    do: {
      async addHost(random, at) {
        const disk = hosts.length + 1;
        const vcpus = random.pick(VCPUS);
        const host: Host = {
          name: `cmp-${disk}`,
          disk,
          of: random.pick(inCells),
          vcpus,
          isEnabled: true,
          state: 'live',
          names: 1,
        };
        hosts.push(host);
        await begin(host, at);
      },
      async removeHost(random, at) {
        const host = some('live', random);
        if (host === undefined) return;
        host.state = 'removed';
        await host.of.remove(host.name, at);
        note(host, 'DELETE', at);
      },
      async returnHost(random, at) {
        const host = some(random.pick(['removed', 'archived'] as const), random);
        if (host === undefined) return;
        if (random.chance(0.5)) host.vcpus = random.pick(VCPUS);
        await begin(host, at);
      },
      async renameHost(random, at) {
        const host = some('live', random);
        if (host === undefined) return;
        if (random.chance(0.3)) host.vcpus = random.pick(VCPUS);
        await host.of.rename(host.name, `${host.name}-${++host.names}.example`, at, sizes(host));
        note(host, 'DELETE', at);
        for (const event of ['CREATE', 'UPDATE', ...(host.isEnabled ? [] : ['DISABLE'])])
          note(host, event, at + 1);
      },
      async undeleteHost(random, at) {
        const host = some('removed', random);
        if (host === undefined) return;
        host.state = 'live';
        await host.of.undelete(host.name, at);
        note(host, 'CREATE', at);
        note(host, host.isEnabled ? 'ENABLE' : 'DISABLE', at);
      },
      async switchHost(random, at) {
        const host = some('live', random);
        if (host === undefined) return;
        host.isEnabled = !host.isEnabled;
        await host.of[host.isEnabled ? 'enable' : 'disable'](host.name, at);
        // The next heartbeat hides when.
        if (random.chance(0.5)) await host.of.beat(host.name, at);
        note(host, host.isEnabled ? 'ENABLE' : 'DISABLE', at);
      },
      async resizeHost(random, at) {
        const host = some('live', random);
        if (host === undefined) return;
        host.vcpus = random.pick(VCPUS);
        await host.of.resize(host.name, host.vcpus, at);
        note(host, 'UPDATE', at);
      },
      async archiveHosts() {
        for (const cell of inCells) await cell.archive();
        for (const host of hosts) if (host.state === 'removed') host.state = 'archived';
      },
      async purgeHosts() {
        for (const cell of inCells) await cell.purge();
      },
    },
  };
}

/** Besides nova-computes other services report, which no one removes: heartbeats never go back. */
export async function beatOn(cells: readonly Cell[], at: Seconds): Promise<void> {
  const row =
    "REPLACE INTO services (id, host, `binary`, topic, report_count, deleted, updated_at) VALUES (1000000, 'ctl-1', 'nova-conductor', 'conductor', 1, 0, ?)";
  for (const cell of cells) await cell.query(row, [sqlTime(at)]);
}

/** A row of `compute_nodes`, wherever it stands, and the service of its host. */
export interface HostRow {
  readonly disk: number;
  readonly vcpus: number;
  readonly created: Seconds;
  readonly deleted: Seconds | null;
  readonly isEnabled: boolean;
  /** When its service was enabled or disabled last; null where the next heartbeat hides it. */
  readonly switched: Seconds | null;
}

/** What the source has, by the plainest select. */
export async function hostRows(cells: readonly Cell[]): Promise<HostRow[]> {
  const all = cells.map((cell) =>
    cell.query(
      `SELECT n.local_gb, n.vcpus, n.created_at, IF(n.deleted = 0, NULL, n.deleted_at) AS deleted_at,
              s.disabled, IF(s.updated_at > s.last_seen_up, s.updated_at, NULL) AS switched_at
         FROM (SELECT * FROM compute_nodes UNION ALL SELECT * FROM shadow_compute_nodes) n
         LEFT JOIN services s ON s.host = n.host AND s.deleted = 0 AND n.deleted = 0`,
    ),
  );
  const time = (value: unknown): Seconds | null =>
    typeof value === 'string' ? Date.parse(`${value}Z`) / 1000 : null;
  return (await Promise.all(all)).flat().map((row) => ({
    disk: Number(row['local_gb']),
    vcpus: Number(row['vcpus']),
    created: time(row['created_at']) ?? 0,
    deleted: time(row['deleted_at']),
    isEnabled: row['disabled'] === 0,
    switched: time(row['switched_at']),
  }));
}
