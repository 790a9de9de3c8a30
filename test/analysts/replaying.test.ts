import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TABLES } from '../../lib/tables/registry.ts';
import { type MariaDb, useMariaDb } from '../support/mariadb/index.ts';
import { hostsOf } from '../support/nova/hosts.ts';
import { type Scene, at, startScene } from '../support/nova/scene.ts';
import { sqlTime } from '../support/nova/sql-time.ts';
import { BUCKET } from '../support/stage.ts';
import { blocksOf } from './documentation.ts';

/* What docs/replaying.md and docs/notebook.ipynb ask, asked of a day whose answers are known. */

let db: MariaDb;
let scene: Scene;
let folder: string;
let answers: Record<string, unknown>[][];

beforeAll(async () => {
  db = await useMariaDb();
  folder = await mkdtemp(join(tmpdir(), 'star-compactor-replaying-'));
  const env = {
    STAR_CLOUD: 'demo',
    STAR_TABLES: TABLES.filter(({ onRequest }) => onRequest !== true)
      .map(({ name }) => name)
      .join(),
    STAR_FORMATS: 'csv,parquet',
  };
  scene = await startScene(db, ['cell1'], { folder, env });
  const hosts = hostsOf(scene.cell('cell1'));
  await hosts.add('cmp-1', at('01 00:00'), { vcpus: 64 });
  await hosts.add('cmp-2', at('02 06:30'), { vcpus: 32 });
  await hosts.add('cmp-3', at('01 00:00'), { vcpus: 128 });
  await hosts.disable('cmp-3', at('01 12:00'));
  const server = (vcpus: number, created: string, deleted: string | undefined, more = {}): Promise<string> =>
    scene.server('cell1', {
      vcpus,
      created_at: sqlTime(at(created)),
      vm_state: 'active',
      ...(deleted === undefined ? {} : { deleted_at: sqlTime(at(deleted)), vm_state: 'deleted' }),
      ...more,
    });
  const old = await server(8, '01 04:00', undefined, { project_id: 'one' });
  await server(4, '02 03:30', '02 15:30', { project_id: 'two' });
  await server(2, '01 22:30', '02 00:30', { project_id: 'two' });
  await server(16, '02 03:45', undefined, { host: null, vm_state: 'error' });
  await server(16, '01 04:00', undefined, { vm_state: 'shelved_offloaded', host: null });
  await scene.event('cell1', old, 'compute_stop', {
    start: at('02 05:00'),
    finish: at('02 05:01'),
    result: 'Error',
  });
  await scene.event('cell1', old, 'compute_start', {
    start: at('02 06:00'),
    finish: at('02 06:01'),
    host: 'cmp-2',
  });
  await scene.run(at('03 00:45'));
  answers = [];
  for (const block of await blocksOf('docs/replaying.md', 'sql')) answers.push(await ask(block));
});
afterAll(async () => {
  await scene.stop();
  await db.stop();
  await rm(folder, { recursive: true });
});

async function ask(sql: string): Promise<Record<string, unknown>[]> {
  const duckdb = await DuckDBInstance.create();
  try {
    const connection = await duckdb.connect();
    await connection.run(`SET file_search_path = '${join(folder, BUCKET)}'; SET TimeZone = 'UTC'`);
    const result = await connection.runAndReadAll(sql);
    connection.closeSync();
    return result.getRowObjectsJson();
  } finally {
    duckdb.closeSync();
  }
}

describe('An analyst with one drop and DuckDB', () => {
  test('finds how many vCPUs were in use and there, hour by hour', () => {
    const [hours = []] = answers;
    expect(hours).toHaveLength(24);
    const pairs = hours.map(({ allocated, capacity }) => [Number(allocated), Number(capacity)].join('/'));
    expect(pairs.slice(0, 4)).toEqual(['10/64', '8/64', '8/64', '8/64']);
    expect(pairs.slice(4, 8)).toEqual(['12/64', '12/64', '12/64', '12/96']);
    expect(pairs.slice(15, 17)).toEqual(['12/96', '8/96']);
  });

  test('finds how long servers lived, when they came, and where events failed', () => {
    expect(answers[1]).toEqual([{ ended: '2', median: 7, p95: expect.closeTo(11.5, 6) }]);
    expect(answers[2]?.map(({ arrivals }) => arrivals)).toEqual(['2']);
    expect(answers[3]).toEqual([
      { host_name: 'cmp-1', events: '1', failed: '1' },
      { host_name: 'cmp-2', events: '1', failed: '0' },
    ]);
  });

  test('finds which share of the capacity each project holds', () => {
    expect(answers[4]).toEqual([
      { project_id: 'one', vcpus: '8', share: expect.closeTo(8 / 96, 6) },
      { project_id: 'two', vcpus: '4', share: expect.closeTo(4 / 96, 6) },
    ]);
  });
});

interface Notebook {
  cells: {
    cell_type: string;
    source: string[];
    outputs?: { name?: string; text?: string[]; data?: Record<string, string | string[]> }[];
  }[];
}

const NOTEBOOK = fileURLToPath(new URL('../../docs/notebook.ipynb', import.meta.url));
const FIGURES = 4;

const readNotebook = async (path: string): Promise<Notebook> =>
  JSON.parse(await readFile(path, 'utf8')) as Notebook;

/** What a notebook printed, and how many figures it drew. */
function shown({ cells }: Notebook): { printed: string[]; figures: number } {
  const outputs = cells.flatMap(({ outputs: of = [] }) => of);
  return {
    printed: outputs
      .filter(({ name }) => name === 'stdout')
      .flatMap(({ text = [] }) => text)
      .map((line) => line.trimEnd()),
    figures: outputs.filter(({ data }) => data?.['image/png'] !== undefined).length,
  };
}

/** However busy the machine is. */
const PATIENT = ['--ExecutePreprocessor.startup_timeout=3600', '--ExecutePreprocessor.timeout=-1'];

/** Debian's packages are for the system's Python; another Python may come first on the path. */
const JUPYTER = ['/usr/bin/python3', 'python3'].find(
  (python) => spawnSync(python, ['-c', 'import nbconvert, ipykernel, pandas, matplotlib']).status === 0,
);

describe('An analyst with the notebook', () => {
  test('can read it without running it: its outputs are kept, small, and of no particular machine', async () => {
    const text = await readFile(NOTEBOOK, 'utf8');
    expect(text.length).toBeLessThan(300_000);
    expect(text).not.toMatch(/\/(root|home|tmp|work|usr)\/|Traceback/);
    const { printed, figures } = shown(await readNotebook(NOTEBOOK));
    expect([printed.length, figures]).toEqual([5, FIGURES]);
  });

  test.skipIf(JUPYTER === undefined)(
    'finds the same as with DuckDB (needs python3-nbconvert, python3-ipykernel, python3-pandas, python3-matplotlib)',
    async () => {
      const home = await mkdtemp(join(tmpdir(), 'star-compactor-notebook-'));
      try {
        const options = [
          '--to',
          'notebook',
          '--execute',
          ...PATIENT,
          '--output-dir',
          home,
          '--output',
          'done.ipynb',
        ];
        execFileSync(JUPYTER ?? '', ['-m', 'nbconvert', ...options, NOTEBOOK], {
          stdio: 'pipe',
          env: { PATH: process.env['PATH'], HOME: home, TRACE: join(folder, BUCKET, 'cloud=demo') },
        });
        const done = await readNotebook(join(home, 'done.ipynb'));
        expect(shown(done)).toEqual({
          printed: [
            '2 events, 5 servers, 3 hosts',
            'busiest hour: 12 of 64 vCPUs, 18.8 %',
            '2 arrivals',
            '2 servers ended; half of them lived for 7.0 hours or less',
            '1 of 2 events failed',
          ],
          figures: FIGURES,
        });
      } finally {
        await rm(home, { recursive: true });
      }
    },
  );
});
