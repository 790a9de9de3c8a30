/*
 * What formats and the report cost: one daily window of a million events, written in each format with and without the
 * report. `npm run bench -- formats`; another size may be given: `npm run bench -- formats 100000`.
 */
import { filesOf } from '../../lib/drop/manifest.ts';
import { DAY, MINUTE } from '../../lib/core/time.ts';
import { readDrops } from '../support/drops.ts';
import { startMariaDb } from '../support/mariadb/index.ts';
import { fillHistory } from '../support/nova/bulk-history.ts';
import { createCell } from '../support/nova/schema.ts';
import { startStage } from '../support/stage.ts';
import { type Cost, bundledHandler, invokeOnce, median, table } from './subject.ts';

const ROUNDS = 3;
const START = Date.UTC(2026, 9, 1) / 1000;
const size = Number(process.argv[2] ?? 1_000_000);

const VARIANTS = [
  { formats: 'csv', report: 'false' },
  { formats: 'csv', report: 'true' },
  { formats: 'jsonl', report: 'false' },
  { formats: 'jsonl', report: 'true' },
  { formats: 'parquet', report: 'false' },
  { formats: 'parquet', report: 'true' },
  { formats: 'csv,jsonl,parquet', report: 'true' },
];

const handler = await bundledHandler();
const db = await startMariaDb({ bufferPool: '512M' });
try {
  const cell = await createCell(db, 'bench');
  await fillHistory(cell, { events: 1000, start: START, days: 1, window: { events: size } });
  const costs = VARIANTS.map((): Cost[] => []);
  const bytes = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [nth, { formats, report }] of VARIANTS.entries()) {
      const stage = await startStage({ env: { STAR_FORMATS: formats, STAR_REPORT: report } });
      await stage.setSecret(`${cell.dsn()}?ssl=off`);
      const cost = await invokeOnce(stage, handler, START + 2 * DAY + 45 * MINUTE);
      if (cost.rows !== size) throw new Error(`${cost.rows} rows of ${size}: ${cost.status}`);
      costs[nth]?.push(cost);
      const [drop] = round === 0 ? await readDrops(stage.client, '', { rows: false }) : [];
      for (const file of drop === undefined ? [] : filesOf(drop.manifest)) bytes.set(file.format, file.bytes);
      await stage.stop();
    }
  }
  const of = (nth: number, pick: (cost: Cost) => number): number => median((costs[nth] ?? []).map(pick));
  const base = of(0, ({ cpuSeconds }) => cpuSeconds);
  console.log(`${size} events; medians of ${ROUNDS} runs, one process each`);
  console.log(
    table(
      VARIANTS.map(({ formats, report }, nth) => ({
        formats,
        report,
        'CPU s': of(nth, ({ cpuSeconds }) => cpuSeconds).toFixed(2),
        ratio: (of(nth, ({ cpuSeconds }) => cpuSeconds) / base).toFixed(2),
        'peak MiB': of(nth, ({ peakMiB }) => peakMiB).toFixed(1),
        'bytes/event': formats
          .split(',')
          .map((format) => ((bytes.get(format) ?? Number.NaN) / size).toFixed(1))
          .join(' '),
      })),
    ),
  );
} finally {
  await db.stop();
}
