import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventsOf } from '../../../support/drops.ts';
import { DAY, HOUR, MINUTE } from '../../../../lib/core/time.ts';
import { openEdge } from '../../../../lib/source/nova-db/purged.ts';
import { type MariaDb, useMariaDb } from '../../../support/mariadb/index.ts';
import { type Scene, at, startScene } from '../../../support/nova/scene.ts';

let db: MariaDb;
let scene: Scene;
let lasting: string;

beforeAll(async () => {
  db = await useMariaDb();
});
afterAll(() => db.stop());
beforeEach(async () => {
  scene = await startScene(db, ['cell1']);
  lasting = await scene.server('cell1');
});
afterEach(() => scene.stop());

const START = at('02 00:00');

/** Events of a day, an hour apart: the first of the lasting server, the others of one that is purged later. */
async function day(nth: number, stride = 1, events = 21): Promise<void> {
  const deleted = await scene.server('cell1');
  for (let n = 0; n < events; n++) {
    const start = START + nth * DAY + n * HOUR + MINUTE;
    const uuid = n === 0 ? lasting : deleted;
    await scene.event('cell1', uuid, `compute_${nth}_${n}`, {
      id: 1 + stride * (nth * events + n),
      start,
      finish: start + 9,
    });
  }
  doomed.push(deleted);
}
let doomed: string[] = [];
beforeEach(() => {
  doomed = [];
});

async function purge(): Promise<void> {
  await scene.archive('cell1', ...doomed);
  for (const table of ['instance_actions_events', 'instance_actions', 'instances'])
    await scene.cell('cell1').query(`DELETE FROM shadow_${table}`);
  doomed = [];
}
const purged = async (): Promise<(number | null)[]> =>
  (await scene.drops()).map(({ manifest }) => eventsOf(manifest).counts.purged);

describe('Days of which Nova has purged most do not pass for whole ones', () => {
  test('in the drops of a schedule that catches up, in a backfill, and in its plan', async () => {
    await scene.run(at('02 00:45'));
    for (const nth of [0, 1]) await day(nth);
    await purge();
    for (const nth of [2, 3]) await day(nth);
    const range = { start: '2025-06-02', end: '2025-06-04' };
    expect(await scene.run(at('05 00:45'))).toMatchObject({ status: 'published' });
    const counted = await purged();
    expect(counted[0]).toBe(0);
    expect(Math.abs((counted[1] ?? 0) + (counted[2] ?? 0) - 40)).toBeLessThanOrEqual(2);
    expect(Math.abs((counted[1] ?? 0) - 20)).toBeLessThanOrEqual(2);
    expect(counted[3]).toBe(0);

    scene.stage.env['STAR_PREFIX'] = 'again';
    await scene.run(at('05 00:45'));
    const { purged: planned, message } = (await scene.stage.backfill({
      ...range,
      dryRun: true,
    })) as unknown as {
      purged: number;
      message: string;
    };
    expect(Math.abs(planned - 40)).toBeLessThanOrEqual(2);
    expect(message).toContain(`about ${planned} event(s) of the range are purged`);
    await scene.stage.backfill(range);
    const [first, second] = (await scene.drops('again')).map(
      ({ manifest }) => eventsOf(manifest).counts.purged,
    );
    for (const count of [first, second]) expect(Math.abs((count ?? -9) - 20)).toBeLessThanOrEqual(2);
    delete scene.stage.env['STAR_PREFIX'];
  });

  test('nor where ids are three apart, as Galera gives them', async () => {
    await scene.run(at('02 00:45'));
    await day(0, 3);
    await purge();
    for (const nth of [1, 2]) await day(nth, 3);
    await scene.run(at('04 00:45'));
    const [, first, second] = await purged();
    expect(Math.abs((first ?? -9) - 20)).toBeLessThanOrEqual(3);
    expect(second).toBe(0);
  });

  test('and where nothing is newer, that it cannot be told', async () => {
    await scene.run(at('02 00:45'));
    await day(0);
    await purge();
    await scene.run(at('03 00:45'));
    expect((await purged())[1]).toBeNull();
  });
});

test('The ids of a gap are spread evenly over its time', () => {
  const edge = openEdge(50, { id: 10, created: 0 });
  for (const row of [
    { id: 110, created: 100 },
    { id: 111, created: 101 },
  ])
    edge.add(row);
  expect(edge.id()).toBe(60);
  expect(edge.rows()).toBe(0);
});
