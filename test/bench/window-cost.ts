/*
 * What one daily window costs after a short and after a long history, with as many events again in the shadow
 * tables: it should be the same. `npm run bench -- window-cost`; sizes may be given: `npm run bench -- window-cost 100000 1000000`.
 * The server's own counters tell what was read; they do not depend on the machine, nor on what else it does.
 * Below 600,000 events a history is shorter than the 30 days for which open events are carried, and so carries
 * fewer.
 */
import { rm } from 'node:fs/promises';
import { startMariaDb } from '../support/mariadb/index.ts';
import {
  type History,
  type Measured,
  archiveSome,
  createHistory,
  runDayBefore,
  runWindow,
} from './history.ts';
import { totalOf } from './reads.ts';
import { bundledHandler, median, table } from './subject.ts';

const ROUNDS = 5;
const WINDOW = { start: Date.UTC(2026, 9, 1) / 1000, events: 20_000 };
const ARCHIVED = 300;
/** A bisection of a history five times as long takes two steps more; anything beyond is a scan. */
const MAY_GROW = 1.05;
const given = process.argv.slice(2).map(Number);
const sizes = given.length > 0 ? given : [1_000_000, 5_000_000];

const runs: { run: string; history: History; measured: Measured[] }[] = [];
const say = (text: string): void => void process.stderr.write(`${text}\n`);

const handler = await bundledHandler();
const db = await startMariaDb({ bufferPool: '1G', redoLog: '256M' });
const histories: History[] = [];
try {
  for (const size of sizes) {
    const started = performance.now();
    const history = await createHistory(db, size, WINDOW);
    histories.push(history);
    say(`history of ${size} events made in ${((performance.now() - started) / 1000).toFixed()} s`);
  }
  for (const history of histories) {
    runs.push({ run: 'first ever', history, measured: [await runDayBefore(history, handler)] });
  }
  await measureWindow('daily window');
  for (const history of histories) await archiveSome(history, ARCHIVED);
  say(`${ARCHIVED} servers archived in each`);
  await measureWindow(`${ARCHIVED} archived`);
  report();
} finally {
  for (const { folder } of histories) await rm(folder, { recursive: true, force: true });
  await db.stop();
}

/** The sizes take turns, so that what else the machine does hits all alike. */
async function measureWindow(run: string): Promise<void> {
  const lines = histories.map((history) => ({ run, history, measured: [] as Measured[] }));
  for (let round = 1; round <= ROUNDS; round++) {
    for (const { history, measured } of lines) measured.push(await runWindow(history, handler));
    say(`${run}: round ${round} of ${ROUNDS}`);
  }
  runs.push(...lines);
}

function report(): void {
  const lines = runs.map(({ run, history, measured }) => {
    const of = (pick: (one: Measured) => number): number => median(measured.map(pick));
    return {
      run,
      history,
      rows: of(({ rows }) => rows),
      reads: of(({ reads }) => totalOf(reads)),
      counter: (name: string) => of(({ reads }) => reads.get(name) ?? 0),
      peak: of(({ peakMiB }) => peakMiB),
      cpu: of(({ cpuSeconds }) => cpuSeconds),
      wall: of(({ wallSeconds }) => wallSeconds),
    };
  });
  const names = [...(runs[0]?.measured[0]?.reads.keys() ?? [])];
  const counted = names.filter((name) => lines.some(({ counter }) => counter(name) !== 0));
  const least = new Map(lines.toReversed().map((line) => [line.run, line]));
  const ratio = (line: (typeof lines)[number], key: 'reads' | 'cpu' | 'wall'): string =>
    (line[key] / (least.get(line.run)?.[key] ?? Number.NaN)).toFixed(2);

  console.log(`medians of ${ROUNDS} runs, one process each; ratios to the first history`);
  console.log(
    table(
      lines.map((line) => ({
        live: line.history.events + line.history.windowEvents,
        shadow: line.history.shadowEvents,
        run: line.run,
        rows: line.rows,
        ...Object.fromEntries(counted.map((name) => [name.replace('Handler_', ''), line.counter(name)])),
        'all reads': line.reads,
        ratio: ratio(line, 'reads'),
        'peak MiB': line.peak.toFixed(),
        'CPU s': line.cpu.toFixed(2),
        'CPU ratio': ratio(line, 'cpu'),
        'wall s': line.wall.toFixed(2),
        'wall ratio': ratio(line, 'wall'),
      })),
    ),
  );
  const grown = lines.filter((line) => line.run !== 'first ever' && Number(ratio(line, 'reads')) > MAY_GROW);
  for (const { run, history } of grown) say(`${run}: reads grow with the history (${history.cell.name})`);
  if (grown.length > 0) process.exitCode = 1;
}
