import type { Cell } from '../nova/schema.ts';
import { sqlTime } from '../nova/sql-time.ts';

/** Digits that look random fill the columns, so that a row takes about 500 bytes once compressed. */
const ROWS = 12_000;
/** Ids beyond those of any other history. */
const IDS = `seq_1000001_to_${1_000_000 + ROWS}`;

/**
 * Fills a cell with servers that have one finished event each in the hour from `start` (Unix seconds): enough,
 * unmasked, for an upload in several parts.
 */
export async function addWideEvents(cell: Cell, start: number): Promise<void> {
  const digits = (column: string): string =>
    `LEFT(CONCAT(SHA2(CONCAT('${column}', seq), 512), SHA2(CONCAT(seq, '${column}'), 512)), 255)`;
  const uuid = `CONCAT('00000000-0000-4000-a000-', LPAD(seq, 12, '0'))`;
  const time = (seconds: number): string =>
    `TIMESTAMP'${sqlTime(start + seconds)}' + INTERVAL (seq - 1000000) DIV ${Math.ceil(ROWS / 3000)} SECOND`;
  const rows = `FROM ${IDS}`;
  await cell.query(
    `INSERT INTO instances (id, uuid, created_at, deleted, hidden, hostname, user_id, project_id, host, node,
         memory_mb, root_gb, vcpus)
       SELECT seq, ${uuid}, ${time(0)}, 0, 0, ${digits('hostname')}, ${digits('user')}, ${digits('project')},
         ${digits('host')}, 'node', 2048, 20, 2 ${rows};
     INSERT INTO instance_actions (id, action, instance_uuid, created_at, start_time, deleted)
       SELECT seq, 'create', ${uuid}, ${time(0)}, ${time(0)}, 0 ${rows};
     INSERT INTO instance_actions_events (id, action_id, event, created_at, start_time, finish_time, result, deleted)
       SELECT seq, seq, 'compute__do_build_and_run_instance', ${time(0)}, ${time(0)}, ${time(10)}, 'Success', 0
         ${rows}`,
  );
}
