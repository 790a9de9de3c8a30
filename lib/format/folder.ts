import type { FormatName } from '../config/choices.ts';

/** The folder of a table's files: Athena reads folders, so each table and format has one. */
export function folderOf(table: string, format: FormatName): string {
  return format === 'csv' ? table : `${table}_${format}`;
}
