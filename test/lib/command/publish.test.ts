import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Manifest } from '../../../lib/drop/manifest.ts';
import { readObjects } from '../../support/trace/read.ts';
import { START, afterDay, useCloudAndFolder } from '../../support/publish.ts';
import { IS_SLOW } from '../../support/slow.ts';
import { type Stage, startStage } from '../../support/stage.ts';
import { DAY, iso } from '../../../lib/core/time.ts';

const DAYS = IS_SLOW ? 30 : 5;
const cloud = useCloudAndFolder({ days: DAYS, eventsPerDay: 40 });

const inS3 = ({ env }: Stage): Record<string, string> => ({
  AWS_REGION: env['AWS_REGION'] ?? '',
  AWS_ACCESS_KEY_ID: env['AWS_ACCESS_KEY_ID'] ?? '',
  AWS_SECRET_ACCESS_KEY: env['AWS_SECRET_ACCESS_KEY'] ?? '',
});

/** Data files as they are; of manifests what does not depend on the moment, or on the run. */
function comparable(objects: ReadonlyMap<string, Buffer>): {
  data: Map<string, string>;
  manifests: Map<string, unknown>;
} {
  const data = new Map<string, string>();
  const manifests = new Map<string, unknown>();
  for (const [key, bytes] of objects) {
    if (/\.(csv|jsonl)\.gz$|\.parquet$/.test(key)) data.set(key, bytes.toString('base64'));
    if (!/\/manifests\/.*\.json$/.test(key)) continue;
    const {
      created: _,
      run: __,
      previous: ___,
      report: ____,
      datapackage: _____,
      ...manifest
    } = JSON.parse(bytes.toString('utf8')) as Manifest;
    manifests.set(key, manifest);
  }
  return { data, manifests };
}

test(`${DAYS} days are the same, byte for byte, published into a folder, into S3, and by the function`, async () => {
  const args = ['--formats', 'csv,jsonl,parquet', '--masking-secret', cloud.saltFile];
  const [lambda, s3] = [await startStage(), await startStage()];
  try {
    await lambda.setSecret(cloud.secret);
    await lambda.createSecret('masks', cloud.salt);
    Object.assign(lambda.env, { STAR_FORMATS: 'csv,jsonl,parquet', STAR_MASKING_SECRET: 'masks' });
    const bucket = ['--to', 's3://traces', '--endpoint', s3.s3.endpoint];
    for (const nth of [0, DAYS - 1]) {
      const until = ['--until', afterDay(nth)];
      expect(await lambda.run(afterDay(nth))).toMatchObject({ status: 'published' });
      expect((await cloud.publish([...args, ...until])).status).toBe(0);
      const intoS3 = await cloud.publish([...args, ...until, ...bucket], { env: inS3(s3) });
      expect(intoS3).toMatchObject({ status: 0 });
    }
    const byFunction = comparable(await readObjects(lambda.client, ''));
    const inFolder = comparable(await cloud.objects());
    const inBucket = comparable(await readObjects(s3.client, ''));
    expect([byFunction.data.size, byFunction.manifests.size]).toEqual([3 * DAYS, DAYS]);
    expect(inFolder).toEqual(byFunction);
    expect(inBucket).toEqual(byFunction);
    const names = (objects: ReadonlyMap<string, Buffer>): string[] => [...objects.keys()].toSorted();
    expect(names(await cloud.objects())).toEqual(names(await readObjects(lambda.client, '')));
    for (const place of [['--to', cloud.traces], bucket])
      expect(await cloud.run('verify', place, { env: inS3(s3) })).toMatchObject({
        status: 0,
        stdout: Buffer.from(''),
        stderr: `test: ${DAYS} drop(s), all as their manifests say\n`,
      });
  } finally {
    await lambda.stop();
    await s3.stop();
  }
});

describe('publish', () => {
  test('tells each window in a line, then what came of all; and that nothing is due', async () => {
    const first = await cloud.publish(['--until', afterDay(0)]);
    expect(first).toMatchObject({ status: 0, stdout: Buffer.from('') });
    expect(first.stderr).toMatch(
      /^2025-08-01T00:00:00Z\/2025-08-02T00:00:00Z: published, \d+ rows, \d+ kB, 0 late, \d+\.\d s\ntest: 1 window\(s\) published\n$/,
    );
    const again = await cloud.publish(['--until', afterDay(0)]);
    expect(again).toMatchObject({
      status: 0,
      stderr:
        'test: nothing is due: published up to 2025-08-02T00:00:00Z, and the next window is not settled at ' +
        '2025-08-02T00:45:00Z\n',
    });
  });

  test('tells JSON lines, and nothing else', async () => {
    const { status, stdout, stderr } = await cloud.publish(['--until', afterDay(0), '--json']);
    expect([status, stderr]).toEqual([0, '']);
    const lines = stdout
      .toString('utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines).toContainEqual(
      expect.objectContaining({
        message: 'window done',
        window: '2025-08-01T00:00:00Z/2025-08-02T00:00:00Z',
      }),
    );
    expect(lines.at(-1)).toMatchObject({
      message: 'test: 1 window(s) published',
      summary: { status: 'published', watermark: '2025-08-02T00:00:00Z', rows: expect.any(Number) as number },
    });
  });

  test('takes each setting from an option, else a variable, else the file, else its default', async () => {
    const settings = join(cloud.work, 'settings');
    await writeFile(
      settings,
      '# of this cloud\nSTAR_FORMATS=jsonl\nSTAR_LICENCE="CC0-1.0"\nSTAR_WINDOW_MINUTES=720\n',
    );
    const env = {
      STAR_LICENCE: 'MIT',
      STAR_WINDOW_MINUTES: '360',
      STAR_TO: cloud.traces,
      STAR_SECRET: cloud.secretFile,
    };
    const args = ['publish', '--settings', settings, '--window-minutes', '1440', '--until', afterDay(0)];
    const { runCommand } = await import('../../support/command.ts');
    expect(await runCommand(args, { env })).toMatchObject({ status: 0 });
    const objects = await cloud.objects();
    const [manifest] = [...objects]
      .filter(([key]) => /manifests.*\.json$/.test(key))
      .map(([, bytes]) => JSON.parse(bytes.toString()) as Manifest);
    expect(manifest).toMatchObject({
      cloud: 'openstack',
      window: { end: '2025-08-02T00:00:00Z' },
      licence: 'MIT',
    });
    expect(manifest?.tables['instance_events']?.files.map(({ format }) => format)).toEqual(['jsonl']);
  });

  test.each([
    [
      ['--window-minutes', '7'],
      {},
      '--window-minutes: got "7"; accepted: a number of minutes that divides a day, such as 1440 or 60',
    ],
    [
      [],
      { STAR_WINDOW_MINUTES: '7' },
      'STAR_WINDOW_MINUTES: got "7"; accepted: a number of minutes that divides a day, such as 1440 or 60',
    ],
    [
      [],
      { STAR_BUCKET: 'traces' },
      'STAR_BUCKET: is for the deployed function; accepted here: --to s3://BUCKET/PREFIX',
    ],
    [[], { STAR_WINDOWS: '7' }, /^STAR_WINDOWS: unknown; accepted: STAR_CLOUD, /],
    [
      ['--until', 'tomorrow'],
      {},
      /^--until: got "tomorrow"; accepted: an ISO 8601 instant, such as .*, and none in the future$/,
    ],
    [
      ['--until', '2999-01-01T00:00:00Z'],
      {},
      /^--until: got "2999-01-01T00:00:00Z"; accepted: an ISO 8601 instant/,
    ],
    [
      ['--osrc', 'admin.rc'],
      {},
      '--secret: the cloud is given in several ways; accepted: --secret, --osrc, or options for databases',
    ],
    [
      ['--to', 'gs://traces'],
      {},
      '--to: got "gs://traces"; accepted: s3://BUCKET, s3://BUCKET/PREFIX, or a folder on a local disk',
    ],
    [
      ['--to', 's3://traces/../x'],
      {},
      '--to: got "s3://traces/../x"; accepted: s3://BUCKET or s3://BUCKET/PREFIX',
    ],
    [['--region', 'eu'], {}, '--region: is for a bucket, but --to is a folder; accepted: one of the two'],
    [
      ['--to', 's3://traces', '--endpoint', 'rgw.example'],
      {},
      '--endpoint: got no URL of a store; accepted: https://HOST or https://HOST:PORT, without credentials',
    ],
    [['--to', 's3://traces'], {}, '--region: got nothing; accepted: the region of the bucket, or AWS_REGION'],
    [
      ['--to', 's3://traces', '--region', 'x'],
      {},
      /^--to: there are no credentials for the bucket \(.*\); set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE$/,
    ],
    [
      ['--masking-secret', '/dev/null'],
      {},
      '--masking-secret: /dev/null holds 0 bytes; accepted: at least 32 random bytes (head -c 32 /dev/urandom)',
    ],
  ])('refuses %j %j', async (args, env, message) => {
    const { status, stderr } = await cloud.publish(args, {
      env: { AWS_EC2_METADATA_DISABLED: 'true', ...env },
    });
    expect(status).toBe(2);
    expect(stderr.trim().replace('star-compactor: ', '')).toMatch(
      typeof message === 'string'
        ? new RegExp(`^${message.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}$`)
        : message,
    );
  });

  test('leaves a window to another run that is at work on it, with status 4', async () => {
    // An API of the store that a test can hold is S3's.
    const stage = await startStage({
      onS3Request: async ({ operation, key }) => {
        if (operation !== 'PutObject' || !key.endsWith('.csv.gz') || hold === undefined) return;
        const release = hold;
        hold = undefined;
        await release();
      },
    });
    let hold: (() => Promise<void>) | undefined;
    const args = ['--to', 's3://traces', '--endpoint', stage.s3.endpoint, '--until', afterDay(0)];
    const env = inS3(stage);
    try {
      let other: Awaited<ReturnType<typeof cloud.publish>> | undefined;
      hold = async () => {
        other = await cloud.publish(args, { env });
      };
      const first = await cloud.publish(args, { env });
      expect(other).toMatchObject({ status: 0 });
      expect(first).toMatchObject({
        status: 4,
        stderr: 'test: another run has taken over a window of this one and publishes it\n',
      });
    } finally {
      await stage.stop();
    }
  });

  test('is stopped by a signal, and leaves nothing half', async () => {
    await cloud.publish(['--until', afterDay(0)]);
    const stopped = await cloud.publish(['--until', afterDay(DAYS - 1)], {
      meanwhile: (child) => child.stderr?.once('data', () => child.kill('SIGINT')),
    });
    expect(stopped.status).toBe(130);
    expect(stopped.stderr).toContain(
      'stopped by SIGINT; published windows stay, and the same command goes on',
    );
    expect(await readdir(join(cloud.traces, '.star-compactor', 'runs'))).toEqual([]);
    expect(await cloud.publish(['--until', afterDay(DAYS - 1)])).toMatchObject({ status: 0 });
    expect(await cloud.run('verify')).toMatchObject({ status: 0 });
  });
});

describe('publish --status', () => {
  test('tells how far a trace is published, without a way to the cloud', async () => {
    await cloud.publish(['--until', afterDay(1)]);
    const { status, stdout } = await cloud.run('publish', ['--status', '--cloud', 'test']);
    expect(status).toBe(4);
    expect(stdout.toString()).toMatch(
      /^test: published up to 2025-08-03T00:00:00Z, \d+ h \d+ min ago; \d+ window\(s\) due\n$/,
    );
    const json = await cloud.run('publish', ['--status', '--cloud', 'test', '--json']);
    expect(JSON.parse(json.stdout.toString())).toMatchObject({
      cloud: 'test',
      begin: iso(START + DAY),
      watermark: iso(START + 2 * DAY),
    });
  });

  test('writes metrics for Prometheus, also behind a run', async () => {
    const file = join(cloud.work, 'star.prom');
    await cloud.publish(['--until', afterDay(0), '--metrics', file]);
    const byRun = await readFile(file, 'utf8');
    expect(byRun).toContain(`star_compactor_watermark_timestamp_seconds{cloud="test"} ${START + DAY}\n`);
    const { stdout } = await cloud.run('publish', ['--status', '--cloud', 'test', '--metrics', '-']);
    const shape = (text: string): string => text.replaceAll(/\d+$/gm, 'N');
    expect(shape(stdout.toString())).toBe(shape(byRun));
    for (const line of stdout.toString().trim().split('\n'))
      expect(line).toMatch(/^(# (HELP|TYPE) star_compactor_\w+ .+|star_compactor_\w+\{cloud="test"\} \d+)$/);
  });

  test('tells that nobody has begun a trace', async () => {
    await cloud.publish(['--until', afterDay(0)]);
    expect(await cloud.run('publish', ['--status', '--cloud', 'other'])).toMatchObject({
      status: 4,
      stdout: Buffer.from('other: nobody has begun this trace\n'),
    });
  });
});
