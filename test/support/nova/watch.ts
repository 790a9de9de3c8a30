import type { Row } from '../mariadb/index.ts';
import type { Change } from './history.ts';
import { readLines, readSample } from './sample.ts';
import type { SampleCell } from './sample.ts';
import type { Table } from './schema.ts';

/** One line of the fixture: rows as arrays in the order of COLUMNS, times as `2026-11-23T07:21:52`. */
interface Seen {
  /** Unix seconds, with a fraction. */
  t: number;
  cell: SampleCell;
  table: Table;
  rows: (string | number | null)[][];
  gone: number[];
}

const COLUMNS: Record<Table, string[]> = {
  instances: 'id,uuid,created_at,updated_at,deleted_at,deleted,cleaned,vm_state'.split(','),
  instance_actions: 'id,instance_uuid,action,created_at,updated_at,start_time,message'.split(','),
  instance_actions_events:
    'id,action_id,event,created_at,updated_at,start_time,finish_time,result,host'.split(','),
};

/**
 * The fifteen minutes in which the sample's servers lived, as they were seen in the databases four times a
 * second. Columns that were not watched (`user_id`, `memory_mb`, …) have the sample's values from the first.
 */
export async function watchedHistory(): Promise<Change[]> {
  const sample = await readSample();
  const final = new Map<string, Row>();
  for (const [cell, tables] of Object.entries(sample)) {
    for (const [table, rows] of Object.entries(tables)) {
      for (const row of rows) final.set(`${cell} ${table} ${String(row['id'])}`, row);
    }
  }
  const changes: Change[] = [];
  for (const { t, cell, table, rows, gone } of await readLines<Seen>('watch.jsonl.gz')) {
    for (const values of rows) {
      const watched = Object.fromEntries(COLUMNS[table].map((column, at) => [column, sqlText(values[at])]));
      const row = { ...final.get(`${cell} ${table} ${String(watched['id'])}`), ...watched };
      changes.push({ at: t, cell, table, upsert: row });
    }
    if (gone.length > 0) changes.push({ at: t, cell, table, remove: gone });
  }
  return changes;
}

function sqlText(value: unknown): unknown {
  return typeof value === 'string' ? value.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)$/, '$1 $2') : value;
}
