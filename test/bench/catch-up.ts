/*
 * What an event costs to read when days are caught up, with two cells: it should be the same after one missed day and
 * after twenty. `npm run bench -- catch-up`; days may be given: `npm run bench -- catch-up 1 5 20`. The server's own
 * counters tell what was read; they do not depend on the machine, nor on what else it does.
 */
import { DAY, MINUTE } from '../../lib/core/time.ts';
import { startMariaDb } from '../support/mariadb/index.ts';
import { fillHistory } from '../support/nova/bulk-history.ts';
import { createCell } from '../support/nova/schema.ts';
import { startStage } from '../support/stage.ts';
import { readsOf, totalOf } from './reads.ts';
import { table } from './subject.ts';

const EVENTS_A_DAY = 2000;
const START = Date.UTC(2026, 8, 1) / 1000;
/** What lies around the events of a window is read as well, and counts for less where there are more windows. */
const MAY_GROW = 1.1;

const given = process.argv.slice(2).map(Number);
const missed = given.length > 0 ? given : [1, 5, 20];
const db = await startMariaDb({ bufferPool: '256M' });
const lines: { days: number; rows: number; reads: number; perEvent: number }[] = [];
try {
  const last = Math.max(...missed);
  const cells = [await createCell(db, 'cell1'), await createCell(db, 'cell2')];
  for (const cell of cells)
    await fillHistory(cell, {
      events: EVENTS_A_DAY * (last + 2),
      start: START,
      days: last + 2,
      shadow: true,
    });
  for (const days of missed) {
    const stage = await startStage({ env: { STAR_FORMATS: 'csv', STAR_REPORT: 'false' } });
    const dsns = Object.fromEntries(cells.map((cell) => [cell.name, cell.dsn()]));
    await stage.setSecret(JSON.stringify({ cells: dsns, ssl: 'off' }));
    const run = (day: number): ReturnType<typeof stage.run> => stage.run(START + day * DAY + 45 * MINUTE);
    await run(1);
    let rows = 0;
    const reads = totalOf(
      await readsOf(db, async () => {
        ({ rows } = await run(1 + days));
      }),
    );
    lines.push({ days, rows, reads, perEvent: reads / rows });
    await stage.stop();
  }
} finally {
  await db.stop();
}

const least = lines[0]?.perEvent ?? Number.NaN;
console.log(`two cells, ${EVENTS_A_DAY} live and as many archived events a day in each`);
console.log(
  table(
    lines.map(({ days, rows, reads, perEvent }) => ({
      'days caught up': days,
      rows,
      reads,
      'reads per event': perEvent.toFixed(2),
      ratio: (perEvent / least).toFixed(2),
    })),
  ),
);
if (lines.some(({ perEvent }) => perEvent > least * MAY_GROW)) {
  process.stderr.write('catch-up: reads per event grow with the days that are caught up\n');
  process.exitCode = 1;
}
