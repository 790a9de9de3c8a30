/*
 * A year of a cloud, half of it archived, three ways: as 365 scheduled drops, as a release by the state machine beside
 * them, and as one plain select. All three have to hold the same rows, the release under the masks of one secret, and
 * the scheduled trace has to stay as it is, byte for byte; and it is counted what the server reads.
 * `npm run bench -- backfill-year`; a size may be given: `npm run bench -- backfill-year 200000`.
 */
import { hash } from 'node:crypto';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DAY, MINUTE, iso } from '../../lib/core/time.ts';
import { type Drop, listKeys, readDrops, readObject } from '../support/drops.ts';
import { startMariaDb } from '../support/mariadb/index.ts';
import { fillHistory } from '../support/nova/bulk-history.ts';
import { UNMASKED } from '../support/nova/scene.ts';
import { type Cell, createCell } from '../support/nova/schema.ts';
import { startStage } from '../support/stage.ts';
import { execute } from '../support/state-machine/run.ts';
import { readsOf, totalOf } from './reads.ts';
import { table } from './subject.ts';

const DAYS = 365;
const START = Date.UTC(2025, 0, 1) / 1000;
const END = START + DAYS * DAY;
const RELEASE = 'year';
const SECRETS = 'bench/backfill';
const events = Number(process.argv[2] ?? 2_000_000);

/** What a row says of its event, and the names in it. */
type Row = readonly [
  plain: readonly [event: unknown, start: unknown, finish: unknown, result: unknown, vcpus: unknown],
  names: readonly [uuid: unknown, hostname: unknown, host: unknown],
];
type Mask = (value: unknown) => unknown;
const asItIs: Mask = (value) => value;

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const db = await startMariaDb({ bufferPool: '1G', redoLog: '256M' });
const stage = await startStage({ env: { ...UNMASKED, STAR_BACKFILL_SECRETS: SECRETS } });
try {
  const cell = await createCell(db, 'year');
  const filled = await fillHistory(cell, { events: events / 2, start: START, days: DAYS, shadow: true });
  const tables = await rowsOf(cell);
  say(`${filled.events} live and ${filled.shadowEvents} archived events, ${tables} rows in six tables`);
  await stage.setSecret(`${cell.dsn()}?ssl=off`);

  const scheduled = await measure('365 scheduled drops', async () => {
    await stage.run(START + DAY + 45 * MINUTE);
    await stage.run(END + 45 * MINUTE, 7_200_000);
  });
  const [trace, before] = [await dropsOf('cloud=test/'), await objectsOf('cloud=test/')];
  Object.assign(stage.env, { STAR_MASKING: 'sha2-salted', STAR_ALLOW_UNSAFE_MASKING: 'false' });
  let mask = asItIs;
  const released = await measure('backfill, all steps', async () => {
    mask = await release();
  });
  const drops = await dropsOf(`cloud=test-${RELEASE}/`);
  let selected: Row[] = [];
  const selection = await measure('one select', async () => {
    selected = await select(cell);
  });
  console.log(
    table(
      [
        { ...scheduled, rows: trace.rows },
        { ...released, rows: drops.rows },
        { ...selection, rows: selected.length },
      ].map((cost) => ({ ...cost, 'per history row': (cost.reads / tables).toFixed(2) })),
    ),
  );
  const masked = trace.days.map((rows) => sumOf(rows, mask));
  const unequal = drops.days.filter((rows, nth) => sumOf(rows) !== masked[nth]).length;
  const isLikeSelect =
    sumOf(trace.days.flat()) === sumOf(selected) && sumOf(drops.days.flat()) === sumOf(selected, mask);
  const isUntouched = (await objectsOf('cloud=test/')) === before;
  console.log(`${trace.days.length} and ${drops.days.length} drops, ${unequal} of them unequal`);
  console.log(`all rows alike in the three: ${isLikeSelect}`);
  console.log(`masking scopes of the release: ${drops.scopes.size}`);
  console.log(`servers of the first day that a later one has too: ${joined(drops.days)}`);
  console.log(`scheduled trace as it was, byte for byte: ${isUntouched}`);
  const isRight = unequal === 0 && isLikeSelect && drops.scopes.size === 1 && isUntouched;
  if (!isRight || joined(drops.days) === 0 || drops.days.length !== DAYS) process.exitCode = 1;
} finally {
  await stage.stop();
  await db.stop();
}

/** Runs the state machine. Gives the masks of the release, of which the secret is gone by then. */
async function release(): Promise<Mask> {
  let secret: Uint8Array | undefined;
  const execution = await execute(
    {
      plan: async (event) => {
        const plan = (await stage.step('plan', event)) as { groups: object[] };
        say(`${plan.groups.length} groups`);
        secret = await readSecret();
        return plan;
      },
      windows: (event) => stage.step('windows', event),
      end: (event) => stage.step('end', event),
    },
    { start: iso(START), end: iso(END), release: RELEASE },
  );
  if (execution.status !== 'SUCCEEDED' || secret === undefined) throw new Error(execution.cause);
  if (stage.secretsManager.names().some((name) => name.startsWith(SECRETS)))
    throw new Error('the secret is still there');
  const salt = secret.subarray(0, 32);
  const known = new Map<unknown, unknown>();
  return (value) => {
    if (typeof value !== 'string' || value === '') return value;
    const found = known.get(value) ?? hash('sha256', Buffer.concat([salt, Buffer.from(value)])).slice(0, 32);
    known.set(value, found);
    return found;
  };
}

async function readSecret(): Promise<Uint8Array | undefined> {
  const { region, endpoint, accessKeyId, secretAccessKey } = stage.secretsManager;
  const credentials = { accessKeyId, secretAccessKey };
  const client = new SecretsManagerClient({ region, endpoint, credentials });
  try {
    const command = new GetSecretValueCommand({ SecretId: `${SECRETS}/release/${RELEASE}` });
    return (await client.send(command)).SecretBinary;
  } finally {
    client.destroy();
  }
}

interface Cost {
  readonly '': string;
  /** Of this process: the function, and the S3 that stands in. */
  readonly 'CPU s': string;
  readonly seconds: string;
  readonly reads: number;
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

async function measure(what: string, work: () => Promise<void>): Promise<Cost> {
  const started = now();
  const reads = totalOf(await readsOf(db, work));
  const { cpu, wall } = taken(started);
  const seconds = wall.toFixed(1);
  say(`${what}: ${seconds} s`);
  return { '': what, 'CPU s': cpu.toFixed(1), seconds, reads };
}

async function dropsOf(prefix: string): Promise<{ days: Row[][]; rows: number; scopes: Set<string> }> {
  const drops = await readDrops(stage.client, prefix);
  const days = drops.map(rowsOfDrop);
  return {
    days,
    rows: days.reduce((sum, { length }) => sum + length, 0),
    scopes: new Set(drops.map(({ manifest }) => manifest.masking.scope)),
  };
}

function rowsOfDrop(drop: Drop): Row[] {
  return (drop.rows['jsonl'] ?? []).map((row) => [
    [row['event'], row['start_time'], row['finish_time'], row['result'], row['vcpus']],
    [row['uuid'], row['hostname'], row['host']],
  ]);
}

/** Of all objects, with their keys. */
async function objectsOf(prefix: string): Promise<string> {
  const sums: string[] = [];
  for (const key of await listKeys(stage.client, prefix))
    sums.push(`${key} ${hash('sha256', await readObject(stage.client, key))}`);
  return hash('sha256', sums.join('\n'));
}

/** How many servers of the first day are there on another as well. */
function joined([first = [], ...others]: readonly Row[][]): number {
  const later = new Set(others.flat().map(([, [uuid]]) => uuid));
  return new Set(first.map(([, [uuid]]) => uuid).filter((uuid) => later.has(uuid))).size;
}

/** The same for the same rows in any order. */
function sumOf(rows: readonly Row[], mask: Mask = asItIs): bigint {
  return rows.reduce(
    (sum, [plain, names]) => sum + digest(JSON.stringify([...plain, ...names.map(mask)])),
    0n,
  );
}

function digest(line: string): bigint {
  return BigInt(`0x${hash('sha256', line).slice(0, 16)}`);
}

/** Live and archived trees as one, with the index on uuid that `shadow_instances` lacks. */
async function select(cell: Cell): Promise<Row[]> {
  await cell.query(
    `CREATE TABLE everyone (PRIMARY KEY (uuid)) SELECT uuid, vcpus, hostname, host FROM instances
       UNION ALL SELECT uuid, vcpus, hostname, host FROM shadow_instances`,
  );
  const host = `IF(e.event LIKE 'compute\\_%', COALESCE(e.host, i.host), COALESCE(i.host, e.host))`;
  const time = (column: string): string => `DATE_FORMAT(${column}, '%Y-%m-%dT%H:%i:%sZ')`;
  const rows: Row[] = [];
  for (const prefix of ['', 'shadow_']) {
    const found = await cell.query(
      `SELECT i.uuid, e.event, ${time('e.start_time')} AS start, ${time('e.finish_time')} AS finish, e.result, i.vcpus,
              i.hostname, ${host} AS host
         FROM ${prefix}instance_actions_events e JOIN ${prefix}instance_actions a ON a.id = e.action_id
         JOIN everyone i ON i.uuid = a.instance_uuid
        WHERE e.finish_time >= '1970-01-01' + INTERVAL ${START} SECOND
          AND e.finish_time < '1970-01-01' + INTERVAL ${END} SECOND`,
    );
    for (const row of found)
      rows.push([
        [row['event'], row['start'], row['finish'], row['result'], row['vcpus']],
        [row['uuid'], row['hostname'], row['host']],
      ]);
  }
  return rows;
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
