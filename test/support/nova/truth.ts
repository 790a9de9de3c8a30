import type { Row } from '../mariadb/index.ts';
import type { Cell } from './schema.ts';

/**
 * Every event that finished before `untilUnix`, in live and shadow tables, with its instance: what the drops
 * up to then should hold, by the plainest query there is. Ordered by finish time, cell and id. `host` is the
 * event's own, `instance_host` and `node` are where the instance is now.
 */
export async function finishedEvents(cells: readonly Cell[], untilUnix: number): Promise<Row[]> {
  const perCell = await Promise.all(
    cells.map((cell) => {
      const host = cell.columns.instance_actions_events.includes('host') ? 'e.host' : 'NULL';
      return cell.query(
        `SELECT ? AS cell, e.id, i.uuid, e.event, e.start_time, e.finish_time, e.result, i.memory_mb, i.root_gb,
                i.vcpus, i.hostname, i.user_id, i.project_id, ${host} AS host, i.host AS instance_host, i.node
           FROM ${both(cell, 'instance_actions_events')} e
           JOIN ${both(cell, 'instance_actions')} a ON a.id = e.action_id
           JOIN ${both(cell, 'instances')} i ON i.uuid = a.instance_uuid
          WHERE e.finish_time < '1970-01-01' + INTERVAL ? SECOND`,
        [cell.name, untilUnix],
      );
    }),
  );
  return perCell.flat().toSorted((a, b) => compare(a, b, ['finish_time', 'cell', 'id']));
}

function both(cell: Cell, table: string): string {
  return cell.shadow ? `(SELECT * FROM ${table} UNION ALL SELECT * FROM shadow_${table})` : table;
}

function compare(a: Row, b: Row, columns: string[]): number {
  for (const column of columns) {
    const [left, right] = [a[column], b[column]];
    if (typeof left === 'number' && typeof right === 'number' && left !== right) return left - right;
    if (typeof left === 'string' && typeof right === 'string' && left !== right) return left < right ? -1 : 1;
  }
  return 0;
}
