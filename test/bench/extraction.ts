/*
 * What it costs to take a day's events out of a database into S3, masked, in order and compressed, against yardsticks
 * on the same rows: `npm run bench`. The database and S3 run beside it and are not counted. The subjects take turns,
 * so that what else the machine does hits all alike. `npm run bench -- extraction --events 5000000 --rounds 3`; with
 * `--alone` the yardsticks are left out. `--cost` asks what days of several sizes cost on Lambda instead (cost.ts).
 */
import { parseArgs } from 'node:util';
import { DAY, MINUTE } from '../../lib/core/time.ts';
import { startMariaDb } from '../support/mariadb/index.ts';
import { fillHistory } from '../support/nova/bulk-history.ts';
import { type Cell, createCell } from '../support/nova/schema.ts';
import { startStage } from '../support/stage.ts';
import { reportCost } from './cost.ts';
import { costOf } from './process-cost.ts';
import { type Cost, bundledHandler, invocation, median, table } from './subject.ts';
import { YARDSTICK, yardsticks } from './yardsticks.ts';

const START = Date.UTC(2026, 9, 1) / 1000;

/** One run of one subject. */
export interface Run {
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
  readonly peakMiB: number;
  readonly bytes: number;
  /** Of ours: the process until the handler is loaded. */
  readonly startCpuSeconds?: number;
  /** Of ours: requests to S3, by operation. */
  readonly requests?: readonly string[];
}

/** Each with the report and without. */
const OURS = [
  { what: 'CSV, gzip', env: { STAR_FORMATS: 'csv', STAR_COMPRESSION: 'gzip' } },
  { what: 'CSV, zstd', env: { STAR_FORMATS: 'csv', STAR_COMPRESSION: 'zstd' } },
  { what: 'Parquet', env: { STAR_FORMATS: 'parquet' } },
];

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '5' },
    alone: { type: 'boolean', default: false },
    cost: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const say = (text: string): void => void process.stderr.write(`${text}\n`);

const handler = await bundledHandler();
const db = await startMariaDb({ bufferPool: '1G', redoLog: '256M' });
try {
  if (values.cost) await measureCost([10_000, 100_000, 1_000_000]);
  else await compare(Number(values.events));
} finally {
  await db.stop();
}

async function compare(events: number): Promise<void> {
  const { cell, window } = await makeDay(events);
  const ours = OURS.flatMap(({ what, env }) =>
    ['false', 'true'].map((report) => ({
      what: report === 'true' ? `${what}, report` : what,
      run: () => runOurs(cell, events, { ...env, STAR_REPORT: report }),
    })),
  );
  const subjects: { what: string; run: () => Promise<Run> }[] = [
    ...ours,
    ...(values.alone ? [] : await yardsticks(cell, window, events)),
  ];
  const runs = subjects.map((): Run[] => []);
  for (let round = 1; round <= rounds; round++) {
    for (const [nth, { run }] of subjects.entries()) runs[nth]?.push(await run());
    say(`round ${round} of ${rounds}`);
  }
  const cpu = (nth: number): number => median((runs[nth] ?? []).map(({ cpuSeconds }) => cpuSeconds));
  const yardstick = Math.max(
    0,
    subjects.findIndex(({ what }) => what === YARDSTICK),
  );
  console.log(
    `${events} events, medians of ${rounds} rounds; ratio: CPU to that of ${subjects[yardstick]?.what}`,
  );
  console.log(
    table(
      subjects.map(({ what }, nth) => {
        const of = (pick: (run: Run) => number): number[] => (runs[nth] ?? []).map(pick);
        return {
          '': what.padEnd(26),
          'CPU s': cpu(nth).toFixed(2),
          spread: spread(of(({ cpuSeconds }) => cpuSeconds)),
          ratio: (cpu(nth) / cpu(yardstick)).toFixed(2),
          'wall s': median(of(({ wallSeconds }) => wallSeconds)).toFixed(2),
          'peak MiB': median(of(({ peakMiB }) => peakMiB)).toFixed(),
          'bytes/event': (median(of(({ bytes }) => bytes)) / events).toFixed(1).replace(/^0.0$/, ''),
        };
      }),
    ),
  );
  const start = median((runs[0] ?? []).map(({ startCpuSeconds = 0 }) => startCpuSeconds));
  console.log(`of ours, ${start.toFixed(2)} s are the start of Node.js and the load of the handler`);
}

async function measureCost(sizes: readonly number[]): Promise<void> {
  const days: { events: number; cell: Cell; runs: Run[] }[] = [];
  for (const events of sizes) days.push({ events, cell: (await makeDay(events)).cell, runs: [] });
  for (let round = 1; round <= rounds; round++) {
    for (const { events, cell, runs } of days) runs.push(await runOurs(cell, events));
    say(`round ${round} of ${rounds}`);
  }
  reportCost(days, rounds);
}

async function makeDay(events: number) {
  const cell = await createCell(db, `of_${events}`);
  const filled = await fillHistory(cell, { events: 1000, start: START, days: 1, window: { events } });
  say(`${cell.database}: ${filled.windowEvents} events made`);
  return { cell, window: filled.window };
}

/** The scheduled function as on Lambda: bundled, in a process of its own, from its cold start to its end. */
async function runOurs(cell: Cell, events: number, settings: Record<string, string> = {}): Promise<Run> {
  const stage = await startStage({ env: settings });
  try {
    await stage.setSecret(`${cell.dsn()}?ssl=off`);
    const { program, args, env } = invocation(stage, handler, START + 2 * DAY + 45 * MINUTE);
    const command = [program, ...args].map((word) => `'${word}'`).join(' ');
    const { stdout, ...cost } = await costOf(command, env);
    const { rows, status, bytes, peakMiB, startCpuSeconds } = JSON.parse(stdout) as Cost;
    if (rows !== events) throw new Error(`${rows} rows of ${events}: ${status}`);
    const requests = stage.s3.requests().map(({ operation }) => operation);
    return { ...cost, peakMiB, bytes, startCpuSeconds, requests };
  } finally {
    await stage.stop();
  }
}

function spread(of: readonly number[]): string {
  return `${Math.min(...of).toFixed(2)}–${Math.max(...of).toFixed(2)}`;
}
