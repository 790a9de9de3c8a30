import { iso } from '../core/time.ts';
import type { AnyTable, Column } from '../tables/table.ts';
import type { LeakScan } from './leak-scan.ts';

/**
 * Names of events, which are those of Nova's functions, states and results, and words that tables add. Any other text
 * might name a server.
 */
const OWN_WORD = /^(?:[a-z]+(?:_+[a-z]+)*|soft-delete)$/i;

/** Distinct values of a column that are remembered, so that each is scanned once. */
const REMEMBERED = 10_000;

/** Passes the names of a table's columns to the scan, and then the values of its unmasked columns. */
export function watchText(scan: LeakScan, { name, columns }: AnyTable): (rows: readonly unknown[]) => void {
  for (const { csv, jsonl, parquet } of columns) scan.publicText(`${csv} ${jsonl} ${parquet}`);
  const time = columns.find(({ type }) => type === 'timestamp');
  const watched = columns
    .filter(({ type, masked }) => type === 'string' && !masked)
    .map((column) => watchColumn(scan, column, name, time));
  return (rows) => {
    for (const watch of watched) for (const row of rows) watch(row);
  };
}

function watchColumn(
  scan: LeakScan,
  { part, value, csv }: Column<unknown>,
  table: string,
  time: Column<unknown> | undefined,
): (row: unknown) => void {
  const seen = new Set<unknown>();
  return (row) => {
    const of = part.of(row);
    // A part that was seen, such as the name of an event, has the same value again.
    if (seen.has(of)) return;
    if (seen.size >= REMEMBERED) seen.clear();
    seen.add(of);
    const text = value(of as never, 0);
    if (typeof text !== 'string') return;
    scan.output(text, `${csv} of ${table}${rowOf(row, time)}`);
    if (OWN_WORD.test(text)) scan.publicText(text);
  };
}

/** Names a row by its first time, which the trace contains anyway. */
function rowOf(row: unknown, time: Column<unknown> | undefined): string {
  const at = time?.value(time.part.of(row) as never, 0);
  return typeof at === 'number' ? `, ${time?.csv} ${iso(at)}` : '';
}
