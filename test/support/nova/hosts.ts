import type { Row } from '../mariadb/index.ts';
import type { Cell } from './schema.ts';
import { sqlTime } from './sql-time.ts';

/** Physical hosts of a cell, and what becomes of them, as Nova writes it. Times are Unix seconds. */
export interface Hosts {
  /** A host comes, or comes back: a new service and a new hypervisor. Gives the hypervisor's uuid. */
  add(host: string, created: number, columns?: Row): Promise<string>;
  /** The compute reports. */
  beat(host: string, at: number): Promise<void>;
  disable(host: string, at: number): Promise<void>;
  enable(host: string, at: number): Promise<void>;
  forceDown(host: string, at: number): Promise<void>;
  resize(host: string, vcpus: number, at: number): Promise<void>;
  remove(host: string, at: number): Promise<void>;
  /** The hypervisor starts under another name. */
  rename(host: string, node: string, at: number, columns?: Row): Promise<void>;
  /** A deleted hypervisor is taken up again in place, as newer Novas do. */
  undelete(host: string, at: number): Promise<void>;
  archive(): Promise<void>;
  purge(): Promise<void>;
}

export function hostsOf(cell: Cell): Hosts {
  let last = 0;
  const live = `host = ? AND deleted = 0`;
  const node = (host: string, name: string, created: number, columns: Row): Promise<string> => {
    const id = ++last;
    const uuid = `0c000000-0000-4000-a000-${String(id).padStart(12, '0')}`;
    const row: Row = {
      id,
      uuid,
      host,
      hypervisor_hostname: name,
      created_at: sqlTime(created),
      deleted: 0,
      vcpus: 64,
      memory_mb: 262_144,
      local_gb: 8192,
      vcpus_used: 0,
      memory_mb_used: 0,
      local_gb_used: 0,
      hypervisor_type: 'QEMU',
      hypervisor_version: 1,
      cpu_info: '',
      ...columns,
    };
    return insert(cell, 'compute_nodes', row).then(() => uuid);
  };
  const service = (host: string, change: string, values: unknown[], at: number): Promise<Row[]> =>
    cell.query(`UPDATE services SET ${change}, updated_at = ? WHERE ${live}`, [...values, sqlTime(at), host]);
  return {
    async add(host, created, columns = {}) {
      await insert(cell, 'services', {
        id: last + 1,
        host,
        binary: 'nova-compute',
        topic: 'compute',
        report_count: 0,
        disabled: 0,
        forced_down: 0,
        deleted: 0,
        created_at: sqlTime(created),
      });
      return node(host, `${host}.example`, created, columns);
    },
    async beat(host, at) {
      await service(host, 'last_seen_up = ?, report_count = report_count + 1', [sqlTime(at)], at);
    },
    async disable(host, at) {
      await service(host, 'disabled = 1', [], at);
    },
    async enable(host, at) {
      await service(host, 'disabled = 0', [], at);
    },
    async forceDown(host, at) {
      await service(host, 'forced_down = 1', [], at);
    },
    async resize(host, vcpus, at) {
      await cell.query(`UPDATE compute_nodes SET vcpus = ?, updated_at = ? WHERE ${live}`, [
        vcpus,
        sqlTime(at),
        host,
      ]);
    },
    async remove(host, at) {
      for (const table of ['services', 'compute_nodes'])
        await cell.query(`UPDATE ${table} SET deleted = id, deleted_at = ? WHERE ${live}`, [
          sqlTime(at),
          host,
        ]);
    },
    async rename(host, name, at, columns = {}) {
      await cell.query(`UPDATE compute_nodes SET deleted = id, deleted_at = ? WHERE ${live}`, [
        sqlTime(at),
        host,
      ]);
      await node(host, name, at + 1, columns);
    },
    async undelete(host, at) {
      for (const table of ['services', 'compute_nodes']) {
        await cell.query(
          `UPDATE ${table} SET deleted = 0, deleted_at = NULL, updated_at = ? WHERE host = ? ORDER BY id DESC LIMIT 1`,
          [sqlTime(at), host],
        );
      }
    },
    async archive() {
      for (const table of ['services', 'compute_nodes']) {
        await cell.query(`INSERT INTO shadow_${table} SELECT * FROM ${table} WHERE deleted <> 0`);
        await cell.query(`DELETE FROM ${table} WHERE deleted <> 0`);
      }
    },
    async purge() {
      for (const table of ['shadow_services', 'shadow_compute_nodes'])
        await cell.query(`DELETE FROM ${table}`);
    },
  };
}

async function insert(cell: Cell, table: string, row: Row): Promise<void> {
  const names = Object.keys(row);
  await cell.query(`INSERT INTO ${table} (${names.map((name) => `\`${name}\``).join(', ')}) VALUES (?)`, [
    Object.values(row),
  ]);
}
