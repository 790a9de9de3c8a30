import type { Manifest } from '../../drop/manifest.ts';
import { TABLES } from '../../tables/registry.ts';
import { type Markup, markup } from '../markup.ts';
import { table } from '../table.ts';
import { count } from '../text.ts';
import { section } from './section.ts';

const KINDS = {
  events: 'rows that belong to this window',
  snapshot: 'all that existed in this window',
} as const;

/** What tables the drop has, where it has several. */
export function tablesSection({ tables }: Manifest): Markup | false {
  const names = Object.entries(tables);
  if (names.length < 2) return false;
  const title = (name: string): string => TABLES.find((one) => one.name === name)?.title ?? name;
  return section(
    'tables',
    'Tables',
    table({
      caption: 'Tables of the drop',
      head: ['Table', 'Rows'],
      rows: names.map(([name, { kind, counts }]) => ({
        name: markup`${title(name)}<small>${KINDS[kind]}</small>`,
        cells: [count(counts.rows)],
      })),
    }),
  );
}
