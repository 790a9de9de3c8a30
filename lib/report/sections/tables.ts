import type { Manifest, TableManifest } from '../../drop/manifest.ts';
import { TABLES } from '../../tables/registry.ts';
import { type Content, type Markup, markup } from '../markup.ts';
import { type TableRow, table } from '../table.ts';
import { bytesText, count } from '../text.ts';
import { type Section, section } from './section.ts';

const KINDS = {
  events: 'rows that belong to this window',
  snapshot: 'all that existed in this window',
} as const;

/**
 * The tables of the drop and their files.
 *
 * @param linkTo gives the address of a key, relative to the page
 */
export function tablesSection(
  { tables }: Manifest,
  linkTo: ((key: string) => string) | undefined,
  manifest: string | undefined,
): Section {
  const title = (name: string): string => TABLES.find((one) => one.name === name)?.title ?? name;
  return section(
    'files',
    'Tables and files',
    table({
      caption: 'Tables of the drop',
      isFull: true,
      head: ['File', 'Rows', 'Size'],
      rows: Object.entries(tables).flatMap(([name, of]) => [
        {
          name: markup`${title(name)}<small>${KINDS[of.kind]}</small>`,
          look: 'head',
          cells: [count(of.counts.rows), bytesText(of.files.reduce((sum, { bytes }) => sum + bytes, 0))],
        } satisfies TableRow,
        ...of.files.map((file) => fileRow(file, linkTo)),
      ]),
    }),
    manifest !== undefined &&
      markup`<p class="note"><a href="${manifest}">The manifest</a> says the same to programs, with the SHA-256 of each file.</p>`,
  );
}

function fileRow(
  { key, format, formatVersion, rows, bytes }: TableManifest['files'][number],
  linkTo: ((key: string) => string) | undefined,
): TableRow {
  const name: Content = key.split('/').at(-1) ?? key;
  const link: Markup = linkTo === undefined ? markup`${name}` : markup`<a href="${linkTo(key)}">${name}</a>`;
  return {
    name: markup`<span class="file">${link}</span><small>${format} ${formatVersion}</small>`,
    cells: [count(rows), bytesText(bytes)],
  };
}
