import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type MariaDb, startMariaDb } from '../support/mariadb/index.ts';
import { loadSample, shiftByYear } from '../support/nova/sample.ts';
import { BUCKET, type Stage, startStage } from '../support/stage.ts';
import { blocksOf } from './documentation.ts';

/* The statements of docs/exports.md, on drops of a real Nova's day. */

type Row = Record<string, unknown>;

let db: MariaDb;
let stage: Stage;
let folder: string;
let ask: (sql: string) => Promise<Row[]>;
let stop: () => void;

beforeAll(async () => {
  db = await startMariaDb();
  const sample = await loadSample(db);
  const cells = [sample.cell1, sample.cell0];
  for (const cell of cells) await shiftByYear(cell);
  folder = await mkdtemp(join(tmpdir(), 'star-compactor-exports-'));
  stage = await startStage({
    folder,
    env: {
      STAR_CLOUD: 'demo',
      STAR_TABLES: 'instance_events,instances',
      STAR_FORMATS: 'parquet',
      STAR_WINDOW_MINUTES: '5',
      STAR_SETTLE_MINUTES: '1',
      STAR_MASKING_SECRET: 'masks',
    },
  });
  await stage.createSecret('masks', randomBytes(32));
  const dsns = cells.map((cell) => [cell.name, cell.dsn()]);
  await stage.setSecret(JSON.stringify({ cells: Object.fromEntries(dsns), ssl: 'off' }));
  const { status } = await stage.backfill({ start: '2025-11-23T07:20:00Z', end: '2025-11-23T07:45:00Z' });
  if (status !== 'published') throw new Error(`the backfill is ${status}`);

  const duckdb = await DuckDBInstance.create();
  const connection = await duckdb.connect();
  const top = join(folder, BUCKET);
  await connection.run(`SET file_search_path = '${top}'; SET TimeZone = 'UTC'`);
  ask = async (sql) =>
    (await connection.runAndReadAll(sql.replaceAll("TO '", `TO '${top}/`))).getRowObjectsJson();
  stop = () => {
    connection.closeSync();
    duckdb.closeSync();
  };
  for (const block of await blocksOf('docs/exports.md', 'sql')) await ask(block);
});
afterAll(async () => {
  stop();
  await stage.stop();
  await db.stop();
  await rm(folder, { recursive: true });
});

test('servers are there once each, over all drops', async () => {
  const [counts] = await ask(
    `SELECT count(*)::INT AS rows, count(DISTINCT instance_uuid)::INT AS servers,
       (SELECT count(DISTINCT instance_uuid)::INT FROM read_parquet('cloud=demo/instances_parquet/*/*.parquet')) AS all
     FROM servers`,
  );
  expect(counts?.['rows']).toBeGreaterThan(50);
  expect(counts).toEqual({ rows: counts?.['rows'], servers: counts?.['rows'], all: counts?.['rows'] });
});

test('OpenDC’s tasks have its columns and types, and a fragment each of the same length', async () => {
  const columns = async (file: string): Promise<unknown[][]> =>
    (await ask(`DESCRIBE SELECT * FROM '${file}'`)).map((row) => [row['column_name'], row['column_type']]);
  expect(await columns('tasks.parquet')).toEqual([
    ['id', 'VARCHAR'],
    ['submission_time', 'BIGINT'],
    ['duration', 'BIGINT'],
    ['cpu_count', 'INTEGER'],
    ['cpu_capacity', 'DOUBLE'],
    ['mem_capacity', 'BIGINT'],
  ]);
  expect(await columns('fragments.parquet')).toEqual([
    ['id', 'VARCHAR'],
    ['duration', 'BIGINT'],
    ['cpu_count', 'INTEGER'],
    ['cpu_usage', 'DOUBLE'],
  ]);
  const [tasks] = await ask(
    `SELECT count(*)::INT AS tasks, count(*) FILTER (t.duration > 0 AND t.duration = f.duration)::INT AS right,
       (SELECT count(*)::INT FROM servers, trace_end
        WHERE launched_time < coalesce(deleted_time, time)) AS servers
     FROM 'tasks.parquet' t JOIN 'fragments.parquet' f USING (id)`,
  );
  expect(tasks?.['tasks']).toBeGreaterThan(30);
  expect(tasks).toEqual({ tasks: tasks?.['tasks'], right: tasks?.['tasks'], servers: tasks?.['tasks'] });
});

test('SWF has a line of 18 numbers for each server, in order of submission', async () => {
  const text = await readFile(join(folder, BUCKET, 'trace.swf'), 'utf8');
  const jobs = text
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' ').map(Number));
  const [{ servers, failed } = {}] = await ask(
    'SELECT count(*)::INT AS servers, count(*) FILTER (launched_time IS NULL)::INT AS failed FROM servers',
  );
  expect(jobs).toHaveLength(servers as number);
  expect(jobs.filter((job) => job.length !== 18 || !job.every(Number.isInteger))).toEqual([]);
  expect(jobs.map(([number]) => number)).toEqual(jobs.map((_, nth) => nth + 1));
  const submitted = jobs.map((job) => job[1] ?? -1);
  expect(submitted).toEqual(submitted.toSorted((a, b) => a - b));
  expect(submitted[0]).toBe(0);
  expect(jobs.filter((job) => job[10] === 0)).toHaveLength(failed as number);
});
