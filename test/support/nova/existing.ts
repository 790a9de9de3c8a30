import type { Row } from '../mariadb/index.ts';
import type { Cell } from './schema.ts';

/**
 * The servers that existed in a window, as the tables tell it now: what `instances` of a drop that is made now should
 * hold, by the plainest query there is. In order of uuid; keys and times as in JSON lines.
 */
export async function existingServers(
  cells: readonly Cell[],
  start: number,
  end: number,
): Promise<Record<string, unknown>[]> {
  const perCell = await Promise.all(
    cells.map((cell) =>
      cell.query(
        `SELECT * FROM (SELECT * FROM instances UNION ALL SELECT * FROM shadow_instances) i
          WHERE COALESCE(hidden, 0) = 0 AND created_at < '1970-01-01' + INTERVAL ? SECOND
            AND (deleted_at IS NULL OR deleted_at >= '1970-01-01' + INTERVAL ? SECOND)`,
        [end, start],
      ),
    ),
  );
  return perCell
    .flat()
    .map((row) => serverOf(row, end))
    .toSorted((a, b) => (String(a['uuid']) < String(b['uuid']) ? -1 : 1));
}

/** Rows of `instances` in JSON lines, in the same order and without what repeats a time. */
export function comparable(rows: readonly Record<string, unknown>[] = []): Record<string, unknown>[] {
  return rows
    .map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !name.endsWith('Sec'))))
    .toSorted((a, b) => (String(a['uuid']) < String(b['uuid']) ? -1 : 1));
}

function serverOf(row: Row, end: number): Record<string, unknown> {
  const iso = (time: unknown): string | null =>
    typeof time === 'string' ? `${time.slice(0, 19).replace(' ', 'T')}Z` : null;
  const deleted = iso(row['deleted_at']);
  const isKnown = deleted === null || Date.parse(deleted) < end * 1000;
  return {
    uuid: row['uuid'],
    created_time: iso(row['created_at']),
    launched_time: iso(row['launched_at']),
    deleted_time: isKnown ? deleted : null,
    state: isKnown ? row['vm_state'] : null,
    memory_mb: row['memory_mb'],
    root_gb: row['root_gb'],
    vcpus: row['vcpus'],
    hostname: row['hostname'],
    user_id: row['user_id'],
    project_id: row['project_id'],
    host: row['host'],
    reservation_id: null,
  };
}
