import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { eventsOf } from '../../../support/drops.ts';
import { MINUTE } from '../../../../lib/core/time.ts';
import { type MariaDb, useMariaDb } from '../../../support/mariadb/index.ts';
import { type Scene, at, startScene } from '../../../support/nova/scene.ts';

let db: MariaDb;
let scene: Scene;

beforeAll(async () => {
  db = await useMariaDb();
});
afterAll(() => db.stop());
beforeEach(async () => {
  scene = await startScene(db, ['cell1', 'quiet']);
  for (const cell of ['cell1', 'quiet']) {
    const server = await scene.server(cell);
    for (let minute = 0; minute < 40; minute++) {
      const start = at('02 10:00') + minute * MINUTE;
      await scene.event(cell, server, `${cell}_${minute}`, { start, finish: start + 5 });
    }
    if (cell === 'cell1')
      await scene.event(cell, server, 'within', { start: at('03 10:00'), finish: at('03 10:05') });
  }
});
afterEach(() => scene.stop());

const beforeBegin = async (): Promise<(number | null)[]> =>
  (await scene.drops()).map(({ manifest }) => eventsOf(manifest).counts.beforeBegin);

test('what had finished when the first run read is not counted by the next as before begin, also in a quiet cell', async () => {
  await scene.run(at('04 00:45'));
  await scene.run(at('05 00:45'));
  expect(await beforeBegin()).toEqual([0, 0]);
});

test('what finished before begin and was committed after the first run is counted, and not published', async () => {
  await scene.run(at('04 00:45'));
  const server = await scene.server('quiet');
  await scene.event('quiet', server, 'late', { start: at('02 23:00'), finish: at('02 23:05') });
  await scene.run(at('05 00:45'));
  expect(await beforeBegin()).toEqual([0, 1]);
  expect(await scene.published()).toEqual({ '2025-06-03T00:00': ['within'], '2025-06-04T00:00': [] });
});

test('what was open when the first run read, and is then found to have finished before begin, is counted', async () => {
  const server = await scene.server('quiet');
  const id = await scene.event('quiet', server, 'long', { start: at('02 12:00') });
  await scene.run(at('04 00:45'));
  await scene.finish('quiet', id, at('02 23:00'));
  await scene.run(at('05 00:45'));
  expect(await beforeBegin()).toEqual([0, 1]);
});
