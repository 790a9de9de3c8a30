import { expect, test, vi } from 'vitest';
import { killer } from './kill.ts';
import { performAll, SEED, share } from './suite.ts';
import { useWorld } from './world.ts';

vi.mock('node:timers/promises', async (original) => (await import('./quick-retries.ts')).quickly(original));

const COUNT = share(0.35);

const scene = useWorld('database');

test(`however connections and statements are killed, every event is in one drop (${COUNT} schedules from seed ${SEED})`, async () => {
  const calls = killer(scene.db);
  const wrong = await performAll(scene.world, {
    onlyCalls: true,
    title: 'Killed connections',
    count: COUNT,
    source: 'database',
    calls,
  });
  expect(wrong).toEqual([]);
});
