import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TABLES } from '../../lib/tables/registry.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/index.ts';
import { hostsOf } from '../support/nova/hosts.ts';
import { type Scene, at, startScene } from '../support/nova/scene.ts';
import { sqlTime } from '../support/nova/sql-time.ts';
import { BUCKET } from '../support/stage.ts';
import { blocksOf } from './documentation.ts';

/* What docs/replaying.md tells analysts to ask, asked of a day whose answers are known. */

let db: MariaDb;
let scene: Scene;
let folder: string;
let answers: Record<string, unknown>[][];

beforeAll(async () => {
  db = await startMariaDb();
  folder = await mkdtemp(join(tmpdir(), 'star-compactor-replaying-'));
  const env = {
    STAR_CLOUD: 'demo',
    STAR_TABLES: TABLES.map(({ name }) => name).join(),
    STAR_FORMATS: 'parquet',
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
