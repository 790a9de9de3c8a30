/*
 * Peak memory of one daily window of 10 thousand, 100 thousand and 1 million events: it should be flat.
 * `npm run bench -- memory`; sizes may be given: `npm run bench -- memory 10000 5000000`.
 */
import { DAY, MINUTE } from '../../lib/core/time.ts';
import { startMariaDb } from '../support/mariadb/index.ts';
import { fillHistory } from '../support/nova/bulk-history.ts';
import { type Cell, createCell } from '../support/nova/schema.ts';
import { startStage } from '../support/stage.ts';
import { type Cost, bundledHandler, invokeOnce, median, table } from './subject.ts';

const ROUNDS = 5;
const START = Date.UTC(2026, 9, 1) / 1000;
const given = process.argv.slice(2).map(Number);
const sizes = given.length > 0 ? given : [10_000, 100_000, 1_000_000];

const handler = await bundledHandler();
const db = await startMariaDb({ bufferPool: '512M' });
try {
  const cells: [size: number, cell: Cell][] = [];
  for (const size of sizes) {
    const cell = await createCell(db, `of_${size}`);
    await fillHistory(cell, { events: 1000, start: START, days: 1, window: { events: size } });
    cells.push([size, cell]);
  }
  const costs = new Map<number, Cost[]>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [size, cell] of cells) {
      const stage = await startStage();
      await stage.setSecret(`${cell.dsn()}?ssl=off`);
      const cost = await invokeOnce(stage, handler, START + 2 * DAY + 45 * MINUTE);
      if (cost.rows !== size) throw new Error(`${cost.rows} rows of ${size}: ${cost.status}`);
      costs.set(size, [...(costs.get(size) ?? []), cost]);
      await stage.stop();
    }
  }
  const of = (size: number, pick: (cost: Cost) => number): number =>
    median((costs.get(size) ?? []).map(pick));
  const least = of(sizes[0] ?? 0, ({ peakMiB }) => peakMiB);
  console.log(`medians of ${ROUNDS} runs, one process each`);
  console.log(
    table(
      sizes.map((size) => ({
        events: size,
        'peak MiB': of(size, ({ peakMiB }) => peakMiB).toFixed(1),
        ratio: (of(size, ({ peakMiB }) => peakMiB) / least).toFixed(2),
        'CPU s': of(size, ({ cpuSeconds }) => cpuSeconds).toFixed(2),
        'wall s': of(size, ({ wallSeconds }) => wallSeconds).toFixed(2),
        'bytes/event': (of(size, ({ bytes }) => bytes) / size).toFixed(1),
      })),
    ),
  );
} finally {
  await db.stop();
}
