import { expect, test, vi } from 'vitest';
import { killer } from './kill.ts';
import { performAll } from './suite.ts';
import { useWorld } from './world.ts';

vi.mock('node:timers/promises', async (original) => (await import('./quick-retries.ts')).quickly(original));

/* A sample of `npm run test:faults`, always the same. */

const scene = useWorld('database');

test('in three schedules of faults between the function, the databases and S3 every event is in one drop', async () => {
  const faults = {
    title: 'Sample',
    count: 3,
    seed: 1000,
    source: 'database',
    calls: killer(scene.db),
  } as const;
  expect(await performAll(scene.world, { ...faults, prints: false })).toEqual([]);
});
