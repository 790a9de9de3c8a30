import { expect, test, vi } from 'vitest';
import { addWideEvents } from '../support/invoke/wide-events.ts';
import { killer } from './kill.ts';
import { performAll, SEED, share } from './suite.ts';
import { useWorld } from './world.ts';

vi.mock('node:timers/promises', async (original) => (await import('./quick-retries.ts')).quickly(original));

const COUNT = share(0.05);

const scene = useWorld('database');

test(`whatever happens to uploads in parts, no drop is wrong and no upload is left (${COUNT} schedules from seed ${SEED})`, async () => {
  const wrong = await performAll(scene.world, {
    title: 'Uploads in parts',
    count: COUNT,
    source: 'database',
    wide: true,
    calls: killer(scene.db),
    prepare: ({ start }) => addWideEvents(scene.world.cells[0]!, start),
  });
  expect(wrong).toEqual([]);
});
