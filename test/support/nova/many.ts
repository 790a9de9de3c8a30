import type { Cell } from './schema.ts';
import { sqlTime } from './sql-time.ts';

/* Servers and hosts in numbers, made by the database itself. */

/** Live servers, created evenly between the two times, on hosts as of {@link manyHosts}; two users for each hundred. */
export async function manyServers(cell: Cell, servers: number, from: number, until: number): Promise<void> {
  const created = `TIMESTAMP'${sqlTime(from)}' + INTERVAL FLOOR(seq * ${(until - from) / servers}) SECOND`;
  await cell.query(
    `INSERT INTO instances (id, uuid, created_at, updated_at, launched_at, deleted, cleaned, hidden, user_id, project_id,
        hostname, display_name, vm_state, host, node, ephemeral_gb, vcpus, memory_mb, root_gb)
      SELECT seq, CONCAT('11e00000-0000-4000-a000-', LPAD(seq, 12, '0')), ${created}, ${created}, ${created}, 0, 0, 0,
        MD5(CONCAT('user ', seq % 1000)), MD5(CONCAT('project ', seq % 200)), CONCAT('old-', seq), CONCAT('Old ', seq),
        'active', CONCAT('host-', seq % 2000), CONCAT('host-', seq % 2000, '.example'), 0, 1 << (seq % 5),
        2048 << (seq % 5), 20
      FROM seq_1_to_${servers}`,
  );
}

/** Enabled hosts, created at the time. */
export async function manyHosts(cell: Cell, hosts: number, created: number): Promise<void> {
  const at = `TIMESTAMP'${sqlTime(created)}'`;
  await cell.query(
    `INSERT INTO services (id, created_at, host, \`binary\`, topic, report_count, disabled, forced_down, deleted)
      SELECT seq, ${at}, CONCAT('host-', seq - 1), 'nova-compute', 'compute', 0, 0, 0, 0 FROM seq_1_to_${hosts}`,
  );
  await cell.query(
    `INSERT INTO compute_nodes (id, uuid, created_at, host, hypervisor_hostname, deleted, vcpus, memory_mb, local_gb,
        vcpus_used, memory_mb_used, local_gb_used, hypervisor_type, hypervisor_version, cpu_info)
      SELECT seq, CONCAT('0c000000-0000-4000-a000-', LPAD(seq, 12, '0')), ${at}, CONCAT('host-', seq - 1),
        CONCAT('r', seq % 50, '-host-', seq - 1, '.example'), 0, 64, 262144, 8192, 0, 0, 0, 'QEMU', 1, ''
      FROM seq_1_to_${hosts}`,
  );
}
