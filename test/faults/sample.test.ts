import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type MariaDb, startMariaDb } from '../support/mariadb/index.ts';
import { killer } from './kill.ts';
import { performAll } from './suite.ts';
import { type World, startWorld } from './world.ts';

vi.mock('node:timers/promises', async (original) => (await import('./quick-retries.ts')).quickly(original));

/* A sample of `npm run test:faults`, always the same. */

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

test('in twenty schedules of faults between the function, the databases and S3 every event is in one drop', async () => {
  const faults = { title: 'Sample', count: 20, seed: 1000, source: 'database', calls: killer(db) } as const;
  expect(await performAll(world, { ...faults, prints: false })).toEqual([]);
});
