import { afterAll, beforeAll, expect, test } from 'vitest';
import { type MariaDb, useMariaDb } from '../support/mariadb/index.ts';
import { type Scene, at, startScene } from '../support/nova/scene.ts';
import type { LocalS3Options } from '../support/s3/server.ts';
import { type Planned, execute } from '../support/release.ts';

let db: MariaDb;
let scene: Scene;
let onS3Request: LocalS3Options['onRequest'];

beforeAll(async () => {
  db = await useMariaDb();
  scene = await startScene(db, ['cell1'], {
    env: { STAR_BACKFILL_SECRETS: 'test/backfill' },
    onS3Request: (request) => onS3Request?.(request),
  });
  const server = await scene.server('cell1');
  await scene.event('cell1', server, 'first', { start: at('01 10:00'), finish: at('01 10:05') });
});
afterAll(async () => {
  await scene.stop();
  await db.stop();
});

test('an execution that is redriven when another has completed its release ends well and changes nothing', async () => {
  const { stage } = scene;
  const event = { start: '2025-06-01', end: '2025-06-03', release: 'r1' };
  const planned = (await stage.step('plan', { plan: event, execution: 'one' })) as Planned;
  await execute(stage, 'two', event);
  expect(stage.secretsManager.names()).not.toContain('test/backfill/release/r1');
  const before = await scene.drops('cloud=test-r1/');
  expect(before.length).toBe(2);

  await execute(stage, 'one', event, { planned });
  expect(await scene.drops('cloud=test-r1/')).toEqual(before);
});

test('a worker whose window another run takes over fails for a while, so that the state machine tries it again', async () => {
  const { stage } = scene;
  const event = { start: '2025-06-01', end: '2025-06-02', release: 'r2' };
  const { groups, request } = (await stage.step('plan', { plan: event, execution: 'one' })) as Planned;
  const step = { group: groups[0], request, execution: 'one' };
  let other: Promise<object> | undefined;
  onS3Request = async ({ operation, key }) => {
    // The first worker has its claim, and is about to write its data.
    if (operation !== 'PutObject' || !key.includes('/instance_events') || other !== undefined) return;
    other = stage.step('windows', step);
    await other;
  };
  await expect(stage.step('windows', step)).rejects.toMatchObject({
    name: 'SupersededError',
    message: 'window 2025-06-01T00:00:00Z/2025-06-02T00:00:00Z: another run has taken it over',
  });
  onS3Request = undefined;
  expect(await other).toEqual({ done: 1 });
  expect(await stage.step('windows', step)).toEqual({ done: 0 });
  await stage.step('end', { verify: { request, execution: 'one', groups } });
  expect(await scene.drops('cloud=test-r2/')).toHaveLength(1);
});
