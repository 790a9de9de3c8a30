import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type MariaDb, startMariaDb } from '../support/mariadb/index.ts';
import { performAll, SEED, share } from './suite.ts';
import { type World, startWorld } from './world.ts';

vi.mock('node:timers/promises', async (original) => (await import('./quick-retries.ts')).quickly(original));

const COUNT = share(0.18);

let db: MariaDb;
let world: World;

beforeAll(async () => {
  db = await startMariaDb();
  world = await startWorld(db, 'api');
});
afterAll(async () => {
  await world.stop();
  await db.stop();
});

test(`whatever happens between the function, a stand-in of the API and S3, no drop is wrong (${COUNT} schedules from seed ${SEED})`, async () => {
  const wrong = await performAll(world, { title: 'API and S3', count: COUNT, source: 'api' });
  expect(wrong).toEqual([]);
});
