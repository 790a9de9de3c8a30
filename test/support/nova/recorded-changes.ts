import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';

export type Columns = Record<string, string | number | null>;

export interface RecordedChange {
  readonly t: number;
  readonly table: string;
  readonly key: string;
  /** Of an update the columns that changed; absent where the row went. */
  readonly row?: Columns;
}

/** Recorded changes of tables, and the tables as they were at a time. */
export interface Recording {
  readonly changes: readonly RecordedChange[];
  /** Applies what happened up to a time; times do not decrease. */
  readonly advance: (time: number) => void;
  readonly rows: (table: string) => Columns[];
}

/** @param name of a folder of fixtures */
export async function readRecording(name: string): Promise<Recording> {
  const file = new URL(`../../fixtures/${name}/changes.jsonl.gz`, import.meta.url);
  const changes = gunzipSync(await readFile(file))
    .toString('utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as RecordedChange);
  const tables = new Map<string, Map<string, Columns>>();
  let next = 0;
  return {
    changes,
    advance(time) {
      for (; (changes[next]?.t ?? Infinity) <= time; next++) apply(tables, changes[next]!);
    },
    rows: (table) => [...(tables.get(table)?.values() ?? [])],
  };
}

/** Applies one change to tables of rows by key. */
export function apply(tables: Map<string, Map<string, Columns>>, { table, key, row }: RecordedChange): void {
  const rows = tables.get(table) ?? new Map<string, Columns>();
  tables.set(table, rows);
  if (row === undefined) rows.delete(key);
  else rows.set(key, { ...rows.get(key), ...row });
}

/** Unix seconds of a time as the recordings have it. */
export const seconds = (value: unknown): number | null =>
  typeof value === 'string' ? Date.parse(`${value}Z`) / 1000 : null;
