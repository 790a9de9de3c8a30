import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type MariaDb, startMariaDb } from '../support/mariadb/index.ts';
import { killer } from './kill.ts';
import { performAll, SEED, share } from './suite.ts';
import { type World, startWorld } from './world.ts';

vi.mock('node:timers/promises', async (original) => (await import('./quick-retries.ts')).quickly(original));

const COUNT = share(0.4);

let db: MariaDb;
let world: World;

beforeAll(async () => {
  db = await startMariaDb();
  world = await startWorld(db, 'database');
});
afterAll(async () => {
  await world.stop();
  await db.stop();
});

test(`whatever happens between the function, the databases and S3, every event is in one drop (${COUNT} schedules from seed ${SEED})`, async () => {
  const calls = killer(db);
  const wrong = await performAll(world, {
    title: 'Databases and S3',
    count: COUNT,
    source: 'database',
    calls,
  });
  expect(wrong).toEqual([]);
});
