import { PutObjectCommand } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { HOUR } from '../../lib/core/time.ts';
import { eventsOf, listKeys, readObject } from '../support/drops.ts';
import { type MariaDb, useMariaDb } from '../support/mariadb/index.ts';
import { compareWithTruth } from '../support/nova/compare.ts';
import { type Scene, at, startScene } from '../support/nova/scene.ts';
import { finishedEvents } from '../support/nova/truth.ts';
import { BUCKET } from '../support/stage.ts';

let db: MariaDb;
let scene: Scene;
let server: string;

beforeAll(async () => {
  db = await useMariaDb();
});
afterAll(() => db.stop());
beforeEach(async () => {
  scene = await startScene(db, ['cell1']);
  server = await scene.server('cell1');
});
afterEach(() => scene.stop());

const MASKED = { STAR_MASKING: '', STAR_ALLOW_UNSAFE_MASKING: '' };
const CHECKPOINT = 'cloud=test/state/checkpoint.json';

/** An event of a minute's length on the server, named after the day and time of its finish. */
async function eventAt(finish: string, cell = 'cell1', uuid = server): Promise<string> {
  const name = `compute_${finish.replace(/\W/g, '')}`;
  await scene.event(cell, uuid, name, { start: at(finish) - 60, finish: at(finish) });
  return name;
}

async function put(key: string, body: string): Promise<void> {
  await scene.stage.client.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: body }));
}

const textOf = async (key: string): Promise<string> =>
  (await readObject(scene.stage.client, key)).toString('utf8');

/** Every object with its content, but for the claim, which says only who was here last. */
async function contents(): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const key of await listKeys(scene.stage.client)) {
    if (key.includes('/state/claim')) continue;
    const bytes = await readObject(scene.stage.client, key);
    found[key] = createHash('sha256').update(bytes).digest('hex');
  }
  return found;
}

const refusalOf = (run: Promise<unknown>): Promise<{ name: string; message: string }> =>
  run.then(
    () => ({ name: 'none', message: '' }),
    (error: Error) => ({ name: error.name, message: error.message }),
  );

describe('a cell', () => {
  test('that is added later begins with its first window, and loses nothing after', async () => {
    const before = await eventAt('02 10:00');
    await scene.run(at('03 00:45'));
    await scene.addCell('cell2');
    await scene.open();
    const other = await scene.server('cell2');
    await eventAt('02 11:00', 'cell2', other);
    await scene.event('cell2', other, 'compute_open', { start: at('02 12:00') });
    await scene.event('cell2', other, 'compute_long', { start: at('01 12:00'), finish: at('03 12:00') });
    const [a, b] = [await eventAt('03 10:00'), await eventAt('03 11:00', 'cell2', other)];
    await scene.run(at('04 00:45'));
    const [open] = await scene
      .cell('cell2')
      .query("SELECT id FROM instance_actions_events WHERE event = 'compute_open'");
    await scene.finish('cell2', Number(open?.['id']), at('04 08:00'));
    const c = await eventAt('04 11:00', 'cell2', other);
    await scene.run(at('05 00:45'));
    expect(await scene.published()).toEqual({
      '2025-06-02T00:00': [before],
      '2025-06-03T00:00': ['compute_long', a, b],
      '2025-06-04T00:00': ['compute_open', c],
    });
  });

  test('that is missing from the secret is refused by its name, with the setting that retires it', async () => {
    await scene.addCell('cell2');
    await scene.open();
    const other = await scene.server('cell2');
    await eventAt('02 11:00', 'cell2', other);
    await scene.run(at('03 00:45'));
    await scene.open('cell1');
    const before = await scene.published();
    expect(await refusalOf(scene.run(at('04 00:45')))).toEqual({
      name: 'InputError',
      message: expect.stringMatching(/cell2 is missing.*STAR_RETIRED_CELLS=cell2/) as string,
    });
    expect(await scene.published()).toEqual(before);

    const after = await eventAt('03 10:00');
    scene.stage.env['STAR_RETIRED_CELLS'] = 'cell2';
    await scene.run(at('04 00:45'));
    expect((await scene.published())['2025-06-03T00:00']).toEqual([after]);
    // And goes on being retired once the checkpoint has forgotten it.
    expect((await scene.run(at('05 00:45'))).status).toBe('published');
  });
});

describe('a database whose ids went back', () => {
  const deleteFrom = (id: number): Promise<unknown> =>
    scene
      .cell('cell1')
      .query(
        `DELETE FROM instance_actions_events WHERE id >= ${id}; DELETE FROM instance_actions WHERE id >= ${id}`,
      );

  test('goes on: what got an id again is published and counted', async () => {
    for (let n = 0; n < 20; n++) await eventAt(`02 10:${10 + n}`);
    await scene.run(at('03 00:45'));
    await deleteFrom(10);
    await scene.event('cell1', server, 'compute_again', {
      id: 11,
      start: at('03 10:00'),
      finish: at('03 10:01'),
    });
    expect((await scene.run(at('04 00:45'))).status).toBe('published');
    expect((await scene.published())['2025-06-03T00:00']).toEqual(['compute_again']);
    const [, second] = await scene.drops();
    expect(second && eventsOf(second.manifest).counts.restored).toBe(1);
  });

  test('by no more than what is still within the settle time goes on too', async () => {
    for (let n = 0; n < 20; n++) await eventAt(`02 23:${36 + n}`);
    await scene.run(at('03 00:45'));
    const { nextEventId, seenIds } = await scene.memory('cell1');
    expect(nextEventId).toBeLessThanOrEqual(2);
    expect(seenIds.at(-1)).toBe(20);
    await deleteFrom(10);
    const names: string[] = [];
    for (let id = 10; id < 15; id++) {
      names.push(`compute_again${id}`);
      const times = { start: at('03 10:00') + id, finish: at('03 11:00') };
      await scene.event('cell1', server, `compute_again${id}`, { id, ...times });
    }
    await scene.run(at('04 00:45'));
    expect((await scene.published())['2025-06-03T00:00']).toEqual(names);
  });

  test('is not seen where the newest rows were merely archived and purged', async () => {
    for (let n = 0; n < 20; n++) await eventAt(`02 10:${10 + n}`);
    await scene.run(at('03 00:45'));
    await deleteFrom(10);
    expect((await scene.run(at('04 00:45'))).status).toBe('published');
    const name = 'compute_next';
    await scene.event('cell1', server, name, { id: 30, start: at('04 10:00'), finish: at('04 10:01') });
    await scene.run(at('05 00:45'));
    expect((await scene.published())['2025-06-04T00:00']).toEqual([name]);
  });
});

test('the window length can be changed to a day and back: no gap, no overlap, every event once', async () => {
  for (let hour = 0; hour < 96; hour++) {
    const start = at('02 00:00') + hour * HOUR + 30 * 60;
    await scene.event('cell1', server, `compute_${hour}`, { start, finish: start + HOUR });
  }
  const lengths = [
    { minutes: '60', runs: ['02 01:30', '02 02:30', '02 05:45'] },
    { minutes: '1440', runs: ['03 00:45', '04 00:45'] },
    { minutes: '60', runs: ['04 03:30', '04 06:30'] },
    { minutes: '1440', runs: ['04 23:00', '05 00:45'] },
  ];
  for (const { minutes, runs } of lengths) {
    scene.stage.env['STAR_WINDOW_MINUTES'] = minutes;
    for (const time of runs) await scene.run(at(time));
  }
  const windows = (await scene.drops()).map(({ manifest }) => manifest.window);
  expect(windows[0]?.start).toBe('2025-06-02T00:00:00Z');
  expect(windows.at(-1)?.end).toBe('2025-06-05T00:00:00Z');
  expect(windows.slice(1).map(({ start }) => start)).toEqual(windows.slice(0, -1).map(({ end }) => end));
  const truth = await finishedEvents([scene.cell('cell1')], at('05 00:00'));
  expect(compareWithTruth(await scene.drops(), truth)).toEqual({ onlyInDrops: [], onlyInDatabase: [] });
});

describe('a checkpoint that is not what this version wrote is refused by name, and nothing is written', () => {
  type Json = Record<string, unknown>;
  const BAD: { of: string; change: (checkpoint: Json) => string; names: RegExp }[] = [
    { of: 'no JSON', change: () => 'garbage', names: /checkpoint/ },
    { of: 'blank', change: () => '\n', names: /checkpoint/ },
    { of: 'an empty object', change: () => '{}', names: /checkpointVersion/ },
    {
      of: 'of a future version',
      change: (checkpoint) => JSON.stringify({ ...checkpoint, checkpointVersion: 4 }),
      names: /checkpointVersion: .*version 3.*newer/,
    },
    {
      of: 'with a key that is not known',
      change: (checkpoint) => JSON.stringify({ ...checkpoint, extra: 1 }),
      names: /checkpoint/,
    },
    {
      of: 'with a window that is no time',
      change: (checkpoint) => JSON.stringify({ ...checkpoint, window: { start: 'x', end: 'y' } }),
      names: /window/,
    },
    {
      of: 'with a window that ends before it starts',
      change: (checkpoint) =>
        JSON.stringify({
          ...checkpoint,
          window: { start: '2025-06-03T00:00:00Z', end: '2025-06-02T00:00:00Z' },
        }),
      names: /window/,
    },
    {
      of: 'with the memory of a cell edited',
      change: (checkpoint) =>
        JSON.stringify({
          ...checkpoint,
          tables: {
            instance_events: {
              source: 'database',
              begin: at('02 00:00'),
              state: { cell1: { nextEventId: 'x' } },
            },
          },
        }),
      names: /cell1/,
    },
    {
      of: 'of another kind of source',
      change: (checkpoint) =>
        JSON.stringify({
          ...checkpoint,
          tables: { instance_events: { source: 'api', begin: at('02 00:00'), state: {} } },
        }),
      names: /source.*api|api.*source/,
    },
  ];
  test.each(BAD)('$of', async ({ change, names }) => {
    await eventAt('02 10:00');
    await scene.run(at('03 00:45'));
    await eventAt('03 10:00');
    await put(CHECKPOINT, change(JSON.parse(await textOf(CHECKPOINT)) as Json));
    const before = await contents();
    const { name, message } = await refusalOf(scene.run(at('04 00:45')));
    expect(name).toBe('StoreError');
    expect(message).toMatch(names);
    expect(message).toContain('checkpoint');
    expect(message).not.toContain('\n');
    expect(await contents()).toEqual(before);
  });
});

describe('masks', () => {
  const rowsOf = async (): Promise<{ scope: string; method: string; rows: Record<string, unknown>[] }[]> =>
    (await scene.drops()).map(({ manifest, rows }) => ({
      scope: manifest.masking.scope,
      method: manifest.masking.method,
      rows: (rows['jsonl'] ?? []).map(({ uuid, hostname, user_id: user, project_id: project, host }) => ({
        uuid,
        hostname,
        user,
        project,
        host,
      })),
    }));

  beforeEach(async () => {
    Object.assign(scene.stage.env, MASKED);
    await eventAt('02 10:00');
    await eventAt('03 10:00');
    await eventAt('04 10:00');
  });

  async function holdSecret(
    name: string,
    secret: { SecretString: string } | { SecretBinary: Buffer },
  ): Promise<void> {
    const { env } = scene.stage;
    const client = new SecretsManagerClient({
      region: env['AWS_REGION'] ?? '',
      endpoint: env['AWS_ENDPOINT_URL_SECRETS_MANAGER'] ?? '',
      credentials: {
        accessKeyId: env['AWS_ACCESS_KEY_ID'] ?? '',
        secretAccessKey: env['AWS_SECRET_ACCESS_KEY'] ?? '',
      },
    });
    await client.send(new CreateSecretCommand({ Name: name, ...secret }));
    client.destroy();
    env['STAR_MASKING_SECRET'] = name;
  }

  test('of two invocations join with a secret held by the operator, and bear the same scope', async () => {
    await holdSecret('masks', {
      SecretString: 'a secret of more than thirty-two bytes, held by the operator',
    });
    await scene.run(at('03 00:45'));
    await scene.run(at('04 00:45'));
    const [a, b] = await rowsOf();
    expect(a).toEqual(b);
    expect(JSON.stringify(a)).not.toContain('server');
    expect(a?.method).toBe('sha2-salted');
    await holdSecret('others', { SecretBinary: Buffer.alloc(32, 7) });
    await scene.run(at('05 00:45'));
    const [, , c] = await rowsOf();
    expect(c?.scope).not.toBe(a?.scope);
    expect(c?.rows[0]?.['uuid']).not.toBe(a?.rows[0]?.['uuid']);
  });

  test('of two invocations do not join without one, and those of two windows of one invocation do', async () => {
    await scene.run(at('03 00:45'));
    await scene.run(at('05 00:45'));
    const [a, b, c] = await rowsOf();
    expect(b).toEqual(c);
    expect(a?.scope).not.toBe(b?.scope);
    for (const [column, mask] of Object.entries(a?.rows[0] ?? {}))
      expect(b?.rows[0]?.[column]).not.toBe(mask);
  });
});

test('excluded users and projects are left out and counted', async () => {
  const [bot, monitor] = [
    await scene.server('cell1', { user_id: 'bot' }),
    await scene.server('cell1', { project_id: 'monitoring' }),
  ];
  const both = await scene.server('cell1', { user_id: 'bot', project_id: 'monitoring' });
  const nobody = await scene.server('cell1', { user_id: null, project_id: null });
  const kept = [await eventAt('02 10:00'), await eventAt('02 10:05', 'cell1', nobody)];
  for (const [n, uuid] of [bot, bot, monitor, both].entries()) await eventAt(`02 11:0${n}`, 'cell1', uuid);
  Object.assign(scene.stage.env, { STAR_EXCLUDE_USERS: 'bot, nobody', STAR_EXCLUDE_PROJECTS: 'monitoring' });
  await scene.run(at('03 00:45'));
  expect(await scene.published()).toEqual({ '2025-06-02T00:00': kept });
  const [drop] = await scene.drops();
  expect(eventsOf(drop?.manifest).counts).toMatchObject({
    rows: 2,
    instances: 2,
    skipped: { excludedUser: 3, excludedProject: 1 },
  });
});

describe('the host of a row', () => {
  async function hosts(env: Record<string, string>): Promise<unknown[]> {
    Object.assign(scene.stage.env, env);
    const moved = await scene.server('cell1', { host: 'cmp-now', node: 'machine-7' });
    const gone = await scene.server('cell1', { host: null, node: null });
    const times = { start: at('02 10:00'), finish: at('02 10:01') };
    await scene.event('cell1', moved, 'compute_a', { ...times, host: 'cmp-then' });
    await scene.event('cell1', moved, 'conductor_b', { ...times, host: 'controller' });
    await scene.event('cell1', gone, 'compute_c', { ...times, host: null });
    await scene.event('cell1', gone, 'conductor_d', { ...times, host: 'controller' });
    await scene.event('cell1', moved, 'compute_e', { ...times, host: '' });
    await scene.run(at('03 00:45'));
    const [drop] = await scene.drops();
    return [drop?.manifest.hostFrom, ...(drop?.rows['jsonl'] ?? []).map((row) => row['host'])];
  }

  test('is where the event ran, and for others than computes where the server is', async () => {
    expect(await hosts({})).toEqual(['event', 'cmp-then', 'cmp-now', null, 'controller', 'cmp-now']);
  });

  test('is where the server is, with STAR_HOST_FROM=instance', async () => {
    const env = { STAR_HOST_FROM: 'instance' };
    expect(await hosts(env)).toEqual(['instance', 'cmp-now', 'cmp-now', null, null, 'cmp-now']);
  });

  test('is the machine, with STAR_MACHINES=baremetal', async () => {
    const env = { STAR_MACHINES: 'baremetal' };
    expect(await hosts(env)).toEqual(['node', 'machine-7', 'machine-7', null, null, 'machine-7']);
  });
});

test('with the epoch at the window’s start its seconds count from there, and what began before has -1', async () => {
  scene.stage.env['STAR_EPOCH'] = 'window';
  await scene.event('cell1', server, 'compute_a', { start: at('01 23:00'), finish: at('02 00:00:07') });
  await scene.event('cell1', server, 'compute_b', { start: at('03 00:00:05'), finish: at('03 01:00') });
  await scene.run(at('03 00:45'));
  await scene.run(at('04 00:45'));
  const drops = await scene.drops();
  expect(drops.map(({ manifest }) => manifest.epoch)).toEqual([
    '2025-06-02T00:00:00Z',
    '2025-06-03T00:00:00Z',
  ]);
  expect(drops.map(({ rows }) => rows['jsonl']?.[0])).toMatchObject([
    { startSec: -1, finishSec: 7, duration: 3607 },
    { startSec: 5, finishSec: 3600, duration: 3595 },
  ]);
});

test('everything of a deployment lies under its prefix', async () => {
  await eventAt('02 10:00');
  await scene.run(at('03 00:45'));
  scene.stage.env['STAR_PREFIX'] = 'clouds/one.two_three-4';
  await scene.run(at('03 00:45'));
  const keys = await listKeys(scene.stage.client);
  const under = keys.filter((key) => key.startsWith('clouds/one.two_three-4/'));
  expect(under.map((key) => key.replace('clouds/one.two_three-4/', ''))).toEqual(
    keys.filter((key) => !under.includes(key)),
  );
  expect(under.length).toBeGreaterThanOrEqual(3);
});

test('the older EventBridge rule’s event does as the Scheduler’s does', async () => {
  await eventAt('02 10:00');
  const summary = await scene.stage.invoke({
    version: '0',
    id: '53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa',
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    account: '123456789012',
    time: '2025-06-03T00:45:00Z',
    region: 'us-east-1',
    resources: ['arn:aws:events:us-east-1:123456789012:rule/daily'],
    detail: {},
  });
  expect(summary).toMatchObject({ status: 'published', rows: 1, scheduledTime: '2025-06-03T00:45:00Z' });
  expect(await scene.stage.invoke({ scheduledTime: '2025-06-03T00:45:00Z' })).toMatchObject({
    status: 'upToDate',
  });
});

test('carried events that are purged do not break the run and are counted', async () => {
  await scene.event('cell1', server, 'compute_open', { start: at('02 10:00') });
  const deleted = await scene.server('cell1', { deleted_at: '2025-06-02 12:00:00' });
  for (let n = 0; n < 3; n++)
    await scene.event('cell1', deleted, 'compute_lost', { start: at('02 11:00') + n });
  await scene.run(at('03 00:45'));
  await scene.archive('cell1', deleted);
  await scene
    .cell('cell1')
    .query(
      'DELETE FROM shadow_instance_actions_events; DELETE FROM shadow_instance_actions; DELETE FROM shadow_instances',
    );
  const name = await eventAt('03 10:00');
  await scene.run(at('04 00:45'));
  await scene.run(at('05 00:45'));
  const [, second, third] = await scene.drops();
  expect(second?.rows['jsonl']?.map((row) => row['event'])).toEqual([name]);
  expect(eventsOf(second?.manifest).counts).toMatchObject({ stillOpen: 1, skipped: { eventGone: 3 } });
  expect(eventsOf(third?.manifest).counts).toMatchObject({ stillOpen: 1, skipped: {} });
});
