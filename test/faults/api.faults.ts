import { expect, test, vi } from 'vitest';
import { performAll, SEED, share } from './suite.ts';
import { useWorld } from './world.ts';

vi.mock('node:timers/promises', async (original) => (await import('./quick-retries.ts')).quickly(original));

const COUNT = share(0.18);

const scene = useWorld('api');

test(`whatever happens between the function, a fake of the API and S3, no drop is wrong (${COUNT} schedules from seed ${SEED})`, async () => {
  const wrong = await performAll(scene.world, { title: 'API and S3', count: COUNT, source: 'api' });
  expect(wrong).toEqual([]);
});
