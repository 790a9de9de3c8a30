import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type MariaDb, useMariaDb } from '../support/mariadb/index.ts';
import { hostsOf } from '../support/nova/hosts.ts';
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
  db = await useMariaDb();
  const sample = await loadSample(db);
  const cells = [sample.cell1, sample.cell0];
  for (const cell of cells) await shiftByYear(cell);
  // The sample has servers and no hosts.
  const hosts = hostsOf(sample.cell1);
  const used = await sample.cell1.query('SELECT DISTINCT host FROM instances WHERE host IS NOT NULL');
  for (const { host } of used) await hosts.add(String(host), Date.UTC(2025, 10, 1) / 1000);
  folder = await mkdtemp(join(tmpdir(), 'star-compactor-exports-'));
  stage = await startStage({
    folder,
    env: {
      STAR_CLOUD: 'demo',
      STAR_TABLES: 'instance_events,instances,machines,machine_events',
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

test('OpenDC’s tasks have its columns and types, none of them optional, and a fragment each of the same length', async () => {
  const script = join(folder, 'opendc.mjs');
  await writeFile(script, (await blocksOf('docs/exports.md', 'js'))[0] ?? '');
  // A script finds its packages from where it lies.
  await symlink(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(folder, 'node_modules'));
  const top = join(folder, BUCKET);
  const paths = ['tasks', 'fragments'].map((name) => join(top, `${name}.parquet`));
  const before = await Promise.all(paths.map((path) => ask(`SELECT * FROM '${path}' ORDER BY id`)));
  execFileSync(process.execPath, [script, ...paths]);
  expect(await Promise.all(paths.map((path) => ask(`SELECT * FROM '${path}' ORDER BY id`)))).toEqual(before);

  const columns = async (file: string): Promise<unknown[][]> =>
    (await ask(`SELECT * FROM parquet_schema('${join(top, file)}') OFFSET 1`)).map((row) =>
      ['name', 'type', 'converted_type', 'repetition_type'].map((field) => row[field]),
    );
  expect(await columns('tasks.parquet')).toEqual([
    ['id', 'INT32', 'INT_32', 'REQUIRED'],
    ['name', 'BYTE_ARRAY', 'UTF8', 'REQUIRED'],
    ['submission_time', 'INT64', 'TIMESTAMP_MILLIS', 'REQUIRED'],
    ['duration', 'INT64', 'INT_64', 'REQUIRED'],
    ['cpu_count', 'INT32', 'INT_32', 'REQUIRED'],
    ['cpu_capacity', 'DOUBLE', null, 'REQUIRED'],
    ['mem_capacity', 'INT64', 'INT_64', 'REQUIRED'],
  ]);
  expect(await columns('fragments.parquet')).toEqual([
    ['id', 'INT32', 'INT_32', 'REQUIRED'],
    ['duration', 'INT64', 'INT_64', 'REQUIRED'],
    ['cpu_count', 'INT32', 'INT_32', 'REQUIRED'],
    ['cpu_usage', 'DOUBLE', null, 'REQUIRED'],
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

/** Fields of the lines of a file without a header. */
const lines = async (file: string): Promise<string[][]> =>
  (await readFile(join(folder, BUCKET, file), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => line.split(','));
const isWhole = (field = ''): boolean => /^\d+$/.test(field);
const isShare = (field = ''): boolean => field !== '' && Number(field) > 0 && Number(field) <= 1;
const inOrder = (fields: string[][]): boolean =>
  fields.every((line, nth) => nth === 0 || Number(line[0]) >= Number(fields[nth - 1]?.[0]));

test('CloudSim Plus gets every host once, in six fields, the largest as 1', async () => {
  const events = await lines('machine_events.csv');
  const wrong = events.filter(
    (line) => line.length !== 6 || !line.slice(0, 4).every(isWhole) || !line.slice(4).every(isShare),
  );
  expect(wrong).toEqual([]);
  expect(inOrder(events)).toBe(true);
  const added = events.filter((line) => line[2] === '0').map((line) => line[1]);
  const [{ hosts } = {}] = await ask('SELECT count(*)::INT AS hosts FROM hosts');
  expect(hosts).toBeGreaterThan(1);
  expect([added.length, new Set(added).size]).toEqual([hosts, hosts]);
  expect(Math.max(...events.map((line) => Number(line[4])))).toBe(1);
});

test('CloudSim Plus gets every server in 13 fields: submitted, scheduled onto a host that is there, and ended', async () => {
  const events = await lines('task_events.csv');
  const wrong = events.filter(
    (line) =>
      line.length !== 13 ||
      ![0, 2, 3, 5, 7, 8].every((at) => isWhole(line[at])) ||
      ![9, 10].every((at) => isShare(line[at])) ||
      line[6] === '',
  );
  expect(wrong).toEqual([]);
  expect(inOrder(events)).toBe(true);
  const jobs = (type: string): Set<string> =>
    new Set(events.filter((line) => line[5] === type).map(([, , job = '']) => job));
  const [truth] = await ask(
    `SELECT count(*)::INT AS submitted, count(*) FILTER (launched_time IS NOT NULL)::INT AS scheduled,
       count(*) FILTER (launched_time IS NULL AND deleted_time IS NOT NULL)::INT AS failed,
       count(*) FILTER (launched_time IS NOT NULL AND deleted_time IS NOT NULL)::INT AS killed FROM servers`,
  );
  expect({
    submitted: jobs('0').size,
    scheduled: jobs('1').size,
    failed: jobs('3').size,
    killed: jobs('5').size,
  }).toEqual(truth);
  expect(truth?.['scheduled']).toBeGreaterThan(30);
  const there = new Set((await lines('machine_events.csv')).map(([, host]) => host));
  const onto = events.filter((line) => line[5] === '1').map((line) => line[4]);
  // A server that is shelved and offloaded is on none.
  expect(onto.filter((host) => host !== '' && !there.has(host))).toEqual([]);
  expect(onto.filter((host) => host !== '').length).toBeGreaterThan(30);
  // Of one server: first submitted, then scheduled, then ended.
  const orders = Map.groupBy(events, ([, , job]) => job);
  expect([...orders.values()].filter((own) => own[0]?.[5] !== '0' || own.length > 3)).toEqual([]);
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
