import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DAY, MINUTE } from '../../lib/core/time.ts';
import type { Drop } from '../support/drops.ts';
import { type MariaDb, useMariaDb } from '../support/mariadb/index.ts';
import { replay } from '../support/nova/history.ts';
import { seeded } from '../support/nova/prng.ts';
import { randomHistory } from '../support/nova/random-history.ts';
import type { ServerPlan } from '../support/nova/random-plan.ts';
import { type Scene, startScene } from '../support/nova/scene.ts';

/*
 * What one drop tells of a moment, against what the generator of the cloud planned before it made any row. A server that
 * was resized is excepted and counted: its row has the last size only.
 */

const SEED = Number(process.env['TEST_SEED'] ?? 20_261_130);
const START = Date.UTC(2026, 9, 1) / 1000;
const DAYS = 30;

const history = randomHistory({ seed: SEED, start: START, days: DAYS, eventsPerDay: 120 });
const resized = new Set(
  history.servers
    .filter(({ actions }) => actions.some(({ name }) => name === 'resize'))
    .map(({ uuid }) => uuid),
);

let db: MariaDb;
let scene: Scene;
let drops: Drop[];

beforeAll(async () => {
  db = await useMariaDb();
  const env = { STAR_TABLES: 'instances', STAR_REPORT: 'false' };
  scene = await startScene(db, ['cell1', 'cell0'], { env });
  const cloud = replay([scene.cell('cell1'), scene.cell('cell0')], history.changes);
  for (let day = 1; day <= DAYS; day++) {
    const morning = START + day * DAY + 45 * MINUTE;
    await cloud.applyUntil(morning);
    await scene.run(morning);
  }
  drops = await scene.drops();
});
afterAll(async () => {
  await scene.stop();
  await db.stop();
});

/** Servers with a host, from the second in which they were asked for to the second in which they were deleted. */
const plannedAt = (time: number): ServerPlan[] =>
  history.servers.filter(
    ({ created, deleted, host }) =>
      host !== null && Math.floor(created) <= time && Math.floor(deleted ?? Infinity) > time,
  );

/** vCPUs by one drop alone, and how many servers of it were resized at some time, and do not count. */
function allocatedAt(time: number): { vcpus: number; excepted: number } {
  const drop = drops[Math.floor((time - START) / DAY)];
  const seconds = (value: unknown): number | null =>
    typeof value === 'string' ? Date.parse(value) / 1000 : null;
  const there = (drop?.tables['instances']?.['jsonl'] ?? []).filter(
    (row) =>
      row['host'] !== null &&
      row['state'] !== 'shelved_offloaded' &&
      (seconds(row['created_time']) ?? 0) <= time &&
      (seconds(row['deleted_time']) ?? Infinity) > time,
  );
  const counted = there.filter(({ uuid }) => !resized.has(String(uuid)));
  return {
    vcpus: counted.reduce((sum, row) => sum + Number(row['vcpus']), 0),
    excepted: there.length - counted.length,
  };
}

describe('A month of a made-up cloud', () => {
  test('has a drop for each of its days', () => {
    expect(drops).toHaveLength(DAYS);
  });

  test('at 100 random minutes allocates by one drop alone what its generator planned', () => {
    const random = seeded(SEED);
    const minutes = Array.from({ length: 100 }, () => START + random.whole(0, DAYS * 24 * 60 - 1) * MINUTE);
    const [planned, told] = [[], []] as [object[], object[]];
    let [excepted, servers, oldest] = [0, 0, 0];
    for (const time of minutes) {
      const there = plannedAt(time);
      const counted = there.filter(({ uuid }) => !resized.has(uuid));
      const vcpus = counted.reduce((sum, { flavour }) => sum + flavour.vcpus, 0);
      planned.push({ time, vcpus, excepted: there.length - counted.length });
      told.push({ time, ...allocatedAt(time) });
      excepted += there.length - counted.length;
      servers += counted.length;
      oldest = Math.max(oldest, ...counted.map(({ created }) => time - created));
    }
    expect(told).toEqual(planned);
    // It is no month of nothing: servers of all ages, and some that are excepted.
    expect(servers).toBeGreaterThan(5000);
    expect(excepted).toBeGreaterThan(0);
    expect(excepted).toBeLessThan(servers / 5);
    expect(oldest).toBeGreaterThan(20 * DAY);
  });
});
