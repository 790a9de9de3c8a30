import { randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { filesOf } from '../../lib/drop/manifest.ts';
import { DAY, MINUTE, iso } from '../../lib/core/time.ts';
import { packageFaults } from '../support/data-package.ts';
import type { Drop } from '../support/drops.ts';
import { listKeys, readDrops, readObject } from '../support/drops.ts';
import type { Row } from '../support/mariadb/index.ts';
import { UNMASKED } from '../support/nova/scene.ts';
import { finishedEvents } from '../support/nova/truth.ts';
import { startOpenStack } from '../support/openstack/index.ts';
import { SEED, START, date, usePast } from '../support/past.ts';
import { readObjects } from '../support/trace/read.ts';

const DAYS = 12;
const RANGE = { start: date(0), end: date(DAYS) };
const ROOT = 'cloud=test-year';

const past = usePast({ days: DAYS, eventsPerDay: 60 });

const json = async (key: string): Promise<unknown> =>
  JSON.parse((await readObject(past.stage.client, key)).toString('utf8'));

const truth = (days = DAYS): Promise<Row[]> => finishedEvents(past.cells, START + days * DAY);

/**
 * What joins on a server, whatever its mask: for each server its events, in a fixed order. Rows are of one release, or
 * of the database.
 */
function lives(rows: readonly Row[], uuid: string, start: string, finish: string): string[] {
  const byServer = new Map<unknown, string[]>();
  for (const row of rows) {
    const times = [row[start], row[finish]].map((time) => String(time).replace(' ', 'T').replace('Z', ''));
    const event = [row['event'] ?? row['EVENT'], ...times].join(' ');
    byServer.set(row[uuid], [...(byServer.get(row[uuid]) ?? []), event]);
  }
  return [...byServer.values()].map((events) => events.toSorted().join('\n')).toSorted();
}

const rowsOf = (drops: readonly Drop[], format: string): Row[] =>
  drops.flatMap(({ rows }) => (rows[format] ?? []) as Row[]);

/** What is proven, and described, at the root of a complete release. */
async function expectProven(root: string, drops: readonly Drop[], rows: number): Promise<void> {
  const objects = await past.objects(`${root}/`);
  const manifests = Object.keys(objects).filter((key) => /\/manifests\/.*\.json$/.test(key));
  const files = drops.flatMap(({ manifest }) => filesOf(manifest));
  const { maskingScope } = (await json(`${root}/state/trace.json`)) as { maskingScope: string };
  expect(drops.map(({ manifest }) => manifest.masking.scope)).toEqual(drops.map(() => maskingScope));
  expect(await json(`${root}/release.json`)).toMatchObject({
    releaseVersion: 1,
    cloud: root.replace('cloud=', ''),
    range: { start: drops[0]?.manifest.window.start, end: drops.at(-1)?.manifest.window.end },
    windows: drops.length,
    maskingScope,
    tables: {
      instance_events: {
        rows,
        files: files.length,
        bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
      },
    },
    manifests: manifests.map((key) => ({ key, sha256: objects[key] })),
  });
  await expectDescribed(root, files.length);
}

/** By Data Package 2.0 (datapackage.org), and true of every file. */
async function expectDescribed(root: string, files: number): Promise<void> {
  const objects = await readObjects(past.stage.client, `${root}/`);
  const key = `${root}/datapackage.json`;
  expect(packageFaults(key, objects)).toEqual([]);
  const { created, resources } = (await json(key)) as {
    created: string;
    resources: { path: string; format: string; schema: { fields: { name: string }[] } }[];
  };
  expect(iso(Date.parse(created) / 1000)).toBe(created);
  expect(resources).toHaveLength(files);
  for (const { path, schema } of resources.filter(({ format }) => format === 'csv')) {
    const text = gunzipSync(objects.get(`${root}/${path}`) ?? Buffer.alloc(0)).toString('utf8');
    expect(text.split('\n', 1)).toEqual([schema.fields.map(({ name }) => name).join(',')]);
  }
}

describe(`A release (seed ${SEED})`, () => {
  test('is whole, joins from day to day, and leaves the scheduled trace beside it as it was', async () => {
    past.stage.env['STAR_REPORT'] = 'true';
    // The schedule has published the last two days.
    for (const day of [DAYS - 1, DAYS]) await past.stage.run(START + day * DAY + 45 * MINUTE);
    const beside = await past.objects('cloud=test/');
    expect(Object.keys(beside).filter((key) => /manifests\/.*json$/.test(key))).toHaveLength(2);

    const request = { ...RANGE, release: 'year', formats: ['csv', 'parquet'] };
    const incomplete: string[] = [];
    const execution = await past.ask(request, {
      async windows(event) {
        const result = await past.stage.step('windows', event);
        incomplete.push(...(await listKeys(past.stage.client, ROOT)));
        return result;
      },
    });
    expect(execution).toMatchObject({ status: 'SUCCEEDED', failed: [] });
    expect(incomplete.filter((key) => key.includes('/manifests/') && key.endsWith('.json'))).toHaveLength(
      DAYS,
    );
    expect(incomplete.filter((key) => /\/(release|datapackage)\.json$/.test(key))).toEqual([]);

    const drops = await readDrops(past.stage.client, `${ROOT}/`);
    expect(drops).toHaveLength(DAYS);
    const events = await truth();
    expect(events.length).toBeGreaterThan(500);
    const servers = lives(events, 'uuid', 'start_time', 'finish_time');
    expect(servers.filter((life) => life.includes('\n')).length).toBeGreaterThan(50);
    expect(lives(rowsOf(drops, 'csv'), 'INSTANCE_UUID', 'START_TIME', 'FINISH_TIME')).toEqual(servers);
    expect(lives(rowsOf(drops, 'parquet'), 'instance_uuid', 'start_time', 'finish_time')).toHaveLength(
      servers.length,
    );
    const raw = new Set(events.map(({ uuid }) => uuid));
    expect(rowsOf(drops, 'csv').filter((row) => raw.has(row['INSTANCE_UUID'] ?? null))).toEqual([]);

    await expectProven(ROOT, drops, events.length);
    expect((await readObject(past.stage.client, `${ROOT}/index.html`)).toString()).toContain('test-year');
    const pages = (await listKeys(past.stage.client, `${ROOT}/manifests/`)).filter((key) =>
      key.endsWith('.html'),
    );
    const links = pages.map(async (key) => {
      const page = await readObject(past.stage.client, key);
      return ['prev', 'next'].filter((rel) => page.includes(`rel="${rel}"`));
    });
    // The first has no page before it, the last none after it.
    const inBetween = pages.slice(2).map(() => ['prev', 'next']);
    expect(await Promise.all(links)).toEqual([['next'], ...inBetween, ['prev']]);
    expect(await past.objects('cloud=test/')).toEqual(beside);
    expect(past.secrets()).toEqual([]);
    expect(await listKeys(past.stage.client, `${ROOT}/state/backfills/`)).toEqual([]);
  });

  test('that is complete is told so when it is asked for again, and stays as it is', async () => {
    const request = { start: date(2), end: date(5), release: 'year' };
    const first = await past.ask(request);
    expect(first.status).toBe('SUCCEEDED');
    const before = await past.objects();
    expect(await past.stage.backfill(request)).toMatchObject({
      status: 'published',
      cloud: 'test-year',
      windows: 3,
      done: [],
      message: 'the release of 2025-08-03T00:00:00Z/2025-08-06T00:00:00Z is complete',
    });
    expect(past.machine.executions()).toHaveLength(1);
    // So does an execution that is started by hand.
    const plan = await past.stage.step('plan', { plan: request, execution: 'by-hand' });
    expect(plan).toMatchObject({ groups: [] });
    await past.stage.step('end', { verify: { request, execution: 'by-hand', groups: [] } });
    expect(await past.objects()).toEqual(before);
    expect(past.secrets()).toEqual([]);
  });

  test('of another name joins with it in nothing', async () => {
    const range = { start: date(2), end: date(5) };
    await past.ask({ ...range, release: 'one' });
    await past.ask({ ...range, release: 'two' });
    const masks = async (name: string): Promise<Set<unknown>> => {
      const drops = await readDrops(past.stage.client, `cloud=test-${name}/`);
      return new Set(rowsOf(drops, 'jsonl').flatMap((row) => [row['uuid'], row['user_id']]));
    };
    const [one, two] = [await masks('one'), await masks('two')];
    expect(one.size).toBeGreaterThan(20);
    expect(one.isDisjointFrom(two)).toBe(true);
  });

  test.each<[string, Record<string, string>]>([
    ['none', UNMASKED],
    ['sha1-raw', { STAR_MASKING: 'sha1-raw', STAR_ALLOW_UNSAFE_MASKING: 'true' }],
  ])(
    'with the masking method %s has that for its scope, and destroys the secret of its settings too',
    async (scope, env) => {
      Object.assign(past.stage.env, env);
      const secretsAtWork: string[][] = [];
      const execution = await past.ask(
        { start: date(2), end: date(5), release: 'year' },
        {
          windows(event) {
            secretsAtWork.push(past.secrets());
            return past.stage.step('windows', event);
          },
        },
      );
      expect(execution.status).toBe('SUCCEEDED');
      expect(secretsAtWork).toEqual([['release/year']]);
      const drops = await readDrops(past.stage.client, `${ROOT}/`);
      expect(drops.map(({ manifest }) => manifest.masking.scope)).toEqual([scope, scope, scope]);
      await expectProven(ROOT, drops, rowsOf(drops, 'jsonl').length);
      expect(past.secrets()).toEqual([]);
    },
  );

  test('with a masking secret of the operator’s joins with the scheduled trace', async () => {
    await past.stage.createSecret('masks', randomBytes(32));
    past.stage.env['STAR_MASKING_SECRET'] = 'masks';
    await past.stage.run(START + 5 * DAY + 45 * MINUTE);
    const execution = await past.ask({ start: date(2), end: date(5), release: 'year' });
    expect(execution.status).toBe('SUCCEEDED');
    const [scheduled] = await readDrops(past.stage.client, 'cloud=test/');
    const released = await readDrops(past.stage.client, `${ROOT}/`);
    expect(scheduled?.manifest.window).toEqual(released.at(-1)?.manifest.window);
    expect(scheduled?.rows).toEqual(released.at(-1)?.rows);
    expect(new Set(released.map(({ manifest }) => manifest.masking.scope))).toEqual(
      new Set([scheduled?.manifest.masking.scope]),
    );
    expect(past.secrets()).toEqual([]);
  });

  test('is cut to what the source still has, and says so', async () => {
    const execution = await past.ask({ start: '2025-07-25', end: date(3), release: 'year' });
    expect(execution).toMatchObject({
      status: 'SUCCEEDED',
      output: { summary: { beforeHistory: ['2025-07-25T00:00:00Z/2025-08-01T00:00:00Z'], due: 3 } },
    });
    const drops = await readDrops(past.stage.client, `${ROOT}/`);
    expect(drops).toHaveLength(3);
    await expectProven(ROOT, drops, rowsOf(drops, 'jsonl').length);
    expect(await past.stage.backfill({ start: '2025-07-25', end: date(3), release: 'year' })).toMatchObject({
      message: 'the release of 2025-08-01T00:00:00Z/2025-08-04T00:00:00Z is complete',
    });
  });

  test('over the API is made in groups of four windows, and joins as well', async () => {
    const openstack = await startOpenStack({ cells: past.cells, now: () => Math.floor(Date.now() / 1000) });
    try {
      await past.stage.setSecret(openstack.secret());
      const execution = await past.ask({ ...RANGE, release: 'year' });
      expect(execution).toMatchObject({ status: 'SUCCEEDED', output: { groups: { groups: 3 } } });
      const drops = await readDrops(past.stage.client, `${ROOT}/`);
      expect(drops).toHaveLength(DAYS);
      await expectProven(ROOT, drops, rowsOf(drops, 'jsonl').length);
      // The API does not tell of all events, but those that it tells of one server are of one server.
      const all = lives(await truth(), 'uuid', 'start_time', 'finish_time').map(
        (life) => new Set(life.split('\n')),
      );
      const joined = lives(rowsOf(drops, 'jsonl'), 'uuid', 'start_time', 'finish_time');
      expect(joined.filter((life) => life.includes('\n')).length).toBeGreaterThan(20);
      const isOfOne = (life: string): boolean =>
        all.some((events) => new Set(life.split('\n')).isSubsetOf(events));
      expect(joined.filter((life) => !isOfOne(life))).toEqual([]);
    } finally {
      await openstack.stop();
    }
  });
});
