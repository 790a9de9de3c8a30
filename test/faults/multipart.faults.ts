import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { addWideEvents } from '../support/invoke/wide-events.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/index.ts';
import { killer } from './kill.ts';
import { START } from './schedule.ts';
import { performAll, SEED, share } from './suite.ts';
import { type World, startWorld } from './world.ts';

vi.mock('node:timers/promises', async (original) => (await import('./quick-retries.ts')).quickly(original));

const COUNT = share(0.05);

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

test(`whatever happens to uploads in parts, no drop is wrong and no upload is left (${COUNT} schedules from seed ${SEED})`, async () => {
  const wrong = await performAll(world, {
    title: 'Uploads in parts',
    count: COUNT,
    source: 'database',
    wide: true,
    calls: killer(db),
    prepare: () => addWideEvents(world.cells[0]!, START),
  });
  expect(wrong).toEqual([]);
});
