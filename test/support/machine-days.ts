import { expect } from 'vitest';
import { DAY, HOUR } from '../../lib/core/time.ts';
import type { ScheduleSummary } from '../../lib/schedule/summary.ts';
import type { RequestHook } from './aws/faults.ts';
import type { Drop } from './drops.ts';
import type { MariaDb } from './mariadb/index.ts';
import { hostsOf } from './nova/hosts.ts';
import { type Scene, at, startScene } from './nova/scene.ts';
import type { RequestRecord } from './s3/server.ts';

const START = at('02 00:00');

/** A cloud whose hosts change every day, and the function beside it, with the tables of machines on. */
export interface MachineDays {
  readonly scene: Scene;
  /** What S3 does before it looks at a request. */
  onS3Request: RequestHook<RequestRecord> | undefined;
  /** Lets the next day pass: 1, 2, … */
  live(): Promise<number>;
  /** Publishes the day that has passed last. */
  run(): Promise<ScheduleSummary>;
  readonly passed: () => number;
}

export async function startMachineDays(db: MariaDb): Promise<MachineDays> {
  const scene = await startScene(db, ['cell1'], {
    env: { STAR_TABLES: 'instance_events,instances,machines,machine_events', STAR_REPORT: 'true' },
    onS3Request: (request) => days.onS3Request?.(request),
  });
  const hosts = hostsOf(scene.cell('cell1'));
  let day = 0;
  const days: MachineDays = {
    scene,
    onS3Request: undefined,
    /**
     * A host comes at noon, and the one of the day before goes an hour later. One that stays grows, and is enabled or
     * disabled, of which no time is recorded.
     */
    async live() {
      day++;
      const midnight = START + day * DAY;
      await hosts.add(`cmp-${day}`, midnight + 12 * HOUR);
      await hosts.remove(`cmp-${day - 1}`, midnight + 13 * HOUR);
      await hosts.resize('stays', 64 + day, midnight + 14 * HOUR);
      await hosts[day % 2 === 1 ? 'disable' : 'enable']('stays', midnight + 15 * HOUR);
      await hosts.beat('stays', midnight + 16 * HOUR);
      if (day % 3 === 0) await hosts.archive();
      if (isPurged(day)) await hosts.purge();
      return day;
    },
    run: () => scene.run(START + (day + 1) * DAY + 45 * 60),
    passed: () => day,
  };
  await hosts.add('cmp-0', START - DAY);
  await hosts.add('stays', START - DAY);
  await days.run();
  return days;
}

/** Each day has its own events, once; and each snapshot is the state before, with the day's events. */
export async function expectExactlyOnce({ scene, passed }: MachineDays): Promise<void> {
  const drops = await scene.drops();
  expect(drops).toHaveLength(passed() + 1);
  for (const [nth, drop] of drops.entries()) if (nth > 0) expectDay(nth, drop);
}

/** A host that was purged before its window was read is gone without a name. */
const isPurged = (day: number): boolean => day % 6 === 0;

function expectDay(day: number, { manifest, tables }: Drop): void {
  const rowsOf = (table: string) => tables[table]?.['jsonl'] ?? [];
  expect(manifest.tables['machine_events']?.counts.skipped['vanished'] ?? 0).toBe(isPurged(day) ? 1 : 0);
  const told = rowsOf('machine_events').map((row) => `${String(row['event'])} ${String(row['host'])}`);
  // The times of those that are bounded are of the reads.
  expect(told.toSorted()).toEqual(
    [
      `CREATE cmp-${day}`,
      `ENABLE cmp-${day}`,
      ...(isPurged(day) ? [] : [`DELETE cmp-${day - 1}`]),
      ...(day % 2 === 1 ? ['UPDATE stays', 'DISABLE stays'] : ['ENABLE stays', 'UPDATE stays']),
    ].toSorted(),
  );
  const there = rowsOf('machines').map((row) =>
    [row['host'], row['vcpus'], row['enabled'] === true ? 'enabled' : 'disabled'].join(' '),
  );
  expect(there.toSorted()).toEqual(
    [
      ...(isPurged(day) ? [] : [`cmp-${day - 1} 64 enabled`]),
      `cmp-${day} 64 enabled`,
      `stays ${64 + day} ${day % 2 === 1 ? 'disabled' : 'enabled'}`,
    ].toSorted(),
  );
}
