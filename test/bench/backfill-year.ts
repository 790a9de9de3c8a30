/*
 * A year of a cloud, half of it archived, three ways: as 365 scheduled drops, as a backfill by the steps of the state
 * machine, and as one plain select. All three have to hold the same rows; and it is counted what the server reads.
 * `npm run bench:backfill`; a size may be given: `npm run bench:backfill -- 200000`.
 */
import { hash } from 'node:crypto';
import { startMariaDb } from '../support/mariadb/index.ts';
import { DAY, MINUTE, iso } from '../../lib/time.ts';
import { type Drop, readDrops } from '../support/drops.ts';
import { fillHistory } from '../support/nova/bulk-history.ts';
import { UNMASKED } from '../support/nova/scene.ts';
import { type Cell, createCell } from '../support/nova/schema.ts';
import { type Stage, startStage } from '../support/stage.ts';
import { readsOf, totalOf } from './reads.ts';
import { table } from './subject.ts';

const DAYS = 365;
const START = Date.UTC(2025, 0, 1) / 1000;
const END = START + DAYS * DAY;
const events = Number(process.argv[2] ?? 2_000_000);

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const db = await startMariaDb({ bufferPool: '1G', redoLog: '256M' });
try {
  const cell = await createCell(db, 'year');
  const filled = await fillHistory(cell, { events: events / 2, start: START, days: DAYS, shadow: true });
  const tables = await rowsOf(cell);
  say(`${filled.events} live and ${filled.shadowEvents} archived events, ${tables} rows in six tables`);

  const scheduled = await measure('365 scheduled drops', cell, async (stage) => {
    await stage.run(START + DAY + 45 * MINUTE);
    await stage.run(END + 45 * MINUTE, 7_200_000);
  });
  const backfilled = await measure('backfill, all steps', cell, runExecution);
  let selected: { rows: number; sum: bigint } = { rows: 0, sum: 0n };
  const started = now();
  const reads = await readsOf(db, async () => {
    selected = await select(cell);
  });
  const costs = [
    scheduled.cost,
    backfilled.cost,
    costOf('one select', selected.rows, totalOf(reads), taken(started)),
  ];
  console.log(
    table(
      costs.map(({ reads: read, ...cost }) => ({
        ...cost,
        reads: read,
        'per history row': (read / tables).toFixed(2),
      })),
    ),
  );
  const unequal = scheduled.days.filter((day, nth) => day !== backfilled.days[nth]).length;
  console.log(`${scheduled.days.length} and ${backfilled.days.length} drops, ${unequal} of them unequal`);
  console.log(
    `all rows alike in the three: ${scheduled.sum === selected.sum && backfilled.sum === selected.sum}`,
  );
  if (unequal > 0 || scheduled.sum !== selected.sum || backfilled.sum !== selected.sum) process.exitCode = 1;
} finally {
  await db.stop();
}

/** Plan, then every group, then judgement, as the state machine goes about it. */
async function runExecution(stage: Stage): Promise<void> {
  const request = { start: iso(START), end: iso(END) };
  const execution = 'year';
  const plan = (await stage.step('plan', { plan: request, execution, redrives: 0 })) as {
    groups: object[];
  };
  say(`${plan.groups.length} groups`);
  for (const group of plan.groups) await stage.step('windows', { group, request, execution });
  await stage.step('end', { judge: { request, execution, groups: plan.groups, redrives: 0, redrive: 0 } });
}

interface Cost {
  readonly '': string;
  readonly rows: number;
  /** Of this process: the function, and the S3 that stands in. */
  readonly 'CPU s': string;
  readonly seconds: string;
  readonly reads: number;
}

function costOf(what: string, rows: number, reads: number, { cpu, wall }: Times): Cost {
  return { '': what, rows, 'CPU s': cpu.toFixed(1), seconds: wall.toFixed(1), reads };
}

/** In seconds. */
interface Times {
  readonly cpu: number;
  readonly wall: number;
}

function now(): Times {
  const { user, system } = process.cpuUsage();
  return { cpu: (user + system) / 1e6, wall: performance.now() / 1000 };
}

function taken(since: Times): Times {
  const { cpu, wall } = now();
  return { cpu: cpu - since.cpu, wall: wall - since.wall };
}

async function measure(what: string, cell: Cell, work: (stage: Stage) => Promise<void>) {
  const stage = await startStage({ env: { ...UNMASKED, STAR_BACKFILL_SECRETS: 'bench/backfill' } });
  try {
    await stage.setSecret(`${cell.dsn()}?ssl=off`);
    const started = now();
    const reads = await readsOf(cell.server, () => work(stage));
    const times = taken(started);
    const drops = await readDrops(stage.client);
    const rows = drops.reduce((sum, { manifest }) => sum + manifest.counts.events, 0);
    const cost = costOf(what, rows, totalOf(reads), times);
    say(`${what}: ${cost.seconds} s`);
    const lines = drops.map(linesOf);
    return {
      cost,
      days: lines.map(
        (some, nth) => `${drops[nth]?.manifest.window.start} ${hash('sha256', some.toSorted().join('\n'))}`,
      ),
      sum: lines.flat().reduce((sum, line) => sum + digest(line), 0n),
    };
  } finally {
    await stage.stop();
  }
}

function linesOf(drop: Drop): string[] {
  return (drop.rows['jsonl'] ?? []).map((row) =>
    [
      row['uuid'],
      row['event'],
      row['start_time'],
      row['finish_time'],
      row['result'],
      row['vcpus'],
      row['hostname'],
      row['host'],
    ].join(' '),
  );
}

function digest(line: string): bigint {
  return BigInt(`0x${hash('sha256', line).slice(0, 16)}`);
}

/** Live and archived trees as one, with the index on uuid that `shadow_instances` lacks. */
async function select(cell: Cell): Promise<{ rows: number; sum: bigint }> {
  await cell.query(
    `CREATE TABLE everyone (PRIMARY KEY (uuid)) SELECT uuid, vcpus, hostname, host FROM instances
       UNION ALL SELECT uuid, vcpus, hostname, host FROM shadow_instances`,
  );
  const host = `IF(e.event LIKE 'compute\\_%', COALESCE(e.host, i.host), COALESCE(i.host, e.host))`;
  const time = (column: string): string => `DATE_FORMAT(${column}, '%Y-%m-%dT%H:%i:%sZ')`;
  let rows = 0;
  let sum = 0n;
  for (const prefix of ['', 'shadow_']) {
    const lines = await cell.query(
      `SELECT CONCAT_WS(' ', i.uuid, e.event, ${time('e.start_time')}, ${time('e.finish_time')}, e.result, i.vcpus,
              i.hostname, ${host}) AS line
         FROM ${prefix}instance_actions_events e JOIN ${prefix}instance_actions a ON a.id = e.action_id
         JOIN everyone i ON i.uuid = a.instance_uuid
        WHERE e.finish_time >= '1970-01-01' + INTERVAL ${START} SECOND
          AND e.finish_time < '1970-01-01' + INTERVAL ${END} SECOND`,
    );
    rows += lines.length;
    for (const { line } of lines) sum += digest(String(line));
  }
  return { rows, sum };
}

async function rowsOf(cell: Cell): Promise<number> {
  let total = 0;
  for (const name of ['instances', 'instance_actions', 'instance_actions_events']) {
    for (const prefix of ['', 'shadow_']) {
      const [row] = await cell.query(`SELECT COUNT(*) AS n FROM ${prefix}${name}`);
      total += Number(row?.['n']);
    }
  }
  return total;
}
