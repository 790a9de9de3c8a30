import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readObject } from '../support/drops.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/index.ts';
import { type Scene, at, startScene } from '../support/nova/scene.ts';
import { BUCKET } from '../support/stage.ts';

let db: MariaDb;
let scene: Scene;
let server: string;
let onPut: ((key: string) => Promise<void> | void) | undefined;

const MANIFEST = 'cloud=test/manifests/date=2025-06-02/20250602T000000Z-20250603T000000Z.json';
const CHECKPOINT = 'cloud=test/state/checkpoint.json';

beforeAll(async () => {
  db = await startMariaDb();
});
afterAll(() => db.stop());
beforeEach(async () => {
  onPut = undefined;
  scene = await startScene(db, ['cell1'], {
    onS3Request: async ({ operation, key }) => {
      if (operation === 'PutObject') await onPut?.(key);
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

describe('a first run', () => {
  test('that did not come to its end is taken up where it began, also days later', async () => {
    await event('compute_a', '02 01:00', '02 01:01');
    onPut = (key) => {
      if (key.includes('instance_events')) throw new Error('the network is gone');
    };
    await expect(scene.run(at('03 00:45'))).rejects.toThrow(/could not (upload|write)/);
    onPut = undefined;
    await event('compute_b', '03 01:00', '03 01:01');
    expect((await scene.run(at('04 00:45'))).windows).toHaveLength(2);
    expect(await scene.published()).toEqual({
      '2025-06-02T00:00': ['compute_a'],
      '2025-06-03T00:00': ['compute_b'],
    });
  });
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
    await expect(scene.run(at('03 00:45'))).rejects.toThrow(/holds another manifest .*; remove it/);
  }

  test('waits while another’s manifest stands in its place, and is finished when that is removed', async () => {
    await putForeignManifest();
    await expect(scene.run(at('04 00:45'))).rejects.toThrow(/holds another manifest/);
    await scene.stage.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: MANIFEST }));
    expect((await scene.run(at('04 00:45'))).windows.map(({ status }) => status)).toEqual([
      'resumed',
      'published',
    ]);
    expect(await scene.published()).toMatchObject({ '2025-06-02T00:00': ['compute_a'] });
  });

  test('is finished again from the claim when the checkpoint is lost', async () => {
    await event('compute_a', '02 01:00', '02 01:01');
    await scene.run(at('03 00:45'));
    const before = JSON.parse((await readObject(scene.stage.client, CHECKPOINT)).toString('utf8')) as object;
    await scene.stage.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: CHECKPOINT }));
    await scene.run(at('03 00:45'));
    const after = JSON.parse((await readObject(scene.stage.client, CHECKPOINT)).toString('utf8')) as object;
    expect({ ...after, run: '' }).toEqual({ ...before, run: '' });
  });

  test('refuses a checkpoint that is older than the one before it, by name, and publishes nothing', async () => {
    await event('compute_a', '02 01:00', '02 01:01');
    await scene.run(at('03 00:45'));
    const old = (await readObject(scene.stage.client, CHECKPOINT)).toString('utf8');
    await scene.run(at('04 00:45'));
    await scene.run(at('05 00:45'));
    await put(CHECKPOINT, old);
    await expect(scene.run(at('06 00:45'))).rejects.toThrow(
      /^checkpoint: .*was an older checkpoint brought back/,
    );
    expect(Object.keys(await scene.published())).toHaveLength(3);
  });
});
