import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../../../lib/core/time.ts';
import { parseDsn } from '../../../../lib/connection/dsn.ts';
import { planCell } from '../../../../lib/source/nova-db/plan.ts';
import { databaseSource } from '../../../../lib/source/nova-db/nova-db.ts';
import { openCell } from '../../../../lib/source/nova-db/session.ts';
import { type MariaDb, useMariaDb } from '../../../support/mariadb/index.ts';
import { compareWithTruth } from '../../../support/nova/compare.ts';
import { seeded } from '../../../support/nova/prng.ts';
import { type Scene, at, startScene } from '../../../support/nova/scene.ts';
import { finishedEvents } from '../../../support/nova/truth.ts';

const SEED = Number(process.env['TEST_SEED'] ?? 20_250_602);
const START = at('02 00:00');

let db: MariaDb;
let scene: Scene;
let server: string;

beforeAll(async () => {
  db = await useMariaDb();
});
afterAll(() => db.stop());
beforeEach(async () => {
  scene = await startScene(db, ['cell1']);
  server = await scene.server('cell1');
});
afterEach(() => scene.stop());

const days = (from: number, to: number): { start: string; end: string } => {
  const [start, end] = [from, to].map((day) => `2025-06-${String(day).padStart(2, '0')}`);
  return { start: start ?? '', end: end ?? '' };
};

/** What all drops hold against what the database has of these days. */
async function flaws(from: number, to: number): Promise<object> {
  const [first, last] = [START + (from - 2) * DAY, START + (to - 2) * DAY];
  const truth = (await finishedEvents([scene.cell('cell1')], last)).filter(
    (row) => Date.parse(`${String(row['finish_time'])}Z`) / 1000 >= first,
  );
  expect(truth.length).toBeGreaterThan(50);
  return compareWithTruth(await scene.drops(), truth);
}
const NONE = { onlyInDrops: [], onlyInDatabase: [] };

describe('A backfill day by day has what the server has', () => {
  test('where one controller was two hours ahead for an hour before midnight', async () => {
    for (let minute = 0; minute < 3 * 24 * 60; minute += 10) {
      const isAhead = minute >= 22 * 60 && minute < 23 * 60;
      const start = START + minute * MINUTE + (isAhead ? 2 * HOUR : 0);
      await scene.event('cell1', server, `compute_${minute}`, { start, finish: start + 30 });
    }
    for (const day of [2, 3, 4]) await scene.stage.backfill(days(day, day + 1));
    expect(await flaws(2, 5)).toEqual(NONE);
  });

  test.each([1, 2, 3])('whatever the clocks of the controllers did (seed %i)', async (nth) => {
    const random = seeded(SEED + nth);
    const skew = (): number => (random.chance(0.15) ? random.whole(-30, 30) * HOUR : random.whole(-3, 3));
    // A controller has a wrong clock for a while: most of a run of rows is out of place, and the bisection misled.
    let [ahead, left] = [0, 0];
    for (let n = 0; n < 240; n++) {
      if (left-- <= 0) [ahead, left] = [random.chance(0.3) ? skew() : 0, random.whole(5, 60)];
      const time = START + n * 20 * MINUTE;
      const start = time + (random.chance(0.9) ? ahead : 0);
      const finish = random.chance(0.9)
        ? start + random.whole(0, 600)
        : time + (random.chance(0.5) ? skew() : 0);
      await scene.event('cell1', server, `compute_${n}`, {
        start,
        finish,
        created: random.chance(0.9) ? start : time,
      });
    }
    for (const [from, to] of [
      [2, 3],
      [3, 4],
      [4, 6],
    ] as const)
      await scene.stage.backfill(days(from, to));
    expect(await flaws(2, 6)).toEqual(NONE);
  });
});

test('An event that finishes long before it starts, by two clocks, is in the drop of its finish, in order of start', async () => {
  for (let n = 0; n < 80; n++) {
    const start = START + n * HOUR;
    await scene.event('cell1', server, `compute_${n}`, {
      start,
      finish: n % 5 === 0 ? start - 30 * HOUR : start + 60,
    });
  }
  await scene.stage.backfill(days(1, 5));
  expect(await flaws(1, 5)).toEqual(NONE);
  for (const { rows } of await scene.drops()) {
    const starts = (rows['jsonl'] ?? []).map((row) => String(row['start_time']));
    expect(starts).toEqual(starts.toSorted());
  }
});

test('A plan counts for each range what the server counts, and a worker fails for good where rows have gone since', async () => {
  for (let n = 0; n < 48; n++) {
    const start = START + n * HOUR;
    await scene.event('cell1', server, `compute_${n}`, { start, finish: start + 60 });
  }
  await scene.event('cell1', server, 'compute_open', { start: START + 5 * HOUR });
  const connection = parseDsn(`${scene.cell('cell1').dsn()}?ssl=off`, 'dsn', 'cell1');
  const ranges = [
    { start: START, end: START + DAY },
    { start: START + DAY, end: START + 2 * DAY },
  ];
  await using session = await openCell(connection, new AbortController().signal);
  const plans = await planCell(session, ranges, false);
  expect(plans.map(({ finished, stillOpen }) => ({ finished, stillOpen }))).toEqual([
    { finished: 24, stillOpen: 1 },
    { finished: 24, stillOpen: 0 },
  ]);

  const source = databaseSource(
    { cells: [connection], services: {} },
    {
      retiredCells: new Set(),
      seal: undefined,
      forcedDownDisables: false,
      bareMetal: undefined,
      leaseProperties: [],
    },
  );
  const { signal } = new AbortController();
  const [first, second] = await source.statesAt(ranges, ['instance_events'], signal);
  await scene.cell('cell1').query("DELETE FROM instance_actions_events WHERE event = 'compute_7'");
  await scene.event('cell1', server, 'compute_later', { start: START + 3 * DAY, finish: START + 3 * DAY });
  await using opened = await source.open(signal);
  const read = async (nth: 0 | 1): Promise<number> => {
    const state = [first, second][nth]?.['instance_events'];
    const window = ranges[nth]!;
    const request = {
      window,
      begin: window.start,
      state,
      openHorizonSeconds: DAY,
      settleSeconds: 0,
      whole: true,
    };
    let rows = 0;
    for await (const batch of opened.read('instance_events', request)) rows += batch.rows.length;
    return rows;
  };
  await expect(read(0)).rejects.toMatchObject({
    name: 'HistoryGoneError',
    message: expect.stringContaining('cell cell1: 1 of 24 events of the range were purged since') as string,
  });
  expect(await read(1)).toBe(24);
});
