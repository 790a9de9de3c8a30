import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventsOf } from '../../../support/drops.ts';
import { type MariaDb, useMariaDb } from '../../../support/mariadb/index.ts';
import { type Scene, at, startScene } from '../../../support/nova/scene.ts';

let db: MariaDb;
let scene: Scene;
let server: string;

const EVENTS = 'instance_actions_events';

beforeAll(async () => {
  db = await useMariaDb();
});
afterAll(() => db.stop());
beforeEach(async () => {
  scene = await startScene(db, ['cell1']);
  server = await scene.server('cell1');
});
afterEach(() => scene.stop());

const event = (name: string, start: string, finish?: string): Promise<number> =>
  scene.event('cell1', server, name, {
    start: at(start),
    finish: finish === undefined ? undefined : at(finish),
  });
const days = async (): Promise<Record<string, string[]>> =>
  Object.fromEntries(
    Object.entries(await scene.published()).map(([start, names]) => [start.slice(8, 10), names.toSorted()]),
  );
const skipped = async (): Promise<object[]> =>
  (await scene.drops()).map(({ manifest }) => eventsOf(manifest).counts.skipped);

/** As an operator does who brings an archived server back: its rows are copied, and may be left in the shadow tables. */
async function unarchive(isMoved: boolean): Promise<void> {
  for (const table of ['instances', 'instance_actions', EVENTS]) {
    await scene.cell('cell1').query(`INSERT INTO ${table} SELECT * FROM shadow_${table}`);
    if (isMoved) await scene.cell('cell1').query(`DELETE FROM shadow_${table}`);
  }
}

describe('A row that is in the live table and in the shadow table', () => {
  test('is published once, by the schedule and by a backfill', async () => {
    await event('before', '01 10:00', '01 10:01');
    await event('a', '02 10:00', '02 10:01');
    await event('long', '02 11:00', '03 11:00');
    await event('old by its clock', '02 12:00', '02 12:01');
    await scene
      .cell('cell1')
      .query(`UPDATE ${EVENTS} SET start_time = '2025-06-02 09:00:00' WHERE event = 'old by its clock'`);
    await scene.archive('cell1', server);
    await unarchive(false);
    await scene.run(at('03 00:45'));
    await scene.run(at('04 00:45'));
    await scene.stage.backfill({ start: '2025-06-01', end: '2025-06-02' });
    expect(await days()).toEqual({ '01': ['before'], '02': ['a', 'old by its clock'], '03': ['long'] });
  });
});

describe('A finish that is no time', () => {
  const zero = (name: string): Promise<unknown> =>
    scene
      .cell('cell1')
      .query(
        `SET SESSION sql_mode = ''; UPDATE ${EVENTS} SET finish_time = '0000-00-00' WHERE event = '${name}'`,
      );

  test('is counted where its event began, by the schedule and by a backfill, and not carried', async () => {
    await event('zero before', '01 10:00', '01 10:01');
    await event('right before', '01 11:00', '01 11:01');
    await event('zero', '02 10:00', '02 10:01');
    await event('right', '02 11:00', '02 11:01');
    await event('open', '02 23:00');
    for (const name of ['zero before', 'zero']) await zero(name);
    await scene.run(at('03 00:45'));
    await zero('open');
    await scene.run(at('04 00:45'));
    await scene.stage.backfill({ start: '2025-06-01', end: '2025-06-02' });
    expect(await days()).toEqual({ '01': ['right before'], '02': ['right'], '03': [] });
    expect(await skipped()).toEqual([{ noFinishTime: 1 }, { noFinishTime: 1 }, { noFinishTime: 1 }]);
    const [, second, third] = await scene.drops();
    expect([second, third].map((drop) => eventsOf(drop?.manifest).counts.stillOpen)).toEqual([1, 0]);
  });
});

describe('The instance of an archived event is found', () => {
  test('where the event was recorded long after the server’s deletion', async () => {
    const gone = await scene.server('cell1', {
      deleted_at: '2025-06-02 12:00:00',
      updated_at: '2025-06-02 12:00:00',
    });
    const own = (name: string, day: string): Promise<number> =>
      scene.event('cell1', gone, name, { start: at(`${day} 10:00`), finish: at(`${day} 10:01`) });
    await own('own', '02');
    await scene.run(at('03 00:45'));
    // A day after its deletion its id is no longer looked at. Then it is archived, together with late rows.
    for (const day of ['04', '05', '06']) {
      await event(`other ${day}`, `${day} 11:00`, `${day} 11:01`);
      if (day === '06') {
        await own('queued', day);
        await scene.archive('cell1', gone);
      }
      await scene.run(at(`0${Number(day) + 1} 00:45`));
    }
    expect((await days())['06']).toEqual(['other 06', 'queued']);
    expect(await skipped()).toEqual([{}, {}, {}, {}, {}]);
  });

  test('where the server was un-archived, active, and archived again', async () => {
    await event('first', '02 10:00', '02 10:01');
    await scene.archive('cell1', server);
    await scene.run(at('03 00:45'));
    await scene.run(at('06 00:45'));
    await unarchive(true);
    await event('second', '06 10:00', '06 10:01');
    await scene.archive('cell1', server);
    await scene.run(at('07 00:45'));
    expect(await days()).toMatchObject({ '02': ['first'], '06': ['second'] });
    expect((await skipped()).at(-1)).toEqual({});
  });
});
