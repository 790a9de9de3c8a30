import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { filesOf } from '../../lib/drop/manifest.ts';
import type { Answer } from '../support/invoke/runtime.ts';
import { type Drop, eventsOf, listKeys, readDrops, readObject, readParquet } from '../support/drops.ts';
import { type MariaDb, type Row, useMariaDb } from '../support/mariadb/index.ts';
import { replay } from '../support/nova/history.ts';
import { upsert } from '../support/nova/rows.ts';
import { loadSample, shiftByYear } from '../support/nova/sample.ts';
import type { Cell } from '../support/nova/schema.ts';
import { finishedEvents } from '../support/nova/truth.ts';
import { type Stage, startStage } from '../support/stage.ts';

const MASKING_SECRET = 'known to this test and to nobody else, of 32 bytes and more';
const DAY = Date.parse('2025-11-23T00:00:00Z') / 1000;
const NEXT_DAY = DAY + 86_400;
const EPOCH = Date.parse('2025-11-23T07:25:00Z') / 1000;
const EVENT = { scheduledTime: '2025-11-24T00:45:00Z' };

/** What has to be quoted in CSV or escaped in JSON, or is not ASCII. */
const AWKWARD = [
  'a,b',
  'say "hello"',
  "it's",
  'semi;colon',
  'back\\slash',
  'two\nlines',
  'carriage\rreturn',
  ' spaces around ',
  '=1+1',
  'grüße-東京-Ω',
  'combined-e\u0301\u0323',
  '\u202Ebackwards-\u05E2\u05D1\u05E8\u05D9\u05EA',
  'bell-\u0007-and-tab-\t',
  `long-${'x'.repeat(200)}`,
  '"',
  ',',
];

let db: MariaDb;
let cells: Cell[];
let truth: Row[];

beforeAll(async () => {
  db = await useMariaDb();
  const sample = await loadSample(db);
  cells = [sample.cell1, sample.cell0];
  for (const cell of cells) await shiftByYear(cell);
  await addAwkward(sample.cell1);
  await archiveSome(sample.cell1);
  await orphanSome(sample.cell1);
  truth = await finishedEvents(cells, NEXT_DAY);
});
afterAll(() => db.stop());

async function addAwkward(cell: Cell): Promise<void> {
  for (const [n, name] of [...AWKWARD, null, ''].entries()) {
    const id = 5000 + n;
    const uuid = `e0e00000-0000-4000-a000-00000000${id}`;
    const times = { created_at: '2025-11-23 07:30:00', start_time: '2025-11-23 07:30:00' };
    const finish = { finish_time: `2025-11-23 07:30:${10 + n}`, result: n % 3 === 0 ? 'Error' : 'Success' };
    await upsert(cell, 'instances', [
      { id, uuid, hostname: name, user_id: name, project_id: name, host: name, node: name, deleted: 0 },
    ]);
    await upsert(cell, 'instance_actions', [
      { id, action: 'act', instance_uuid: uuid, deleted: 0, ...times },
    ]);
    const event = { action_id: id, deleted: 0, host: name, ...times, ...finish };
    // Event names are Nova's own; nothing says that none ever needs quoting. One that named a server would be refused.
    const names = [
      { id, event: 'compute_x' },
      { id: id + 100, event: name?.replaceAll(/[a-z\d]/g, 'q') ?? null },
    ];
    await upsert(
      cell,
      'instance_actions_events',
      names.map((own) => ({ ...event, ...own })),
    );
  }
}

async function archiveSome(cell: Cell): Promise<void> {
  const deleted = await cell.query("SELECT uuid FROM instances WHERE deleted_at < '2025-11-23 07:33:00'");
  expect(deleted.length).toBeGreaterThan(10);
  const changes = deleted.map(({ uuid }) => ({
    at: 0,
    cell: cell.name,
    table: 'instances' as const,
    archive: String(uuid),
  }));
  await replay([cell], changes).applyUntil(0);
}

/** Events whose action is gone, and one whose action names an instance that is gone. */
async function orphanSome(cell: Cell): Promise<void> {
  const times = { created_at: '2025-11-23 07:31:00', start_time: '2025-11-23 07:31:00' };
  const event = { ...times, finish_time: '2025-11-23 07:31:05', result: 'Success', deleted: 0 };
  await upsert(cell, 'instance_actions_events', [
    { ...event, id: 6001, event: 'compute_orphan', action_id: null },
    { ...event, id: 6002, event: 'compute_orphan', action_id: null },
  ]);
  await cell.query(
    `SET foreign_key_checks = 0;
     INSERT INTO instance_actions (id, action, instance_uuid, created_at, deleted)
       VALUES (6003, 'act', 'e0e00000-0000-4000-a000-ffffffffffff', '2025-11-23 07:31:00', 0)`,
  );
  await upsert(cell, 'instance_actions_events', [
    { ...event, id: 6003, event: 'compute_orphan', action_id: 6003 },
  ]);
}

async function stageWith(env: Record<string, string>): Promise<Stage> {
  const stage = await startStage({ env: { STAR_FORMATS: 'csv,jsonl', ...env } });
  const dsns = Object.fromEntries(cells.map((cell) => [cell.name, cell.dsn()]));
  await stage.setSecret(JSON.stringify({ cells: dsns, ssl: 'off' }));
  return stage;
}

describe('the trace of a real Nova’s day', () => {
  let stage: Stage;
  let drop: Drop;

  beforeAll(async () => {
    stage = await stageWith({ STAR_MASKING_SECRET: 'masks', STAR_EPOCH: '2025-11-23T07:25:00Z' });
    const { region, endpoint, credentials } = {
      region: stage.s3.region,
      endpoint: stage.secretsManager.endpoint,
      credentials: { accessKeyId: stage.s3.accessKeyId, secretAccessKey: stage.s3.secretAccessKey },
    };
    const client = new SecretsManagerClient({ region, endpoint, credentials });
    await client.send(new CreateSecretCommand({ Name: 'masks', SecretString: MASKING_SECRET }));
    client.destroy();
    await stage.invoke(EVENT);
    const drops = await readDrops(stage.client);
    if (drops.length !== 1) throw new Error(`There are ${drops.length} drops`);
    drop = drops[0]!;
  });
  afterAll(() => stage.stop());

  test('has every column of every row as the plain select has it, in CSV', () => {
    const rows = (drop.rows['csv'] ?? []).map((row) => JSON.stringify(Object.entries(row)));
    const expected = truth.map((row) => {
      const { uuid, event, start, startSec, finish, finishSec, duration, result, sizes, names } =
        valuesOf(row);
      const values = [uuid, event, start, startSec, finish, finishSec, duration, result, ...sizes, ...names];
      return JSON.stringify(CSV_COLUMNS.map((column, at) => [column, asText(values[at])]));
    });
    expect(rows.toSorted()).toEqual(expected.toSorted());
  });

  test('has every field of every row as the plain select has it, in JSON lines', () => {
    const rows = (drop.rows['jsonl'] ?? []).map((row) => JSON.stringify(Object.entries(row)));
    const expected = truth.map((row) => {
      const { uuid, event, start, startSec, finish, finishSec, duration, result, sizes, names } =
        valuesOf(row);
      const times = [`${start}Z`, startSec, `${finish}Z`, finishSec];
      const values = [uuid, event, ...times, duration, result, ...sizes, ...names];
      return JSON.stringify(JSON_FIELDS.map((field, at) => [field, values[at] ?? null]));
    });
    expect(rows.toSorted()).toEqual(expected.toSorted());
  });

  test('is in order of start time across both cells, archived events among them', () => {
    const starts = (drop.rows['jsonl'] ?? []).map((row) => String(row['start_time']));
    expect(starts).toEqual(starts.toSorted());
    expect(drop.rows['csv']?.map((row) => `${String(row['START_TIME'])}Z`)).toEqual(starts);
    const fromCells = new Set(truth.map((row) => row['cell']));
    expect(fromCells).toEqual(new Set(['cell1', 'cell0']));
    // Those of cell0 do not come first or last in a block.
    const conductor = (drop.rows['jsonl'] ?? []).map(
      (row) => row['event'] === 'conductor_schedule_and_build_instances',
    );
    expect(conductor.slice(conductor.indexOf(true), conductor.lastIndexOf(true))).toContain(false);
  });

  test('reads back the same in both formats, row for row', () => {
    const csv = (drop.rows['csv'] ?? []).map((row) => Object.values(row));
    const json = (drop.rows['jsonl'] ?? []).map((row) =>
      Object.entries(row).map(([field, value]) =>
        field.endsWith('_time') ? asText(value).slice(0, -1) : asText(value),
      ),
    );
    expect(csv).toEqual(json);
  });

  test('joins by its masks: each value has one, in all columns, and null and empty have none', () => {
    const rows = drop.rows['jsonl'] ?? [];
    for (const name of AWKWARD) {
      const [row] = rows.filter((one) => one['hostname'] === masked(name));
      expect(row).toMatchObject({ user_id: masked(name), project_id: masked(name), host: masked(name) });
    }
    expect(rows.filter((row) => row['hostname'] === '')).toHaveLength(2);
    expect(rows.filter((row) => row['hostname'] === null)).toHaveLength(2);
  });

  test('is what its manifest says: columns, rows, bytes, hashes, counts and how far the source goes back', async () => {
    const { manifest } = drop;
    expect(manifest).toMatchObject({
      manifestVersion: 2,
      cloud: 'test',
      window: { start: '2025-11-23T00:00:00Z', end: '2025-11-24T00:00:00Z' },
      epoch: '2025-11-23T07:25:00Z',
      masking: { method: 'sha2-salted' },
      hostFrom: 'event',
      previous: null,
      tables: { instance_events: { kind: 'events', source: 'database' } },
    });
    expect(Object.keys(manifest.tables)).toEqual(['instance_events']);
    expect(filesOf(manifest).map(({ format, columns }) => ({ format, columns }))).toEqual([
      { format: 'csv', columns: CSV_COLUMNS },
      { format: 'jsonl', columns: JSON_FIELDS },
    ]);
    for (const { key, bytes, sha256, rows } of filesOf(manifest)) {
      const stored = await readObject(stage.client, key);
      const unpacked = gunzipSync(stored).toString('utf8');
      expect({ bytes, sha256, rows }).toEqual({
        bytes: stored.length,
        sha256: createHash('sha256').update(stored).digest('hex'),
        rows: truth.length,
      });
      expect(unpacked.endsWith('\n')).toBe(true);
    }
    const [open] = await cells[0]!.query(
      'SELECT (SELECT COUNT(*) FROM instance_actions_events WHERE finish_time IS NULL) +' +
        ' (SELECT COUNT(*) FROM shadow_instance_actions_events WHERE finish_time IS NULL) AS events',
    );
    expect(eventsOf(manifest).counts).toEqual({
      rows: truth.length,
      instances: new Set(truth.map((row) => row['uuid'])).size,
      late: 0,
      beforeBegin: 0,
      abandoned: 0,
      stillOpen: Number(open?.['events']),
      rewritten: 0,
      restored: 0,
      // Nothing is newer than this day, and its ids have gaps.
      purged: null,
      skipped: { actionGone: 2, instanceGone: 1 },
    });
    expect(eventsOf(manifest).sourceFrom).toBe('2025-11-23T07:21:53Z');
    const keys = (await listKeys(stage.client)).filter((key) => !key.includes('/state/claim'));
    expect(keys.toSorted()).toEqual(
      [
        ...filesOf(manifest).map(({ key }) => key),
        'cloud=test/20251123T000000Z-20251124T000000Z.datapackage.json',
        'cloud=test/manifests/date=2025-11-23/20251123T000000Z-20251124T000000Z.json',
        'cloud=test/manifests/date=2025-11-23/20251123T000000Z-20251124T000000Z.report.html',
        'cloud=test/index.html',
        'cloud=test/state/checkpoint.json',
        'cloud=test/state/index.json',
        'cloud=test/state/trace.json',
      ].toSorted(),
    );
  });
});

const CSV_COLUMNS = [
  'INSTANCE_UUID',
  'EVENT',
  'START_TIME',
  'START_SEC',
  'FINISH_TIME',
  'FINISH_SEC',
  'EVENT_DURATION',
  'RESULT',
  'MEMORY_MB',
  'DISK_GB',
  'VCPUS',
  'INSTANCE_NAME',
  'USER_ID',
  'PROJECT_ID',
  'HOST_NAME (PHYSICAL)',
];
const JSON_FIELDS = [
  'uuid',
  'event',
  'start_time',
  'startSec',
  'finish_time',
  'finishSec',
  'duration',
  'result',
  'memory_mb',
  'root_gb',
  'vcpus',
  'hostname',
  'user_id',
  'project_id',
  'host',
];

function asText(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The stated rules, written down a second time on purpose. */
function valuesOf(row: Row) {
  const seconds = (time: unknown): number => Date.parse(`${String(time).replace(' ', 'T')}Z`) / 1000;
  const since = (time: unknown): number => Math.max(-1, seconds(time) < EPOCH ? -1 : seconds(time) - EPOCH);
  const [own, instance] = [row['host'] ?? '', row['instance_host'] ?? ''];
  const ranThere = String(row['event']).startsWith('compute_');
  const host = ranThere ? own || row['instance_host'] : instance || row['host'];
  return {
    uuid: masked(row['uuid']),
    event: row['event'],
    start: String(row['start_time']).replace(' ', 'T'),
    startSec: since(row['start_time']),
    finish: String(row['finish_time']).replace(' ', 'T'),
    finishSec: since(row['finish_time']),
    duration: seconds(row['finish_time']) - seconds(row['start_time']),
    result: row['result'],
    sizes: [row['memory_mb'], row['root_gb'], row['vcpus']],
    names: [masked(row['hostname']), masked(row['user_id']), masked(row['project_id']), masked(host)],
  };
}

function masked(value: unknown): unknown {
  if (typeof value !== 'string' || value === '') return value;
  return createHash('sha256').update(MASKING_SECRET).update(value, 'utf8').digest('hex').slice(0, 32);
}

describe('what leaves the process', () => {
  let stage: Stage;
  let lines: Record<string, unknown>[];
  let output: string;
  let objects: string;

  beforeAll(async () => {
    stage = await stageWith({ STAR_FORMATS: 'csv,jsonl,parquet' });
    const ran = await runLogged(EVENT);
    if (!('summary' in ran.answer)) throw new Error(ran.answer.error.message);
    output = ran.output;
    // And a run that fails, with its error.
    stage.env['STAR_RETIRED_CELLS'] = '';
    await stage.setSecret(JSON.stringify({ cells: { other: cells[0]!.dsn() }, ssl: 'off' }));
    const failed = await runLogged({ scheduledTime: '2025-11-25T00:45:00Z' });
    if (!('error' in failed.answer)) throw new Error('It did not fail');
    output += failed.output + JSON.stringify(failed.answer);
    lines = ran.output
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const texts: string[] = [];
    for (const key of await listKeys(stage.client)) {
      const bytes = await readObject(stage.client, key);
      texts.push(key, (key.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8'));
      // Pages of Parquet are compressed.
      if (key.endsWith('.parquet')) texts.push(JSON.stringify(await readParquet(bytes)));
    }
    objects = texts.join('\n');
  });
  afterAll(() => stage.stop());

  /** Runs the handler in a process of its own, as the function's runtime does, and keeps all that it prints. */
  async function runLogged(event: unknown): Promise<{ answer: Answer; output: string }> {
    const runner = fileURLToPath(new URL('../support/invoke/runner.ts', import.meta.url));
    const { POWERTOOLS_METRICS_DISABLED: _, ...inherited } = process.env;
    const env = { ...inherited, POWERTOOLS_LOG_LEVEL: 'INFO' };
    const child = spawn(process.execPath, [runner], { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    const printed = Promise.all([text(child.stdout!), text(child.stderr!)]);
    await once(child, 'message');
    const answered = once(child, 'message');
    child.send({ event, env: stage.env, lifetimeMs: 900_000 });
    const [answer] = (await answered) as [Answer];
    child.disconnect();
    return { answer, output: (await printed).join('\n') };
  }

  test('is logged as JSON, line by line, the summary among it', () => {
    const [summary] = lines.filter((line) => 'summary' in line);
    expect(summary).toMatchObject({
      level: 'INFO',
      service: 'star-compactor',
      message: '1 window(s) published',
      summary: {
        cloud: 'test',
        status: 'published',
        rows: truth.length,
        left: [],
        watermark: '2025-11-24T00:00:00Z',
        windows: [{ window: '2025-11-23T00:00:00Z/2025-11-24T00:00:00Z', status: 'published' }],
      },
    });
  });

  test('is measured by service and cloud, and by nothing else', () => {
    const measured = lines.filter((line) => '_aws' in line);
    expect(measured).toHaveLength(1);
    const [metrics] = measured;
    const described = metrics?.['_aws'] as {
      CloudWatchMetrics: { Namespace: string; Dimensions: string[][]; Metrics: { Name: string }[] }[];
    };
    const [directive] = described.CloudWatchMetrics;
    expect(directive?.Namespace).toBe('StarCompactor');
    expect(directive?.Dimensions.map((names) => names.toSorted())).toEqual([['cloud', 'service']]);
    expect(metrics).toMatchObject({
      service: 'star-compactor',
      cloud: 'test',
      Rows: truth.length,
      WindowsPublished: 1,
    });
    expect(directive?.Metrics.map(({ Name }) => Name).toSorted()).toEqual([
      'Bytes',
      'DurationSeconds',
      'OpenEvents',
      'Rows',
      'WatermarkLagSeconds',
      'WindowsLeft',
      'WindowsPublished',
    ]);
  });

  test('holds no uuid, name, user, project, host, request id, message or traceback of the cloud', async () => {
    const secrets = new Set<string>();
    for (const cell of cells) {
      for (const shadow of ['', 'shadow_']) {
        const rows = [
          ...(await cell.query(
            `SELECT uuid, hostname, user_id, project_id, host, node, display_name, image_ref, reservation_id
               FROM ${shadow}instances`,
          )),
          ...(await cell.query(`SELECT request_id, message, instance_uuid FROM ${shadow}instance_actions`)),
          ...(await cell.query(`SELECT host, traceback, details FROM ${shadow}instance_actions_events`)),
        ];
        for (const value of rows.flatMap((row) => Object.values(row))) {
          // Of an action's message "Error" is what a result says too.
          if (typeof value === 'string' && value.length > 5) secrets.add(value);
        }
      }
    }
    expect(secrets.size).toBeGreaterThan(1000);
    // A server that was there before may have none.
    for (const { server } of cells) if (server.rootPassword !== '') secrets.add(server.rootPassword);
    const everything = `${output}\n${objects}`.toLowerCase();
    expect(everything.length).toBeGreaterThan(100_000);
    expect([...secrets].filter((value) => everything.includes(value.toLowerCase()))).toEqual([]);
  });
});
