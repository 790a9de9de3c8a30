/*
 * Peak memory of one daily window of 1, 5 and 20 million events, with the report: it should be flat. What does not fit is
 * in the temporary folder. `npm run bench -- memory`; sizes may be given: `npm run bench -- memory 10000 1000000`. The
 * largest history takes 10 GB of disk and half an hour to make.
 */
import { DAY, MINUTE } from '../../lib/core/time.ts';
import { startMariaDb } from '../support/mariadb/index.ts';
import { fillHistory } from '../support/nova/bulk-history.ts';
import { createCell } from '../support/nova/schema.ts';
import { startStage } from '../support/stage.ts';
import { type Cost, bundledHandler, invokeOnce, median, table } from './subject.ts';
import { watchTemporary } from './temporary.ts';

const ROUNDS = 3;
const START = Date.UTC(2026, 9, 1) / 1000;
const given = process.argv.slice(2).map(Number);
const sizes = given.length > 0 ? given : [1_000_000, 5_000_000, 20_000_000];

type Measured = Cost & { readonly temporaryBytes: number };

const handler = await bundledHandler();
const db = await startMariaDb({ bufferPool: '1G', redoLog: '256M' });
try {
  const measured: { size: number; runs: Measured[] }[] = [];
  for (const size of sizes) {
    const cell = await createCell(db, `of_${size}`);
    await fillHistory(cell, { events: 1000, start: START, days: 1, window: { events: size } });
    process.stderr.write(`${size} events made\n`);
    const runs: Measured[] = [];
    for (let round = 0; round < ROUNDS; round++) runs.push(await measure(`${cell.dsn()}?ssl=off`, size));
    measured.push({ size, runs });
  }
  const least = median(measured[0]?.runs.map(({ peakMiB }) => peakMiB) ?? []);
  console.log(`medians of ${ROUNDS} runs, one process each, with the report`);
  console.log(
    table(
      measured.map(({ size, runs }) => {
        const of = (pick: (run: Measured) => number): number => median(runs.map(pick));
        return {
          events: size,
          'peak MiB': of(({ peakMiB }) => peakMiB).toFixed(1),
          ratio: (of(({ peakMiB }) => peakMiB) / least).toFixed(2),
          'temporary MB': (of(({ temporaryBytes }) => temporaryBytes) / 1e6).toFixed(1),
          'CPU s': of(({ cpuSeconds }) => cpuSeconds).toFixed(2),
          'wall s': of(({ wallSeconds }) => wallSeconds).toFixed(2),
          'bytes/event': (of(({ bytes }) => bytes) / size).toFixed(1),
        };
      }),
    ),
  );
} finally {
  await db.stop();
}

async function measure(dsn: string, size: number): Promise<Measured> {
  const stage = await startStage();
  const ended = new AbortController();
  try {
    await stage.setSecret(dsn);
    let temporary = Promise.resolve(0);
    const cost = await invokeOnce(stage, handler, START + 2 * DAY + 45 * MINUTE, (pid) => {
      temporary = watchTemporary(pid, ended.signal);
    });
    ended.abort();
    if (cost.rows !== size) throw new Error(`${cost.rows} rows of ${size}: ${cost.status}`);
    return { ...cost, temporaryBytes: await temporary };
  } finally {
    ended.abort();
    await stage.stop();
  }
}
