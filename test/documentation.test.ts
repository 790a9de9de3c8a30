import { readFile, readdir } from 'node:fs/promises';
import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { TABLES } from '../lib/tables/registry.ts';

const text = (path: string): Promise<string> => readFile(new URL(`../${path}`, import.meta.url), 'utf8');

/** Paths of all pages, from the top. */
async function pages(): Promise<string[]> {
  const docs = await readdir(new URL('../docs/', import.meta.url));
  return [
    'README.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
    'SECURITY.md',
    ...docs.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
  ];
}

/** First cells of the rows of a page's tables. */
async function firstCells(page: string): Promise<string[]> {
  return [...(await text(page)).matchAll(/^\| (.*?) \|/gm)].map(([, cell = '']) => cell);
}

/** As GitHub and most renderers of Markdown make the anchor of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\- ]/gu, '')
    .replaceAll(' ', '-');
}

describe('Every link between pages', () => {
  test('leads to a file that is there, and to a heading in it', async () => {
    const broken: string[] = [];
    let links = 0;
    for (const page of await pages()) {
      for (const [, target = ''] of (await text(page)).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:/.test(target)) continue;
        links++;
        const [path = '', anchor] = target.split('#');
        const file = path === '' ? page : posix.join(posix.dirname(page), path);
        const found = await text(file).catch(() => undefined);
        const headings = [...(found ?? '').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
          anchorOf(heading),
        );
        if (found === undefined || (anchor !== undefined && !headings.includes(anchor)))
          broken.push(`${page}: ${target}`);
      }
    }
    expect(broken).toEqual([]);
    expect(links).toBeGreaterThan(40);
  });

  test('every page of docs/ is linked from README', async () => {
    const readme = await text('README.md');
    const docs = (await pages()).filter((page) => page !== 'README.md');
    expect(docs.filter((page) => !readme.includes(`](${page})`))).toEqual([]);
  });
});

describe('The documentation, for operators,', () => {
  test('tells of every kind of error what to do', async () => {
    const source = await text('lib/core/errors.ts');
    const kinds = [...source.matchAll(/^export class (\w+)/gm)].map(([, name]) => name);
    expect(kinds.length).toBeGreaterThan(8);
    const told = (await firstCells('docs/operating.md')).join(' ');
    expect(kinds.filter((kind) => !told.includes(`\`${kind}\``))).toEqual([]);
  });

  test('tells of every alarm what to do', async () => {
    const names = [...(await text('serverless/alarms.yml')).matchAll(/AlarmName: .*\}-([\w-]+)$/gm)].map(
      ([, name]) => name,
    );
    expect(names.length).toBeGreaterThan(4);
    const told = await firstCells('docs/operating.md');
    expect(names.filter((name) => !told.some((cell) => cell.includes(`…-${name}`)))).toEqual([]);
  });

  test('names every setting with its variable, and every script', async () => {
    const told = await text('docs/settings.md');
    const settings = [...(await text('serverless.yml')).matchAll(/^ {4}(STAR_\w+):/gm)].map(
      ([, name]) => name,
    );
    // These two point from one resource of the stack to another.
    const own = settings.filter((name) => name?.startsWith('STAR_BACKFILL_') !== true);
    expect(own.filter((name) => !told.includes(`\`${name}\``))).toEqual([]);
    const { scripts } = JSON.parse(await text('package.json')) as { scripts: Record<string, string> };
    const named = Object.keys(scripts).filter((name) => !/^pre|^start$|^test$|^format:check$/.test(name));
    const scriptsTold = await text('CONTRIBUTING.md');
    expect(named.filter((name) => !scriptsTold.includes(`npm run ${name}`))).toEqual([]);
  });
});

describe('The documentation, for analysts,', () => {
  /** Cells of the rows of all tables of a page. */
  const rows = async (): Promise<string[][]> =>
    [...(await text('docs/trace-format.md')).matchAll(/^\| (.*) \|$/gm)].map(([, row = '']) =>
      row.split('|').map((cell) => cell.trim()),
    );

  test.each(TABLES)(
    'has every column of $name in order, by its names, and whether it is masked',
    async (table) => {
      const columns = table.columns.map(({ csv, jsonl, masked }) => [
        csv,
        `\`${jsonl}\``,
        masked ? 'yes' : '',
      ]);
      const told = (await rows()).map(([csv = '', jsonl = '', , masked = '']) => [csv, jsonl, masked]);
      // Tables may begin with the same column.
      const start = told.findIndex(
        ([csv], nth) => csv === columns[0]?.[0] && told[nth + 1]?.[0] === columns[1]?.[0],
      );
      expect(told.slice(start, start + columns.length)).toEqual(columns);
    },
  );
});
