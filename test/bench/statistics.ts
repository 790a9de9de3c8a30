/*
 * What the figures of the report cost for one million rows: processor time a row, and memory at the end of the drop, where all
 * its instances are still held. `npm run bench -- statistics`; the number of rows may be given.
 */
import { collectStatistics } from '../../lib/report/statistics.ts';
import { instanceEvents } from '../../lib/tables/instance-events/table.ts';
import { createMask } from '../../lib/transform/mask.ts';
import { openTransform } from '../../lib/transform/transform.ts';
import { EVENTS } from '../support/nova/bulk-pattern.ts';
import { busyDay } from '../support/report/days.ts';

const BATCH = 1000;
const rows = Number(process.argv[2] ?? 1_000_000);
const { window, events } = busyDay(Date.UTC(2026, 10, 20) / 1000, Math.ceil(rows / EVENTS));
const transform = openTransform(
  instanceEvents,
  { hostFrom: 'event', excludeUsers: new Set(), excludeProjects: new Set() },
  createMask('sha2-salted', Buffer.alloc(32, 1)),
);
/** Instances are masked once, and all of them held, as by a source that looks each up once. */
const instances = new Set(transform.apply(events).map(({ instance }) => instance));

const usedMiB = (): number => {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 2 ** 20;
};

// What is kept stays in the way of the collection of rubbish, so that the difference is what one drop keeps.
const kept: unknown[] = [instances];

function measure(): string {
  const before = usedMiB();
  const collector = collectStatistics(window);
  kept.push(collector);
  let microseconds = 0;
  const timed = <T>(work: () => T): T => {
    const start = process.cpuUsage();
    const result = work();
    const { user, system } = process.cpuUsage(start);
    microseconds += user + system;
    return result;
  };
  for (let at = 0; at < events.length; at += BATCH) {
    const batch = transform.apply(events.slice(at, at + BATCH));
    timed(() => {
      for (const event of batch) collector.add(event);
    });
  }
  const perRow = microseconds / events.length;
  microseconds = 0;
  const { privacy, ...statistics } = timed(() => collector.finish());
  return [
    `${statistics.rows} rows`,
    `${perRow.toFixed(2)} µs of CPU a row`,
    `${(microseconds / 1000).toFixed(1)} ms to finish`,
    `${(usedMiB() - before).toFixed(1)} MiB`,
    `${privacy.distinct.instances} instances`,
    `${privacy.classes.count} classes`,
  ].join(', ');
}

for (let round = 0; round < 5; round++) console.log(measure());
