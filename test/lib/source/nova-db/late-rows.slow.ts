import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventsOf } from '../../../support/drops.ts';
import { HOUR, MINUTE } from '../../../../lib/core/time.ts';
import { type MariaDb, startMariaDb } from '../../../support/mariadb/index.ts';
import { compareWithTruth } from '../../../support/nova/compare.ts';
import { type Change, replay } from '../../../support/nova/history.ts';
import { type Random, seeded } from '../../../support/nova/prng.ts';
import { type Scene, at, startScene } from '../../../support/nova/scene.ts';
import { sqlTime } from '../../../support/nova/sql-time.ts';
import { finishedEvents } from '../../../support/nova/truth.ts';

const SEED = Number(process.env['TEST_SEED'] ?? 20_250_601);
const SETTLE = 30 * MINUTE;

let db: MariaDb;
let scene: Scene;

beforeAll(async () => {
  db = await startMariaDb();
});
afterAll(() => db.stop());
beforeEach(async () => {
  scene = await startScene(db, ['cell1'], { env: { STAR_WINDOW_MINUTES: '60' } });
});
afterEach(() => scene.stop());

const START = at('02 00:00');

interface Ids {
  /** From one id to the next; Galera with three nodes has 3. */
  stride: number;
  /** How likely ids are left out, and how many at most. */
  gaps: number;
  /** By how many seconds the order of ids differs from that of time. */
  shuffled: number;
}

/**
 * Events of one server over some hours, whose rows show up to twice the settle time after the time they carry,
 * and finish as late as they like.
 */
function lateHistory(random: Random, uuid: string, hours: number, ids: Ids): Change[] {
  const events = Array.from({ length: hours * 60 }, () => {
    const allocated = START + random.between(-HOUR, hours * HOUR);
    const start = Math.floor(allocated + random.pick([-3, -1, 0, 0, 2]));
    const shown = allocated + (random.chance(0.2) ? random.between(0, 2 * SETTLE - 20) : 0.01);
    const finish = random.chance(0.05)
      ? undefined
      : start + Math.floor(random.chance(0.2) ? random.between(0, 3 * HOUR) : random.between(0, 60));
    const delay = random.chance(0.1) ? random.between(0, 3 * HOUR) : 0.01;
    return { order: allocated + random.between(0, ids.shuffled), start, shown, finish, delay };
  }).toSorted((a, b) => a.order - b.order);
  let id = 7;
  return events.flatMap(({ start, shown, finish, delay }): Change[] => {
    id += ids.stride;
    if (random.chance(ids.gaps)) id += random.whole(1, 40) * ids.stride;
    const times = { created_at: sqlTime(start), start_time: sqlTime(start) };
    const row = { id, event: `compute_${id}`, action_id: id, host: 'cmp-1', deleted: 0, ...times };
    const change = (time: number, table: Change['table'], upsert: Record<string, unknown>): Change => ({
      at: time,
      cell: 'cell1',
      table,
      upsert,
    });
    const changes = [
      change(shown, 'instance_actions', { id, action: 'act', instance_uuid: uuid, deleted: 0, ...times }),
      change(shown, 'instance_actions_events', row),
    ];
    if (finish === undefined) return changes;
    const finished = { ...row, finish_time: sqlTime(finish), updated_at: sqlTime(finish), result: 'Success' };
    return [...changes, change(Math.max(shown, finish) + delay, 'instance_actions_events', finished)];
  });
}

describe('rows that show up to twice the settle time late, below ids already seen, are delivered once', () => {
  const ORDERS: (Ids & { of: string })[] = [
    { of: 'ids in order of time', stride: 1, gaps: 0, shuffled: 0 },
    { of: 'ids out of order by some seconds', stride: 1, gaps: 0, shuffled: 8 },
    { of: 'ids three apart with gaps, as Galera gives them', stride: 3, gaps: 0.1, shuffled: 8 },
  ];
  test.each(ORDERS)('with $of (seed %#)', async (ids) => {
    const hours = 8;
    const random = seeded(SEED + ids.stride + ids.shuffled);
    const uuid = await scene.server('cell1');
    const history = replay([scene.cell('cell1')], lateHistory(random, uuid, hours, ids));
    for (let hour = 1; hour <= hours + 4; hour++) {
      // Neither catching up two hours nor running at the last moment changes anything.
      if (hour === 4) continue;
      const now = START + hour * HOUR + SETTLE + random.whole(0, 25) * MINUTE * (hour % 2);
      await history.applyUntil(now);
      expect((await scene.run(now)).status).toBe('published');
    }
    const end = START + (hours + 4) * HOUR;
    const all = await finishedEvents([scene.cell('cell1')], end);
    const truth = all.filter((row) => Date.parse(`${String(row['finish_time'])}Z`) / 1000 >= START);
    expect(truth.length).toBeGreaterThan(300);
    const drops = await scene.drops();
    expect(compareWithTruth(drops, truth)).toEqual({ onlyInDrops: [], onlyInDatabase: [] });
    expect(drops.reduce((late, { manifest }) => late + eventsOf(manifest).counts.late, 0)).toBeGreaterThan(
      10,
    );
  });
});

describe('a row whose created_at is far from the truth', () => {
  const NAMES = Array.from({ length: 12 }, (_, n) => `compute_${String(n).padStart(2, '0')}`);

  /** An event every ten minutes from 00:05, and after the sixth the odd one. */
  async function around(odd: () => Promise<unknown>): Promise<void> {
    const uuid = await scene.server('cell1');
    for (const [n, name] of NAMES.entries()) {
      if (n === 6) await odd();
      const start = START + 5 * MINUTE + n * 10 * MINUTE;
      await scene.event('cell1', uuid, name, { start, finish: start + 20 });
    }
  }
  async function runHours(count: number): Promise<string[]> {
    for (let hour = 1; hour <= count; hour++) await scene.run(START + hour * HOUR + SETTLE);
    return Object.values(await scene.published())
      .flat()
      .toSorted();
  }
  const odd = async (created: number, times: { start: number; finish: number }): Promise<void> => {
    const uuid = await scene.server('cell1', { hostname: 'odd' });
    await scene.event('cell1', uuid, 'compute_odd', { created, ...times });
  };
  const RIGHT = { start: at('02 01:02'), finish: at('02 01:03') };

  test('in the past: nothing is lost or repeated', async () => {
    await around(() => odd(at('01 00:00'), RIGHT));
    expect(await runHours(4)).toEqual([...NAMES, 'compute_odd']);
  });

  test('in the past with its other times: nothing that is within the trace is lost or repeated', async () => {
    await around(() => odd(at('01 00:00'), { start: at('01 00:00'), finish: at('01 00:01') }));
    expect(await runHours(4)).toEqual(NAMES);
  });

  test('in the far future: no other row is lost, repeated or held back', async () => {
    await around(() => odd(at('30 00:00'), RIGHT));
    expect((await runHours(4)).filter((name) => name !== 'compute_odd')).toEqual(NAMES);
    const drops = await scene.drops();
    expect(drops.map(({ manifest }) => eventsOf(manifest).counts.late)).toEqual([0, 0, 0, 0]);
  });

  test('in the far future: the row itself is delivered when it has finished', async () => {
    await around(() => odd(at('30 00:00'), RIGHT));
    expect(await runHours(4)).toEqual([...NAMES, 'compute_odd']);
  });

  test('in the far future: what is read does not grow with every window that follows', async () => {
    await around(() => odd(at('30 00:00'), { start: at('30 00:00'), finish: at('30 00:01') }));
    await scene.heartbeat('cell1', START + 5 * HOUR);
    await runHours(4);
    const [newest] = await scene.cell('cell1').query('SELECT MAX(id) AS id FROM instance_actions_events');
    expect((await scene.memory('cell1')).nextEventId).toBe(Number(newest?.['id']) + 1);
  });

  test('in the far future: forty rows in a row do not hide those after them', async () => {
    await around(async () => {
      for (let n = 0; n < 40; n++)
        await odd(at('30 00:00'), { start: at('30 00:00'), finish: at('30 00:01') });
    });
    expect(await runHours(4)).toEqual(NAMES);
  });

  test('missing: its start tells', async () => {
    await around(async () => {
      await odd(RIGHT.start, RIGHT);
      await scene
        .cell('cell1')
        .query("UPDATE instance_actions_events SET created_at = NULL WHERE event = 'compute_odd'");
    });
    expect(await runHours(4)).toEqual([...NAMES, 'compute_odd']);
  });
});

test('a first run takes what started long ago and has just finished, and leaves what finished before', async () => {
  const uuid = await scene.server('cell1');
  await scene.event('cell1', uuid, 'compute_before', { start: at('01 20:00'), finish: at('01 23:59:59') });
  const open = await scene.event('cell1', uuid, 'compute_open', { start: at('01 21:00') });
  await scene.event('cell1', uuid, 'compute_long', { start: at('01 22:00'), finish: at('02 00:00') });
  await scene.event('cell1', uuid, 'compute_after', { start: at('02 00:30'), finish: at('02 01:00') });
  await scene.run(START + HOUR + SETTLE);
  await scene.finish('cell1', open, at('02 01:30'));
  await scene.run(START + 2 * HOUR + SETTLE);
  expect(await scene.published()).toEqual({
    '2025-06-02T00:00': ['compute_long'],
    '2025-06-02T01:00': ['compute_open', 'compute_after'],
  });
});

test('settle times longer than a window keep what they have seen over several windows', async () => {
  Object.assign(scene.stage.env, { STAR_WINDOW_MINUTES: '5', STAR_SETTLE_MINUTES: '20' });
  const uuid = await scene.server('cell1');
  for (let minute = 0; minute < 60; minute++) {
    // Every fourth row is not there yet.
    if (minute % 4 === 2) continue;
    const start = START + minute * MINUTE;
    await scene.event('cell1', uuid, `compute_${minute + 10}`, {
      id: 10 + minute,
      start,
      finish: start + 7 * MINUTE,
    });
  }
  for (let end = START + 5 * MINUTE; end <= START + 80 * MINUTE; end += 5 * MINUTE) {
    const now = end + 20 * MINUTE;
    const missing = (now - 40 * MINUTE - START) / MINUTE;
    for (let minute = 2; minute <= Math.min(58, missing + 4); minute += 4) {
      const [found] = await scene
        .cell('cell1')
        .query('SELECT id FROM instance_actions_events WHERE id = ?', [10 + minute]);
      const start = START + minute * MINUTE;
      const spec = { id: 10 + minute, start, finish: start + 7 * MINUTE };
      if (found === undefined) await scene.event('cell1', uuid, `compute_${minute + 10}`, spec);
    }
    await scene.run(now);
  }
  const names = Object.values(await scene.published()).flat();
  expect(names.toSorted()).toEqual(Array.from({ length: 60 }, (_, n) => `compute_${n + 10}`));
});
