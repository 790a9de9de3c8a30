import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventsOf } from '../../../support/drops.ts';
import { HOUR, MINUTE } from '../../../../lib/core/time.ts';
import { type MariaDb, useMariaDb } from '../../../support/mariadb/index.ts';
import { type Scene, at, startScene } from '../../../support/nova/scene.ts';

let db: MariaDb;
let scene: Scene;
let server: string;

beforeAll(async () => {
  db = await useMariaDb();
});
afterAll(() => db.stop());
beforeEach(async () => {
  scene = await startScene(db, ['cell1'], { env: { STAR_WINDOW_MINUTES: '60' } });
  server = await scene.server('cell1');
});
afterEach(() => scene.stop());

const START = at('02 00:00');
const SETTLE = 30 * MINUTE;
const EVENTS = 'instance_actions_events';
const run = (hour: number): Promise<{ status: string }> => scene.run(START + hour * HOUR + SETTLE);
const published = async (): Promise<string[]> => Object.values(await scene.published()).flat();

async function event(name: string, minute: number, isOpen = false): Promise<number> {
  const start = START + minute * MINUTE;
  return scene.event('cell1', server, name, { start, ...(isOpen ? {} : { finish: start + 20 }) });
}

/** What a replica shows that has not got these rows yet: they are taken away, and come back. */
async function hide(from: number): Promise<() => Promise<void>> {
  const cell = scene.cell('cell1');
  await cell.query(`CREATE TABLE hidden AS SELECT * FROM ${EVENTS} WHERE id >= ?`, [from]);
  await cell.query(`DELETE FROM ${EVENTS} WHERE id >= ?`, [from]);
  return async () => {
    await cell.query(`INSERT INTO ${EVENTS} SELECT * FROM hidden`);
    await cell.query('DROP TABLE hidden');
  };
}

describe('What a replica does not show', () => {
  test('is not gone: an open event is carried on, and published when it shows again', async () => {
    await event('a', 5);
    const open = await event('open', 50, true);
    await run(1);
    const show = await hide(open);
    await run(2);
    await show();
    await scene.finish('cell1', open, START + 2 * HOUR + 5 * MINUTE);
    await event('b', 125);
    await run(3);
    expect(await published()).toEqual(['a', 'open', 'b']);
    const counts = (await scene.drops()).map(({ manifest }) => eventsOf(manifest).counts);
    expect(counts.map(({ skipped }) => skipped)).toEqual([{}, {}, {}]);
    expect(counts.map(({ stillOpen }) => stillOpen)).toEqual([1, 1, 0]);
  });

  test('is gone where a later heartbeat is there', async () => {
    const open = await event('open', 50, true);
    await scene.heartbeat('cell1', START + HOUR + 29 * MINUTE);
    await run(1);
    await hide(open);
    await scene.heartbeat('cell1', START + 2 * HOUR + 29 * MINUTE);
    await run(2);
    const [, second] = await scene.drops();
    expect(second && eventsOf(second.manifest).counts).toMatchObject({
      stillOpen: 0,
      skipped: { eventGone: 1 },
    });
  });

  test('is looked for again: a row that shows after the one behind it', async () => {
    // The replica lags by more than the settle time: its newest row is of minute 10.
    for (const minute of [1, 2, 3, 4]) await event(`early ${minute}`, minute);
    const missing = await event('missing', 9);
    const cell = scene.cell('cell1');
    await cell.query(`CREATE TABLE hidden AS SELECT * FROM ${EVENTS} WHERE id = ?`, [missing]);
    await cell.query(`DELETE FROM ${EVENTS} WHERE id = ?`, [missing]);
    await event('shown', 10);
    await run(1);
    await cell.query(`INSERT INTO ${EVENTS} SELECT * FROM hidden`);
    await event('next', 70);
    await run(2);
    expect((await published()).toSorted()).toEqual(
      ['early 1', 'early 2', 'early 3', 'early 4', 'missing', 'next', 'shown'].toSorted(),
    );
    const [, second] = await scene.drops();
    expect(second && eventsOf(second.manifest).counts.late).toBe(1);
  });
});

test('A snapshot older than the last one is tried again, and then refused with a message that says why', async () => {
  await event('a', 5);
  await scene.heartbeat('cell1', START + HOUR + 29 * MINUTE);
  await run(1);
  await event('b', 65);
  await scene.heartbeat('cell1', START + HOUR + 20 * MINUTE);
  await expect(run(2)).rejects.toMatchObject({
    name: 'SourceError',
    transient: true,
    message: expect.stringMatching(
      /^cell cell1: its newest heartbeat of a service is of 2025-06-02T01:20:00Z, but one of 2025-06-02T01:29:00Z was read before/,
    ) as string,
  });
  expect(await published()).toEqual(['a']);
  await scene.heartbeat('cell1', START + 2 * HOUR + 29 * MINUTE);
  await run(2);
  expect(await published()).toEqual(['a', 'b']);
});

test('A service whose clock is far ahead holds up nothing', async () => {
  await event('a', 5);
  await scene.heartbeat('cell1', Math.floor(Date.now() / 1000) + 30 * 24 * HOUR);
  await run(1);
  await scene.heartbeat('cell1', START + 2 * HOUR);
  await event('b', 65);
  await run(2);
  expect(await published()).toEqual(['a', 'b']);
});
