/*
 * How a day's window fares when the cloud is far away: the same day over the API and from the database, through a
 * proxy that delays. Keystone and Nova are the fake. `npm run bench -- distance`; `--events 4000`.
 */
import { parseArgs } from 'node:util';
import { DAY, MINUTE } from '../../lib/core/time.ts';
import { startDelayingProxy } from '../support/delaying-proxy.ts';
import { startMariaDb } from '../support/mariadb/index.ts';
import { fillHistory } from '../support/nova/bulk-history.ts';
import { createCell } from '../support/nova/schema.ts';
import { startOpenStack } from '../support/openstack/index.ts';
import { startStage } from '../support/stage.ts';
import { median, table } from './subject.ts';

const ROUND_TRIPS_MS = [0, 10, 50];
const ROUNDS = 3;
const START = Date.UTC(2026, 9, 1) / 1000;
const END = START + 3 * DAY;

const { values } = parseArgs({ options: { events: { type: 'string', default: '400' } } });
const events = Number(values.events);
const db = await startMariaDb({ bufferPool: '512M' });
const cell = await createCell(db, 'cell1');
await fillHistory(cell, { events: 2 * events, start: START, days: 2, window: { events } });
const openstack = await startOpenStack({
  cells: [cell],
  now: () => END + 45 * MINUTE,
  // Its history is of other days, but its clock is right, or no trace would be begun.
  date: () => Date.now() / 1000,
});
try {
  const [row] = await cell.query('SELECT COUNT(*) AS n FROM instances WHERE deleted = 0');
  const changed = await changedServers();
  console.log(
    `${events} events of ${changed} servers in the day; ${Number(row?.['n'])} servers live; medians of ${ROUNDS}`,
  );
  const lines: Record<string, string | number>[] = [];
  for (const source of ['database', 'api'] as const) {
    for (const roundTrip of ROUND_TRIPS_MS) {
      const runs: Run[] = [];
      for (let round = 0; round < ROUNDS; round++) runs.push(await runDay(source, roundTrip));
      const of = (pick: (run: Run) => number): number => median(runs.map(pick));
      const seconds = of((run) => run.seconds);
      lines.push({
        source,
        'round trip ms': roundTrip,
        rows: of((run) => run.rows),
        requests: source === 'api' ? of((run) => run.requests) : '',
        seconds: seconds.toFixed(2),
        'first byte in S3, s': of((run) => run.firstByteSeconds).toFixed(2),
        'ms a changed server': ((seconds * 1000) / changed).toFixed(1),
      });
    }
  }
  console.log(table(lines));
} finally {
  await openstack.stop();
  await db.stop();
}

interface Run {
  readonly rows: number;
  readonly requests: number;
  readonly seconds: number;
  readonly firstByteSeconds: number;
}

/** The third day, after a run for the second that leaves its checkpoint. */
async function runDay(source: 'database' | 'api', roundTripMs: number): Promise<Run> {
  let firstByte: number | undefined;
  const stage = await startStage({
    onS3Request: ({ method, key }) => {
      if (/^(PUT|POST)$/.test(method) && key.includes('/instance_events/')) firstByte ??= performance.now();
    },
  });
  const port = source === 'api' ? Number(new URL(openstack.authUrl).port) : db.port;
  const proxy = await startDelayingProxy(port, roundTripMs);
  try {
    const secret = source === 'api' ? openstack.secret() : `${cell.dsn()}?ssl=off`;
    await stage.setSecret(secret.replaceAll(`:${port}/`, `:${proxy.port}/`));
    await stage.run(END - DAY + 45 * MINUTE);
    openstack.clearRequests();
    firstByte = undefined;
    const began = performance.now();
    const summary = await stage.run(END + 45 * MINUTE);
    const seconds = (performance.now() - began) / 1000;
    if (summary.rows !== events)
      throw new Error(`${source}: ${summary.rows} rows of ${events}: ${summary.status}`);
    const requests = openstack.requests().length;
    return { rows: summary.rows, requests, seconds, firstByteSeconds: ((firstByte ?? began) - began) / 1000 };
  } finally {
    await proxy.stop();
    await stage.stop();
  }
}

async function changedServers(): Promise<number> {
  const [row] = await cell.query(
    `SELECT COUNT(DISTINCT a.instance_uuid) AS n FROM instance_actions_events e
       JOIN instance_actions a ON a.id = e.action_id
      WHERE e.finish_time >= FROM_UNIXTIME(?) AND e.finish_time < FROM_UNIXTIME(?)`,
    [END - DAY, END],
  );
  return Number(row?.['n']);
}
