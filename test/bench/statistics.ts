/*
 * What the figures of the report cost for one million rows: time a row, and memory at the end of the drop, where all
 * its instances are still held. `node --expose-gc test/bench/statistics.ts`; the number of rows may be given.
 */
import { createMask } from '../../lib/mask/mask.ts';
import { eventMasker } from '../../lib/mask/mask-event.ts';
import { collectStatistics } from '../../lib/report/statistics.ts';
import { EVENTS } from '../support/nova/bulk-pattern.ts';
import { busyDay } from '../support/report/days.ts';

const rows = Number(process.argv[2] ?? 1_000_000);
const { window, events } = busyDay(Date.UTC(2026, 10, 20) / 1000, Math.ceil(rows / EVENTS));
const masked = events.map(eventMasker(createMask('sha2-salted', Buffer.alloc(32, 1)), 'event'));

const usedMiB = (): number => {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 2 ** 20;
};

// What is kept stays in the way of the collection of rubbish, so that the difference is what one drop keeps.
const kept: unknown[] = [];

function measure(): string {
  const before = usedMiB();
  const collector = collectStatistics(window);
  kept.push(collector);
  const start = performance.now();
  for (const event of masked) collector.add(event);
  const added = performance.now();
  const { privacy, ...statistics } = collector.finish();
  const finished = performance.now();
  return [
    `${statistics.rows} rows`,
    `${(((added - start) * 1e6) / masked.length).toFixed(0)} ns a row`,
    `${(finished - added).toFixed(1)} ms to finish`,
    `${(usedMiB() - before).toFixed(1)} MiB`,
    `${privacy.distinct.instances} instances`,
    `${privacy.classes.count} classes`,
  ].join(', ');
}

for (let round = 0; round < 5; round++) console.log(measure());
