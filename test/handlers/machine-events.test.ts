import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DAY, HOUR } from '../../lib/core/time.ts';
import type { RequestHook } from '../support/aws/faults.ts';
import type { Drop } from '../support/drops.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/index.ts';
import { type Hosts, hostsOf } from '../support/nova/hosts.ts';
import { type Scene, at, startScene } from '../support/nova/scene.ts';
import type { RequestRecord } from '../support/s3/server.ts';

const START = at('02 00:00');
const runOf = (day: number): number => START + (day + 1) * DAY + 45 * 60;

let db: MariaDb;
let scene: Scene;
let hosts: Hosts;
let onS3Request: RequestHook<RequestRecord> | undefined;

beforeAll(async () => {
  db = await startMariaDb();
});
afterAll(() => db.stop());
beforeEach(async () => {
  onS3Request = undefined;
  scene = await startScene(db, ['cell1'], {
    env: { STAR_TABLES: 'instance_events,instances,machines,machine_events' },
    onS3Request: (request) => onS3Request?.(request),
  });
  hosts = hostsOf(scene.cell('cell1'));
  await hosts.add('cmp-0', START - DAY);
  await scene.run(runOf(0));
});
afterEach(() => scene.stop());

/** On each day a host comes at noon, and the one of the day before goes an hour later. */
async function live(day: number): Promise<void> {
  await hosts.add(`cmp-${day}`, START + day * DAY + 12 * HOUR);
  await hosts.remove(`cmp-${day - 1}`, START + day * DAY + 13 * HOUR);
  if (day % 3 === 0) await hosts.archive();
  if (day % 6 === 0) await hosts.purge();
}

const rowsOf = (drop: Drop | undefined, table: string) => drop?.tables[table]?.['jsonl'] ?? [];

/** Each day has its own events, once; and each snapshot is the state before, with the day's events. */
async function expectExactlyOnce(days: number): Promise<void> {
  const drops = await scene.drops();
  expect(drops).toHaveLength(days + 1);
  const vanished: number[] = [];
  for (const [day, drop] of drops.entries()) {
    if (day === 0) continue;
    const told = rowsOf(drop, 'machine_events').map(
      (row) => `${String(row['event'])} ${String(row['host'])}`,
    );
    // A host that was purged before its window was read is gone without a name.
    const isPurged = day % 6 === 0;
    vanished.push(drop.manifest.tables['machine_events']?.counts.skipped['vanished'] ?? 0);
    expect(vanished.at(-1)).toBe(isPurged ? 1 : 0);
    expect(told).toEqual([
      `CREATE cmp-${day}`,
      `ENABLE cmp-${day}`,
      ...(isPurged ? [] : [`DELETE cmp-${day - 1}`]),
    ]);
    const there = rowsOf(drop, 'machines').map(({ host }) => String(host));
    expect(there.toSorted((a, b) => a.localeCompare(b))).toEqual(
      [...(isPurged ? [] : [`cmp-${day - 1}`]), `cmp-${day}`].toSorted((a, b) => a.localeCompare(b)),
    );
  }
}

describe('Machine events', () => {
  test('are each in one drop, whichever write of a run the store refuses, and after archive and purge', async () => {
    let refusals = 0;
    let day = 1;
    // One write further on each day, until a run has none left to refuse.
    for (let isRefused = true; isRefused; day++) {
      await live(day);
      let writes = 0;
      isRefused = false;
      const refuseAt = day;
      onS3Request = ({ operation }) => {
        if (operation !== 'PutObject' || ++writes !== refuseAt) return undefined;
        isRefused = true;
        return { status: 403, code: 'AccessDenied' };
      };
      await scene.run(runOf(day)).catch(() => undefined);
      onS3Request = undefined;
      if (isRefused) refusals++;
      await scene.run(runOf(day));
    }
    expect(refusals).toBeGreaterThan(5);
    await expectExactlyOnce(day - 1);
  }, 240_000);

  test('are each in one drop with two runs at once', async () => {
    for (let day = 1; day <= 4; day++) {
      await live(day);
      await Promise.allSettled([scene.run(runOf(day)), scene.run(runOf(day))]);
      await scene.run(runOf(day));
    }
    await expectExactlyOnce(4);
  }, 120_000);
});
