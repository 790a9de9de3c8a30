import type { FormatName } from '../config/choices.ts';

/** What the names of files end with. */
export const EXTENSIONS: Readonly<Record<FormatName, string>> = {
  csv: 'csv.gz',
  jsonl: 'jsonl.gz',
  parquet: 'parquet',
};

/** Where files of a table lie: Athena reads folders, so each table and format has one. */
export function folderOf(table: string, format: FormatName): string {
  return format === 'csv' ? table : `${table}_${format}`;
}
