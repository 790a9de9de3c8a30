import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DAY } from '../../../../lib/core/time.ts';
import { eventsOf } from '../../../support/drops.ts';
import { type MariaDb, useMariaDb } from '../../../support/mariadb/index.ts';
import { compareWithTruth } from '../../../support/nova/compare.ts';
import { upsert } from '../../../support/nova/rows.ts';
import { type Scene, at, startScene } from '../../../support/nova/scene.ts';
import { sqlTime } from '../../../support/nova/sql-time.ts';
import { finishedEvents } from '../../../support/nova/truth.ts';

let db: MariaDb;
let scene: Scene;
/** Of the next short-lived server. */
let nextId: number;

beforeAll(async () => {
  db = await useMariaDb();
});
afterAll(() => db.stop());
beforeEach(async () => {
  scene = await startScene(db, ['cell1']);
  nextId = 101;
});
afterEach(() => scene.stop());

const START = at('02 00:00');
/** When the run of the window that ends with day `n` (0, 1, …) takes place. */
const runOf = (n: number): number => START + (n + 1) * DAY + 45 * 60;

/** A server that lives on one day from 10:00 to `deleted`, with an event at either end. */
async function shortLived(day: number, name: string, deleted = 12 * 3600): Promise<string> {
  const from = START + day * DAY;
  const uuid = await scene.server('cell1', {
    id: nextId++,
    created_at: sqlTime(from + 10 * 3600),
    deleted_at: sqlTime(from + deleted),
  });
  await scene.event('cell1', uuid, `compute_${name}_build`, { start: from + 36_000, finish: from + 36_060 });
  await scene.event('cell1', uuid, `compute_${name}_delete`, {
    start: from + deleted - 60,
    finish: from + deleted,
  });
  return uuid;
}

/** How the drops of that many days differ from the tables, and what they left out. */
async function flaws(days: number): Promise<object> {
  const drops = await scene.drops();
  expect(drops).toHaveLength(days);
  const truth = await finishedEvents([scene.cell('cell1')], START + days * DAY);
  expect(truth.length).toBeGreaterThan(0);
  return {
    ...compareWithTruth(drops, truth),
    skipped: drops.flatMap(({ manifest }) => Object.keys(eventsOf(manifest).counts.skipped)),
  };
}
const NONE = { onlyInDrops: [], onlyInDatabase: [], skipped: [] };

const idsLookedAt = (ranges: number[]): number => {
  let ids = 0;
  for (let n = 0; n + 1 < ranges.length; n += 2) ids += (ranges[n + 1] ?? 0) - (ranges[n] ?? 0) + 1;
  return ids;
};

test('servers archived after the window’s end and before it is extracted are found, every day', async () => {
  for (let day = 0; day < 6; day++) {
    const uuids = [await shortLived(day, `a${day}`), await shortLived(day, `b${day}`, 86_399)];
    await scene.archive('cell1', ...uuids);
    await scene.run(runOf(day));
  }
  expect(await flaws(6)).toEqual(NONE);
});

test('servers archived days later, with events still to be extracted, are found', async () => {
  const old = await scene.server('cell1', {
    created_at: sqlTime(START),
    deleted_at: sqlTime(at('05 12:00')),
  });
  await scene.event('cell1', old, 'compute_build', { start: at('02 01:00'), finish: at('02 01:01') });
  await scene.event('cell1', old, 'compute_long', { start: at('02 02:00'), finish: at('05 11:00') });
  await scene.event('cell1', old, 'compute_delete', { start: at('05 11:59'), finish: at('05 12:00') });
  await shortLived(0, 'other');
  await scene.run(runOf(0));
  await scene.run(runOf(1));
  await scene.archive('cell1', old);
  await scene.run(runOf(4));
  await scene.archive('cell1', await shortLived(5, 'later'));
  await scene.run(runOf(5));
  expect(await flaws(6)).toEqual(NONE);
});

test('windows caught up after everything was archived at once lose nothing', async () => {
  await shortLived(0, 'first');
  await scene.run(runOf(0));
  const uuids: string[] = [];
  for (let day = 1; day < 8; day++)
    uuids.push(await shortLived(day, `x${day}`), await shortLived(day, `y${day}`, 86_399));
  await scene.archive('cell1', ...uuids);
  const summary = await scene.run(runOf(7));
  expect(summary.windows).toHaveLength(7);
  expect(await flaws(8)).toEqual(NONE);
});

test('an event that waits open in the shadow tables is carried and given up, not lost sight of', async () => {
  const uuid = await scene.server('cell1', {
    created_at: sqlTime(START),
    deleted_at: sqlTime(at('02 13:00')),
  });
  await scene.event('cell1', uuid, 'compute_open', { start: at('02 12:00') });
  await scene.event('cell1', uuid, 'compute_done', { start: at('02 12:30'), finish: at('02 12:31') });
  await scene.archive('cell1', uuid);
  Object.assign(scene.stage.env, { STAR_OPEN_HORIZON_DAYS: '2' });
  for (let day = 0; day < 4; day++) await scene.run(runOf(day));
  const counts = (await scene.drops()).map(({ manifest }) => {
    const { stillOpen, abandoned } = eventsOf(manifest).counts;
    return { stillOpen, abandoned };
  });
  expect(counts).toEqual([
    { stillOpen: 1, abandoned: 0 },
    { stillOpen: 1, abandoned: 0 },
    { stillOpen: 0, abandoned: 1 },
    { stillOpen: 0, abandoned: 0 },
  ]);
});

test('an archived event whose action is still live, as old Novas left it, has its instance', async () => {
  await shortLived(0, 'split');
  await scene
    .cell('cell1')
    .query(
      'INSERT INTO shadow_instance_actions_events SELECT * FROM instance_actions_events;' +
        'DELETE FROM instance_actions_events',
    );
  await scene.run(runOf(0));
  expect(await flaws(1)).toEqual(NONE);
});

describe('what is remembered of archived servers', () => {
  test('shrinks as they are archived, and what was archived long ago is not looked at again', async () => {
    for (let day = 0; day < 8; day++) {
      const uuids: string[] = [];
      for (let n = 0; n < 30; n++) uuids.push(await shortLived(day, `d${day}n${n}`));
      await scene.archive('cell1', ...uuids);
      await scene.run(runOf(day));
      const ranges = (await scene.memory('cell1')).unarchived;
      // The last range is that of ids to come; of the others only those of the last days are left.
      expect(idsLookedAt(ranges.slice(0, -2))).toBeLessThanOrEqual(5 * 30);
    }
    expect(await flaws(8)).toEqual(NONE);
  });

  test('leaves no crumbs when every second server is archived, and misses nothing after that', async () => {
    // Every second of these servers is archived at once, which leaves twice as many ranges as are allowed.
    const count = 3000;
    const from = sqlTime(START);
    await scene.cell('cell1').query(
      `INSERT INTO instances (id, uuid, created_at, deleted_at, deleted, hostname, user_id, project_id)
         SELECT 1000 + seq, CONCAT('6d4f0000-0000-4000-a000-', LPAD(seq, 12, '0')), '${from}',
           IF(seq % 2, '${sqlTime(at('02 12:00'))}', NULL), IF(seq % 2, seq, 0), 'h', 'u', 'p' FROM seq_1_to_${count}`,
    );
    nextId = 1001 + count;
    await shortLived(0, 'day0');
    const before = await shortLived(0, 'archived');
    await scene.archive('cell1', before);
    await scene.run(runOf(0));
    await scene
      .cell('cell1')
      .query(
        'INSERT INTO shadow_instances SELECT * FROM instances WHERE id > 1000 AND deleted > 0;' +
          'DELETE FROM instances WHERE id > 1000 AND deleted > 0',
      );
    for (let day = 1; day < 5; day++) {
      await scene.archive('cell1', await shortLived(day, `day${day}`));
      await scene.run(runOf(day));
    }
    // There would be 1,500 otherwise.
    expect((await scene.memory('cell1')).unarchived.length).toBeLessThan(100);
    expect(await flaws(5)).toEqual(NONE);
  });

  test('covers a server whose row is committed after those of higher ids were seen', async () => {
    const slow = await scene.cell('cell1').pool.getConnection();
    const uuid = '7e5a0000-0000-4000-a000-000000000001';
    const times = { created_at: sqlTime(at('02 23:50')), deleted: 0, hostname: 'slow' };
    await shortLived(0, 'first');
    const early = await shortLived(0, 'second');
    await slow.beginTransaction();
    // Twenty rows that the snapshot does not see, and then some that it does.
    for (let id = 440; id < 460; id++) {
      const row = { id, uuid: id === 450 ? uuid : `7e5a0000-0000-4000-a000-000000000${id}`, ...times };
      await upsert(scene.cell('cell1'), 'instances', [row], slow);
    }
    for (let id = 460; id < 470; id++) {
      await upsert(scene.cell('cell1'), 'instances', [
        {
          id,
          uuid: `7e5a0000-0000-4000-a000-000000000${id}`,
          created_at: sqlTime(at('02 23:50')),
          deleted: 0,
        },
      ]);
    }
    await scene.archive('cell1', early);
    await scene.run(runOf(0));
    await slow.commit();
    slow.release();

    await scene.event('cell1', uuid, 'compute_slow', { start: at('03 01:00'), finish: at('03 01:01') });
    await scene
      .cell('cell1')
      .query('UPDATE instances SET deleted_at = ?, deleted = id WHERE uuid = ?', [
        sqlTime(at('03 02:00')),
        uuid,
      ]);
    await scene.archive('cell1', uuid);
    await scene.run(runOf(1));
    expect(await flaws(2)).toEqual(NONE);
  });

  test('starts from nothing where there were no shadow rows, and is there once there are', async () => {
    const uuid = await shortLived(0, 'first');
    await scene.run(runOf(0));
    await shortLived(1, 'second');
    await scene.run(runOf(1));
    await scene.archive('cell1', uuid, await shortLived(2, 'third'));
    await scene.run(runOf(2));
    expect(await flaws(3)).toEqual(NONE);
  });
});
