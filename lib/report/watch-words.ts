import type { LeakScan } from '../privacy/leak-scan.ts';
import type { AnyTable, Column } from '../tables/table.ts';

/** Names that Nova gives events, after its functions, and results. Anything else might name a server. */
const OF_NOVA = /^(?:[a-z]+(?:_+[a-z]+)*|Success|Error)$/;

/** Distinct values of a column that are remembered, so that each is told once. */
const REMEMBERED = 10_000;

/**
 * Tells the scan which texts of a table's unmasked columns are Nova's own words, and what its masked columns hold
 * where no piece of text will show it.
 *
 * @param isBinary whether a file is written that is no text
 */
export function watchWords(
  scan: LeakScan,
  tables: readonly AnyTable[],
  isBinary: boolean,
): (table: string, rows: readonly unknown[]) => void {
  const watched = new Map(
    tables.map(({ name, columns }) => {
      const texts = columns.filter(({ type, masked }) => type === 'string' && (isBinary || !masked));
      return [name, texts.map((column) => watchColumn(scan, column))];
    }),
  );
  return (table, rows) => {
    for (const watch of watched.get(table) ?? []) for (const row of rows) watch(row);
  };
}

function watchColumn(scan: LeakScan, { masked, part, value }: Column<unknown>): (row: unknown) => void {
  const seen = new Set<unknown>();
  return (row) => {
    const of = part.of(row);
    // A part that was seen, such as a server, has the same value again.
    if (seen.has(of)) return;
    if (seen.size >= REMEMBERED) seen.clear();
    seen.add(of);
    const text = value(of as never, 0);
    if (typeof text !== 'string') return;
    if (masked) scan.output(text);
    else if (OF_NOVA.test(text)) scan.publicText(text);
  };
}
