import { afterAll, beforeAll, expect, test } from 'vitest';
import { type MariaDb, startMariaDb } from '../support/mariadb/index.ts';
import { type Scene, at, startScene } from '../support/nova/scene.ts';
import { type Planned, execute } from '../support/release.ts';

let db: MariaDb;
let scene: Scene;

beforeAll(async () => {
  db = await startMariaDb();
  scene = await startScene(db, ['cell1'], { env: { STAR_BACKFILL_SECRETS: 'test/backfill' } });
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
