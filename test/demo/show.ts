import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest } from '../../lib/drop/manifest.ts';
import type { ManifestFile } from '../../lib/drop/manifest-file.ts';
import { columns, count, dim, fit, size, terminalWidth } from './text.ts';

/** Keys as a tree of their parts, each with its size; `folder` is where the bucket lies. */
export async function treeOf(folder: string, keys: readonly string[]): Promise<string[]> {
  const sizes = await Promise.all(keys.map(async (key) => (await stat(join(folder, key))).size));
  const root: Branch = { children: new Map() };
  for (const [at, key] of keys.entries()) {
    let branch = root;
    for (const part of key.split('/')) {
      const child = branch.children.get(part) ?? { children: new Map() };
      branch.children.set(part, child);
      branch = child;
    }
    branch.bytes = sizes[at] ?? 0;
  }
  const lines = [...linesOf(root, '')];
  const width = Math.max(...lines.map(({ text }) => text.length));
  return lines.map(({ text, bytes }) =>
    bytes === undefined ? text : columns([text, size(bytes)], [width, -9]),
  );
}

interface Branch {
  children: Map<string, Branch>;
  bytes?: number;
}

function* linesOf({ children }: Branch, indent: string): Generator<{ text: string; bytes?: number }> {
  const last = [...children.keys()].at(-1);
  for (const [part, branch] of children) {
    // A folder that holds nothing but one thing shares its line.
    let [text, end] = [part, branch];
    for (let [only] = end.children; end.children.size === 1 && only !== undefined; [only] = end.children) {
      [text, end] = [`${text}/${only[0]}`, only[1]];
    }
    const isTop = indent === '';
    const line = isTop ? text : `${indent.slice(0, -3)}${part === last ? '└─ ' : '├─ '}${text}`;
    const below = isTop ? '   ' : `${indent.slice(0, -3)}${part === last ? '   ' : '│  '}   `;
    yield end.bytes === undefined ? { text: `${line}/` } : { text: line, bytes: end.bytes };
    yield* linesOf(end, below);
  }
}

function cut(files: readonly ManifestFile[]): ManifestFile[] {
  return files.map((file) => ({
    ...file,
    columns: [...file.columns.slice(0, 3), `… and ${file.columns.length - 3} more`],
  }));
}

/** The manifest as it is, but for what repeats itself, which is cut. */
export function manifestLines(manifest: Manifest, indent: string): string[] {
  const width = terminalWidth() - indent.length;
  const tables = Object.fromEntries(
    Object.entries(manifest.tables).map(([name, table]) => [name, { ...table, files: cut(table.files) }]),
  );
  return (
    JSON.stringify({ ...manifest, tables }, null, 2)
      // Small lists and objects on a line of their own, as one would write them.
      .replaceAll(
        /(\[|\{)\n\s+([^[\]{}]*?)\n\s+(\]|\})/g,
        (whole, open: string, inside: string, close: string) => {
          const line = inside.split(/\n\s+/).join(' ');
          const space = open === '{' ? ' ' : '';
          return line.length < width - 20 ? `${open}${space}${line}${space}${close}` : whole;
        },
      )
      .replaceAll(/"(… and \d+ more)"/g, '$1')
      .split('\n')
      .map((line) => indent + fit(line, width))
  );
}

/** The first rows side by side, as many as the terminal holds: 15 columns fit none from left to right. */
export function rowLines(rows: readonly Record<string, unknown>[], indent: string): string[] {
  const names = Object.keys(rows[0] ?? {});
  const nameWidth = Math.max(...names.map((name) => name.length));
  const widths: number[] = [nameWidth];
  for (const row of rows) {
    const width = Math.max(...names.map((name) => String(row[name]).length));
    const total = indent.length + widths.reduce((sum, one) => sum + one + 2, 0) + width;
    if (total > terminalWidth()) break;
    widths.push(width);
  }
  const shown = rows.slice(0, Math.max(1, widths.length - 1));
  return [
    ...names.map((name) => indent + columns([name, ...shown.map((row) => String(row[name]))], widths)),
    indent + dim(`… and ${count(rows.length - shown.length)} more rows`),
  ];
}
