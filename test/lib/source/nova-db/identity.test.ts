import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventsOf } from '../../../support/drops.ts';
import { HOUR, MINUTE } from '../../../../lib/core/time.ts';
import { type MariaDb, useMariaDb } from '../../../support/mariadb/index.ts';
import { type Scene, at, startScene } from '../../../support/nova/scene.ts';

let db: MariaDb;
let scene: Scene;
let server: string;

const EVENTS = 'instance_actions_events';
const TABLES = ['instances', 'instance_actions', EVENTS].flatMap((table) => [table, `shadow_${table}`]);

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
const run = (hour: number): Promise<unknown> => scene.run(START + hour * HOUR + SETTLE);
const published = async (): Promise<string[]> => Object.values(await scene.published()).flat();
const restored = async (): Promise<number[]> =>
  (await scene.drops()).map(({ manifest }) => eventsOf(manifest).counts.restored);

/** Events, two minutes apart, each under the id that follows; the names tell when and in which life of the database. */
async function live(life: string, from: number, count: number, firstId: number): Promise<string[]> {
  const names: string[] = [];
  for (let n = 0; n < count; n++) {
    const start = from + n * 2 * MINUTE;
    const name = `${life}_${firstId + n}`;
    await scene.event('cell1', server, name, { id: firstId + n, start, finish: start + 20 });
    names.push(name);
  }
  return names;
}

/** Keeps all tables as they are, and gives what brings them back. */
async function backUp(): Promise<() => Promise<void>> {
  const cell = scene.cell('cell1');
  for (const table of TABLES) {
    await cell.query(`DROP TABLE IF EXISTS kept_${table}`);
    await cell.query(`CREATE TABLE kept_${table} AS SELECT * FROM ${table}`);
  }
  return async () => {
    // An action belongs to an instance.
    for (const table of TABLES.toReversed()) await cell.query(`DELETE FROM ${table}`);
    for (const table of TABLES) await cell.query(`INSERT INTO ${table} SELECT * FROM kept_${table}`);
  };
}

async function purge(): Promise<void> {
  for (const table of TABLES.filter((name) => name.startsWith('shadow_')))
    await scene.cell('cell1').query(`DELETE FROM ${table}`);
}

describe('A database that was restored from a backup and gives ids again', () => {
  test.each([
    ['fewer', 8],
    ['as many', 20],
    ['more', 27],
  ])('loses none of its new events, nor publishes one twice: %s than it had lost', async (_, count) => {
    const kept = await live('first', START + 2 * MINUTE, 5, 1);
    const restore = await backUp();
    const lost = await live('first', START + 15 * MINUTE, 20, 6);
    await run(1);
    await restore();
    const again = await live('second', START + HOUR + 2 * MINUTE, count, 6);
    await run(2);
    await run(3);
    expect((await published()).toSorted()).toEqual([...kept, ...lost, ...again].toSorted());
    // Later ids had no row before.
    expect(await restored()).toEqual([0, Math.min(count, 20), 0]);
  });

  test('loses none though its newest row has a clock that is far ahead', async () => {
    const kept = await live('first', START + 2 * MINUTE, 5, 1);
    const restore = await backUp();
    const lost = await live('first', START + 15 * MINUTE, 20, 6);
    await scene.event('cell1', server, 'ahead', { id: 26, start: at('20 00:00') });
    await run(1);
    await restore();
    const again = await live('second', START + HOUR + 2 * MINUTE, 22, 6);
    await scene.event('cell1', server, 'ahead again', { id: 28, start: at('20 00:00') });
    await run(2);
    await run(3);
    expect((await published()).toSorted()).toEqual([...kept, ...lost, ...again].toSorted());
  });

  test('carries an open event under an id that another had, and counts that as gone once newer rows are there', async () => {
    await live('first', START + 2 * MINUTE, 5, 1);
    const restore = await backUp();
    await scene.event('cell1', server, 'open before', { id: 6, start: START + 30 * MINUTE });
    await run(1);
    await restore();
    await scene.event('cell1', server, 'open again', { id: 6, start: START + HOUR + 5 * MINUTE });
    await live('second', START + HOUR + 10 * MINUTE, 3, 7);
    await run(2);
    await scene.finish('cell1', 6, START + 2 * HOUR + MINUTE);
    await run(3);
    expect((await published()).filter((name) => name.startsWith('open'))).toEqual(['open again']);
    const skipped = (await scene.drops()).map(({ manifest }) => eventsOf(manifest).counts.skipped);
    expect(skipped).toEqual([{}, { eventGone: 1 }, {}]);
  });

  test('finds servers archived under ids that archived ones had', async () => {
    const restore = await backUp();
    const old = await scene.server('cell1', { id: 70 });
    await scene.event('cell1', old, 'old', { id: 1, start: START + MINUTE, finish: START + 2 * MINUTE });
    await scene.archive('cell1', old);
    await run(1);
    await restore();
    const fresh = await scene.server('cell1', { id: 70 });
    const start = START + HOUR + 5 * MINUTE;
    await scene.event('cell1', fresh, 'fresh', { id: 1, start, finish: start + 9 });
    await scene.archive('cell1', fresh);
    await run(2);
    expect(await published()).toEqual(['old', 'fresh']);
  });
});

describe('Ids given again after a restart, for the newest rows were archived', () => {
  test('lose no event, nor publish an archived one twice', async () => {
    const first = await live('first', START + 2 * MINUTE, 5, 1);
    const gone = server;
    server = await scene.server('cell1');
    const kept = server;
    server = gone;
    const archived = await live('second', START + 20 * MINUTE, 10, 6);
    await run(1);
    await scene.archive('cell1', gone);
    server = kept;
    const again = await live('third', START + HOUR + 2 * MINUTE, 7, 6);
    await run(2);
    await run(3);
    expect((await published()).toSorted()).toEqual([...first, ...archived, ...again].toSorted());
    expect(await restored()).toEqual([0, 7, 0]);
  });
});

test('A quiet cell whose newest rows were archived and purged goes on', async () => {
  const gone = await live('first', START + 2 * MINUTE, 20, 1);
  await run(1);
  await scene.archive('cell1', server);
  await purge();
  await run(2);
  server = await scene.server('cell1');
  const later = await live('later', START + 2 * HOUR + 2 * MINUTE, 5, 21);
  await run(3);
  expect(await published()).toEqual([...gone, ...later]);
  expect(await restored()).toEqual([0, 0, 0]);
});

test('Rows that were read and are the same are never taken for others: archived, un-archived, finished since', async () => {
  const names = await live('first', START + 2 * MINUTE, 20, 1);
  const open = await scene.event('cell1', server, 'open', { id: 21, start: START + 55 * MINUTE });
  await run(1);
  await scene.archive('cell1', server);
  await run(2);
  const cell = scene.cell('cell1');
  for (const table of ['instances', 'instance_actions', EVENTS]) {
    await cell.query(`INSERT INTO ${table} SELECT * FROM shadow_${table}`);
    await cell.query(`DELETE FROM shadow_${table}`);
  }
  await scene.finish('cell1', open, START + 2 * HOUR + MINUTE);
  await run(3);
  expect(await published()).toEqual([...names, 'open']);
  expect(await restored()).toEqual([0, 0, 0]);
});
