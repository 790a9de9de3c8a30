import { createHash } from 'node:crypto';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { keysOf } from '../../lib/drop/finish.ts';
import type { Manifest } from '../../lib/drop/manifest.ts';
import { listKeys, readObject } from '../support/drops.ts';
import { type MariaDb, useMariaDb } from '../support/mariadb/index.ts';
import { type Scene, at, startScene } from '../support/nova/scene.ts';
import { BUCKET } from '../support/stage.ts';

let db: MariaDb;
let scene: Scene;
let server: string;
let onPut: ((key: string) => typeof DENIED | void | Promise<void>) | undefined;

/** Which the client does not try again. */
const DENIED = { status: 403, code: 'AccessDenied' } as const;

const MANIFEST = 'cloud=test/manifests/date=2025-06-02/20250602T000000Z-20250603T000000Z.json';
const CHECKPOINT = 'cloud=test/state/checkpoint.json';
const CLAIM = 'cloud=test/state/claim.json';

beforeAll(async () => {
  db = await useMariaDb();
});
afterAll(() => db.stop());
beforeEach(async () => {
  onPut = undefined;
  scene = await startScene(db, ['cell1'], {
    env: { STAR_REPORT: 'true' },
    onS3Request: async ({ operation, key }) => {
      return operation === 'PutObject' ? ((await onPut?.(key)) ?? undefined) : undefined;
    },
  });
  server = await scene.server('cell1');
});
afterEach(() => scene.stop());

const event = (name: string, start: string, finish?: string): Promise<number> =>
  scene.event('cell1', server, name, {
    start: at(start),
    finish: finish === undefined ? undefined : at(finish),
  });

const put = (key: string, body: string): Promise<unknown> =>
  scene.stage.client.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: body }));
const remove = (key: string): Promise<unknown> =>
  scene.stage.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: key }));
const textOf = async (key: string): Promise<string> =>
  (await readObject(scene.stage.client, key)).toString('utf8');
const statuses = async (time: string): Promise<string[]> =>
  (await scene.run(at(time))).windows.map(({ status }) => status);

/** What analysts see, and nobody may touch once it is listed. */
async function visible(): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const key of await listKeys(scene.stage.client)) {
    if (key.includes('/state/') || key.endsWith('/index.html')) continue;
    found[key] = createHash('sha256')
      .update(await readObject(scene.stage.client, key))
      .digest('hex');
  }
  return found;
}

/** Three days with an event each. */
async function threeDays(): Promise<void> {
  for (const day of ['02', '03', '04']) await event(`compute_${day}`, `${day} 01:00`, `${day} 01:01`);
}
const THREE_DAYS = {
  '2025-06-02T00:00': ['compute_02'],
  '2025-06-03T00:00': ['compute_03'],
  '2025-06-04T00:00': ['compute_04'],
};

test('an event that finishes between the window’s end and its extraction is not given up, however old it is', async () => {
  scene.stage.env['STAR_OPEN_HORIZON_DAYS'] = '2';
  await event('compute_first', '02 01:00', '02 01:01');
  const old = await event('compute_old', '02 12:00');
  await scene.run(at('03 00:45'));
  await scene.run(at('04 00:45'));
  await scene.finish('cell1', old, at('05 00:05'));
  await scene.run(at('05 00:45'));
  await scene.run(at('06 00:45'));
  expect(await scene.published()).toMatchObject({ '2025-06-05T00:00': ['compute_old'] });
});

describe('a decided drop', () => {
  /** Somebody puts a manifest of their own just as ours is about to be written. */
  async function putForeignManifest(): Promise<void> {
    onPut = async (key) => {
      if (key !== MANIFEST) return;
      onPut = undefined;
      await put(MANIFEST, '{}');
    };
    await event('compute_a', '02 01:00', '02 01:01');
    await expect(scene.run(at('03 00:45'))).rejects.toThrow(
      `manifest: ${MANIFEST}: is not the one that ${CLAIM} decided; remove it, and run again`,
    );
  }

  test('waits while another’s manifest stands in its place, and is finished when that is removed', async () => {
    await putForeignManifest();
    await expect(scene.run(at('04 00:45'))).rejects.toThrow(/is not the one that .* decided/);
    await remove(MANIFEST);
    expect(await statuses('04 00:45')).toEqual(['resumed', 'published']);
    expect(await scene.published()).toMatchObject({ '2025-06-02T00:00': ['compute_a'] });
  });

  test('is finished by the next run with the very bytes that were decided', async () => {
    await event('compute_a', '02 01:00', '02 01:01');
    onPut = (key) => (key === MANIFEST ? DENIED : undefined);
    await expect(scene.run(at('03 00:45'))).rejects.toThrow(/could not write/);
    onPut = undefined;
    const { decided } = JSON.parse(await textOf(CLAIM)) as { decided: { manifest: string } };
    // What the deployment says now is of no account.
    Object.assign(scene.stage.env, { STAR_FORMATS: 'csv', STAR_REPORT: 'false' });
    expect(await statuses('03 00:45')).toEqual(['resumed']);
    expect(await textOf(MANIFEST)).toBe(decided.manifest);
    expect(await scene.published()).toEqual({ '2025-06-02T00:00': ['compute_a'] });
  });
});

describe('a checkpoint', () => {
  const withoutRun = (text: string): object => ({ ...(JSON.parse(text) as object), run: '' });

  test('that is lost is made good from the decided claim', async () => {
    await threeDays();
    await scene.run(at('03 00:45'));
    await scene.run(at('04 00:45'));
    const before = await textOf(CHECKPOINT);
    await remove(CHECKPOINT);
    expect(await statuses('05 00:45')).toEqual(['resumed', 'published']);
    expect(await scene.published()).toEqual(THREE_DAYS);
    expect((await scene.drops())[2]?.manifest.previous).toEqual(
      (JSON.parse(before) as { manifest: object }).manifest,
    );
  });

  test('that is lost is as it was after a run for which nothing is due', async () => {
    await threeDays();
    await scene.run(at('05 00:45'));
    const [before, drops] = [await textOf(CHECKPOINT), await visible()];
    await remove(CHECKPOINT);
    expect(await statuses('05 00:45')).toEqual(['resumed']);
    expect(withoutRun(await textOf(CHECKPOINT))).toEqual(withoutRun(before));
    expect(await visible()).toEqual(drops);
  });

  test('that is older than the decided claim, brought back by mistake, is made good from it', async () => {
    await threeDays();
    await scene.run(at('03 00:45'));
    const old = await textOf(CHECKPOINT);
    await scene.run(at('05 00:45'));
    const [newest, drops] = [await textOf(CHECKPOINT), await visible()];
    await put(CHECKPOINT, old);
    expect(await statuses('05 00:45')).toEqual(['resumed']);
    expect(withoutRun(await textOf(CHECKPOINT))).toEqual(withoutRun(newest));
    expect(await visible()).toEqual(drops);
    expect(await scene.published()).toEqual(THREE_DAYS);
  });

  test.each(['csv', 'jsonl'])(
    'that is brought back together with an older claim is refused, and nothing listed is touched (STAR_FORMATS=%s)',
    async (formats) => {
      await threeDays();
      await scene.run(at('03 00:45'));
      const [checkpoint, claim] = [await textOf(CHECKPOINT), await textOf(CLAIM)];
      await scene.run(at('05 00:45'));
      const newest = [await textOf(CHECKPOINT), await textOf(CLAIM)] as const;
      const drops = await visible();
      await put(CHECKPOINT, checkpoint);
      await put(CLAIM, claim);
      scene.stage.env['STAR_FORMATS'] = formats;
      for (let time = 0; time < 2; time++) {
        await expect(scene.run(at('05 00:45'))).rejects.toMatchObject({
          name: 'StoreError',
          message:
            'window 2025-06-03T00:00:00Z/2025-06-04T00:00:00Z: ' +
            `${MANIFEST.replaceAll('0602', '0603').replace('-20250603', '-20250604').replace('06-02', '06-03')} ` +
            `is there, but neither ${CHECKPOINT} nor a claim knows of it; was an older checkpoint or claim brought ` +
            'back? Bring back their newest versions',
        });
        expect(await visible()).toEqual(drops);
      }
      // As the message says.
      await put(CHECKPOINT, newest[0]);
      await put(CLAIM, newest[1]);
      expect((await scene.run(at('05 00:45'))).status).toBe('upToDate');
      expect(await visible()).toEqual(drops);
    },
  );

  test('that is lost together with the claim is refused at begin, and nothing listed is touched', async () => {
    await threeDays();
    await scene.run(at('05 00:45'));
    const drops = await visible();
    await remove(CHECKPOINT);
    await remove(CLAIM);
    await expect(scene.run(at('05 00:45'))).rejects.toThrow(/^window 2025-06-04.* is there, but neither/);
    expect(await visible()).toEqual(drops);
  });
});

describe('what a crashed run has written', () => {
  const keyOf = (folder: string, extension: string): string =>
    `cloud=test/${folder}/date=2025-06-02/instance_events-20250602T000000Z-20250603T000000Z.${extension}`;
  const CSV = keyOf('instance_events', 'csv.gz');
  const REPORT = MANIFEST.replace('.json', '.report.html');

  /** A run that has written all its objects, and is cut off before it decides. */
  async function crashBeforeDecision(run: () => Promise<unknown>, claim: string): Promise<void> {
    let claimed = 0;
    onPut = (key) => (key === claim && ++claimed >= 2 ? DENIED : undefined);
    await expect(run()).rejects.toThrow(/could not write/);
    onPut = undefined;
  }

  test.each<[string, () => Promise<unknown>, string]>([
    ['the schedule', () => scene.run(at('03 00:45')), CLAIM],
    [
      'a backfill',
      () => scene.stage.backfill({ start: '2025-06-02', end: '2025-06-03' }),
      'cloud=test/state/claims/20250602T000000Z.json',
    ],
  ])(
    'for %s in a format that is not set any more, or a report, is gone before the manifest is there',
    async (_, run, claim) => {
      await event('compute_a', '02 01:00', '02 01:01');
      scene.stage.env['STAR_FORMATS'] = 'csv,jsonl';
      await crashBeforeDecision(run, claim);
      const left = await listKeys(scene.stage.client);
      expect(left).toEqual(expect.arrayContaining([CSV, REPORT]));
      expect(left).not.toContain(MANIFEST);

      Object.assign(scene.stage.env, { STAR_FORMATS: 'jsonl', STAR_REPORT: 'false' });
      let before: string[] | undefined;
      onPut = async (key) => {
        if (key === MANIFEST) before = await listKeys(scene.stage.client);
      };
      await run();
      expect(before).toBeDefined();
      for (const keys of [before ?? [], await listKeys(scene.stage.client)]) {
        expect(keys).not.toContain(CSV);
        expect(keys).not.toContain(REPORT);
      }
      const manifest = JSON.parse(await textOf(MANIFEST)) as Manifest;
      expect(Object.keys(await visible()).toSorted()).toEqual([...keysOf(manifest), MANIFEST].toSorted());
      expect(await scene.published()).toEqual({ '2025-06-02T00:00': ['compute_a'] });
    },
  );

  test('stays where the next run lists it again', async () => {
    await event('compute_a', '02 01:00', '02 01:01');
    scene.stage.env['STAR_FORMATS'] = 'csv,jsonl';
    await crashBeforeDecision(() => scene.run(at('03 00:45')), CLAIM);
    await scene.run(at('03 00:45'));
    expect(Object.keys(await visible())).toEqual(expect.arrayContaining([CSV, REPORT, MANIFEST]));
  });
});

describe('the manifests of the schedule', () => {
  /** The manifests in the order of their windows, and what the next one should call each. */
  async function chain(): Promise<{ manifest: Manifest; ref: object }[]> {
    const keys = await listKeys(scene.stage.client, 'cloud=test/manifests/');
    return Promise.all(
      keys
        .filter((key) => key.endsWith('.json'))
        .map(async (key) => {
          const text = await textOf(key);
          const sha256 = createHash('sha256').update(text).digest('hex');
          return { manifest: JSON.parse(text) as Manifest, ref: { key, sha256 } };
        }),
    );
  }
  const newest = async (): Promise<unknown> =>
    (JSON.parse(await textOf(CHECKPOINT)) as { manifest: unknown }).manifest;

  test('name the one before, by its key and sha256, the first none; those of a backfill have no such field', async () => {
    await event('compute_01', '01 01:00', '01 01:01');
    await threeDays();
    await scene.run(at('03 00:45'));
    await scene.stage.backfill({ start: '2025-06-01', end: '2025-06-02' });
    await scene.run(at('05 00:45'));
    const [backfilled, ...scheduled] = await chain();
    expect(scheduled).toHaveLength(3);
    expect(Object.keys(backfilled?.manifest ?? {})).not.toContain('previous');
    const refs = scheduled.map(({ ref }) => ref);
    expect(scheduled.map(({ manifest }) => manifest.previous)).toEqual([null, ...refs.slice(0, -1)]);
    expect(await newest()).toEqual(refs.at(-1));
  });

  test('keep the chain where a run was cut off after its decision', async () => {
    await threeDays();
    await scene.run(at('03 00:45'));
    onPut = (key) => (key === CHECKPOINT ? DENIED : undefined);
    await expect(scene.run(at('04 00:45'))).rejects.toThrow(/could not write/);
    onPut = undefined;
    expect(await statuses('05 00:45')).toEqual(['resumed', 'published']);
    const drops = await chain();
    const refs = drops.map(({ ref }) => ref);
    expect(drops.map(({ manifest }) => manifest.previous)).toEqual([null, ...refs.slice(0, -1)]);
    expect(await newest()).toEqual(refs.at(-1));
  });
});
