import { expect, test, vi } from 'vitest';
import { killer } from './kill.ts';
import { performAll, SEED, share } from './suite.ts';
import { useWorld } from './world.ts';

vi.mock('node:timers/promises', async (original) => (await import('./quick-retries.ts')).quickly(original));

const COUNT = share(0.4);

const scene = useWorld('database');

test(`whatever happens between the function, the databases and S3, every event is in one drop (${COUNT} schedules from seed ${SEED})`, async () => {
  const calls = killer(scene.db);
  const wrong = await performAll(scene.world, {
    title: 'Databases and S3',
    count: COUNT,
    source: 'database',
    calls,
  });
  expect(wrong).toEqual([]);
});
