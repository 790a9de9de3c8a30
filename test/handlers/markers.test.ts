import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { runHandler } from '../../lib/runtime/handle.ts';
import { logger } from '../../lib/runtime/telemetry.ts';
import { DAY, MINUTE } from '../../lib/core/time.ts';
import { TABLES } from '../../lib/tables/registry.ts';
import { listKeys, readObject, readParquet } from '../support/drops.ts';
import { type MariaDb, useMariaDb } from '../support/mariadb/index.ts';
import { replay } from '../support/nova/history.ts';
import { hostsOf } from '../support/nova/hosts.ts';
import { randomHistory } from '../support/nova/random-history.ts';
import type { Cell, Table } from '../support/nova/schema.ts';
import { type BothSources, startBothSources } from '../support/nova/both-sources.ts';
import type { Stage } from '../support/stage.ts';
import { type Functions, execute } from '../support/state-machine/run.ts';

/*
 * Marks every column of Nova's that tells of somebody or something, lets every handler work on it, well and badly, and
 * looks for the marks in every byte that leaves the process.
 */

/** Stands at both ends of what is marked. No mask is like it, because it is not hexadecimal. */
const MARK = 'zq9x';

/** Between the ends; what would be escaped, folded, reordered or cut somewhere on the way. */
const AWKWARD = [
  '',
  'e\u0301\u0323\u200D', // combining, and a joiner
  '\u202E\u05E2\u05D1\u05E8\u05D9\u05EA \u0627\u0644\u0639',
  '👩‍👩‍👧‍👦🏴‍☠️',
  '\uFFFD\uFEFF\u2028',
  '\u0001\u0007\u001B[31m\t\r\n',
  `"',;\\<script>&amp;</`,
  '%s${x}`$(id)`{{1}}',
  'İıſß',
  'long'.repeat(50),
];

const MARKED: Readonly<Record<Table, readonly string[]>> = {
  instances: [
    'user_id',
    'project_id',
    'image_ref',
    'kernel_id',
    'ramdisk_id',
    'key_name',
    'key_data',
    'hostname',
    'host',
    'node',
    'user_data',
    'reservation_id',
    'launched_on',
    'display_name',
    'display_description',
    'availability_zone',
    'access_ip_v4',
    'access_ip_v6',
    'cell_name',
  ],
  instance_actions: ['request_id', 'user_id', 'project_id', 'message'],
  instance_actions_events: ['host', 'traceback', 'details'],
};

/** Of the tables of physical hosts. */
const MARKED_OF_HOSTS: Readonly<Record<string, readonly string[]>> = {
  services: ['host', 'disabled_reason'],
  compute_nodes: ['host', 'hypervisor_hostname', 'host_ip', 'cpu_info', 'supported_instances', 'stats'],
};

const START = Date.UTC(2026, 8, 1) / 1000;
const DAYS = 7;
const time = (days: number): number => START + days * DAY + 45 * MINUTE;
const day = (nth: number): string => new Date((START + nth * DAY) * 1000).toISOString().slice(0, 10);

let db: MariaDb;
let both: BothSources;
/** Everything that left, by where it was found. */
const left = new Map<string, string>();
/** What came of each run that was to fail. */
const failures: string[] = [];
const uuids = new Set<string>();

beforeAll(async () => {
  db = await useMariaDb();
  both = await startBothSources(db);
  both.set({
    STAR_MASKING: 'sha2-salted',
    STAR_ALLOW_UNSAFE_MASKING: 'false',
    STAR_FORMATS: 'csv,jsonl,parquet',
    STAR_REPORT: 'true',
    STAR_BACKFILL_SECRETS: 'star-compactor-dev/backfill',
    STAR_TABLES: 'instance_events,instances,machines,machine_events',
    STAR_RACK_PATTERN: '.+',
    STAR_STATE_KEY: 'state',
  });
  for (const stage of [both.fromDatabase, both.overApi])
    await stage.createSecret('state', new Uint8Array(randomBytes(32)));
  const history = randomHistory({ seed: 20_261_125, start: START, days: DAYS, eventsPerDay: 30 });
  await replay(both.cells, history.changes).applyUntil(START + DAYS * DAY);
  for (const cell of both.cells) await mark(cell);
  both.now = START + DAYS * DAY;

  logger.setLogLevel('DEBUG');
  process.env['POWERTOOLS_METRICS_DISABLED'] = 'false';
  const printed = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, 'write').mockReturnValue(true),
  );
  try {
    for (const stage of [both.fromDatabase, both.overApi]) await everyWay(stage);
    await badly();
  } finally {
    const texts = printed.flatMap(({ mock }) => mock.calls.map(([text]) => String(text)));
    for (const each of printed) each.mockRestore();
    left.set('printed', texts.join(''));
    process.env['POWERTOOLS_METRICS_DISABLED'] = 'true';
    logger.setLogLevel('SILENT');
  }
  for (const stage of [both.fromDatabase, both.overApi]) await collect(stage);
});
afterAll(async () => {
  await both.stop();
  await db.stop();
});

async function mark(cell: Cell): Promise<void> {
  const places = AWKWARD.map(() => 'SELECT ? AS text').join(' UNION ALL ');
  await cell.query('CREATE TABLE awkward (id INT PRIMARY KEY AUTO_INCREMENT, text TEXT) CHARSET utf8mb4');
  await cell.query(`INSERT INTO awkward (text) SELECT text FROM (${places}) AS t`, AWKWARD);
  await addHosts(cell);
  const marked = { ...MARKED, ...MARKED_OF_HOSTS };
  for (const [table, columns] of Object.entries(marked)) {
    for (const name of [table, `shadow_${table}`]) {
      for (const column of columns) {
        // Emoji take four bytes; Nova's own tables are of three, unless an operator has converted them.
        const type = /data|launched|traceback|details|info|supported|stats/.test(column)
          ? 'mediumtext'
          : 'varchar(255)';
        await cell.query(`ALTER TABLE ${name} MODIFY ${column} ${type} CHARACTER SET utf8mb4`);
        // The same user has the same name in all tables; everything else is different in every row.
        const isShared =
          /^(user|project)_id$/.test(column) || (column === 'host' && table in MARKED_OF_HOSTS);
        const own = isShared ? `CRC32(${column})` : `${name}.id`;
        await cell.query(
          `UPDATE ${name} JOIN awkward ON awkward.id = 1 + (${own} % ?)
             SET ${column} = CONCAT(?, '-${column}-', ${own}, '-', awkward.text, ?)`,
          [AWKWARD.length, MARK, MARK],
        );
      }
    }
  }
  await cell.query('DROP TABLE awkward');
  // Half of the servers run in a reservation.
  await cell.query(
    "UPDATE instances SET availability_zone = CONCAT('blazar_', availability_zone) WHERE id % 2",
  );
  for (const table of ['instances', 'shadow_instances']) {
    for (const { uuid } of await cell.query(`SELECT uuid FROM ${table}`)) uuids.add(String(uuid));
  }
}

/** Some that stay, one that goes, one that comes later, and one that was archived. */
async function addHosts(cell: Cell): Promise<void> {
  if (cell.name === 'cell0') return;
  const hosts = hostsOf(cell);
  for (const host of ['cmp-1', 'cmp-2', 'cmp-3', 'cmp-4']) await hosts.add(host, START - DAY);
  await hosts.remove('cmp-3', START + 2 * DAY);
  await hosts.archive();
  await hosts.remove('cmp-2', START + 4 * DAY);
  await hosts.disable('cmp-4', START + 4 * DAY);
  await hosts.add('cmp-5', START + 4 * DAY);
}

/** A first window, skipped days that are caught up, a backfill here and by the state machine, and a release. */
async function everyWay(stage: Stage): Promise<void> {
  const note = (name: string, answer: unknown): void =>
    void left.set(`${name} of ${stage === both.overApi ? 'API' : 'database'}`, deep(answer));
  note('first run', await stage.run(time(3)));
  note('catching up', await stage.run(time(5)));
  note('backfill', await stage.backfill({ start: day(0), end: day(1) }));
  const functions: Functions = {
    plan: (event) => stage.step('plan', event),
    windows: (event) => stage.step('windows', event),
    end: (event) => stage.step('end', event),
  };
  for (const [name, event] of Object.entries({
    'state machine': { start: day(1), end: day(2) },
    release: { start: day(0), end: day(5), release: 'marked', concurrency: 1 },
  })) {
    const execution = await execute(functions, event);
    expect(execution.status).toBe('SUCCEEDED');
    note(name, execution);
  }
}

/** Runs that fail, each at another place. */
async function badly(): Promise<void> {
  const { fromDatabase, overApi, cells } = both;
  const fail = async (of: string, run: Promise<unknown>): Promise<void> => {
    const error: unknown = await run.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof Error)) throw new Error(`${of}: it did not fail`);
    const { name, message } = error;
    failures.push(`${of}: ${name}: ${message}`);
    left.set(of, asLambdaTells(error));
  };
  const [cell] = cells;
  if (cell === undefined) throw new Error('there is no cell');
  const event = 'instance_actions_events';

  both.onS3Request = ({ operation }) =>
    operation === 'PutObject' ? { status: 403, code: 'AccessDenied' } : undefined;
  await fail('S3 refuses', fromDatabase.run(time(6)));
  both.onS3Request = undefined;
  both.set({ STAR_PRIVACY_LIMIT_PERCENT: '0' });
  await fail('the privacy limit', fromDatabase.run(time(6)));
  both.set({ STAR_PRIVACY_LIMIT_PERCENT: '100' });

  await cell.query(`ALTER TABLE ${event} MODIFY event varchar(255) CHARACTER SET utf8mb4`);
  await cell.query(`CREATE TABLE kept AS SELECT id, event FROM ${event}`);
  await cell.query(
    `UPDATE ${event} e JOIN instance_actions a ON a.id = e.action_id JOIN instances i ON i.uuid = a.instance_uuid
       SET e.event = LEFT(CONCAT('compute_ ', i.hostname), 250)`,
  );
  await fail('a raw identifier in an event', fromDatabase.run(time(6)));
  await fail('a raw identifier in an event, over the API', overApi.run(time(6)));
  await cell.query(`UPDATE ${event} e JOIN kept k ON k.id = e.id SET e.event = k.event`);
  await cell.query('DROP TABLE kept');

  both.openstack.onRequest = ({ kind }) => {
    if (!/action|server/.test(kind)) return undefined;
    return { status: 403, body: { forbidden: { code: 403, message: `${MARK} may not` } } };
  };
  await fail('Nova refuses', overApi.run(time(6)));
  both.openstack.onRequest = undefined;

  for (const column of ['result', 'finish_time']) {
    await cell.query(`ALTER TABLE ${event} RENAME COLUMN ${column} TO was_${column}`);
    await fail(`no column ${column}`, fromDatabase.run(time(6)));
    await cell.query(`ALTER TABLE ${event} RENAME COLUMN was_${column} TO ${column}`);
  }
  await cell.query(`ALTER TABLE ${event} RENAME TO elsewhere`);
  await fail('no table', fromDatabase.run(time(6)));

  // What no library is known to do, but any might.
  const foreign = Object.assign(new TypeError(`${MARK} is no function\n${MARK}`), {
    sql: MARK,
    request: { token: MARK },
  });
  const context = { awsRequestId: 'one', getRemainingTimeInMillis: () => 1000 };
  await fail(
    'a fault',
    runHandler(context, () => Promise.reject(foreign)),
  );
  await fail(
    'no error at all',
    runHandler(context, () => Promise.reject({ sql: MARK })),
  );
}

async function collect(stage: Stage): Promise<void> {
  const requests = stage.s3.requests().map(({ key, headers }) => ({ key, headers }));
  left.set(`requests to S3 of ${stage === both.overApi ? 'API' : 'database'}`, deep(requests));
  for (const key of await listKeys(stage.client)) {
    const bytes = await readObject(stage.client, key);
    const name = `${stage === both.overApi ? 'API' : 'database'} ${key}`;
    left.set(name, `${key}\n${(key.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')}`);
    // Its pages are compressed.
    if (key.endsWith('.parquet')) left.set(`${name}, decoded`, JSON.stringify(await readParquet(bytes)));
  }
}

/** As the runtime of Lambda writes an error into the log: with every property that can be enumerated. */
function asLambdaTells(error: Error): string {
  return deep(
    Object.assign({ errorType: error.name, errorMessage: error.message, stack: error.stack }, error),
  );
}

const deep = (value: unknown): string =>
  inspect(value, {
    depth: Infinity,
    maxArrayLength: Infinity,
    maxStringLength: Infinity,
    breakLength: Infinity,
  });

describe('Of what is marked in the cloud', () => {
  test('nothing is in any object, key, header, log line, metric, answer or error', () => {
    const found = [...left].filter(([, text]) => text.toLowerCase().includes(MARK));
    expect(found.map(([name, text]) => `${name}: ${around(text)}`)).toEqual([]);
  });

  test('no server’s uuid is either', () => {
    const all = [...left.values()].join('\n').toLowerCase();
    expect(uuids.size).toBeGreaterThan(30);
    expect([...uuids].filter((uuid) => all.includes(uuid.toLowerCase()))).toEqual([]);
  });

  test('much was to be seen: every kind of object, of both sources, with rows, and every failure', () => {
    const names = [...left.keys()];
    for (const source of ['database', 'API']) {
      for (const kind of [
        '.csv.gz',
        '.jsonl.gz',
        '.parquet, decoded',
        '.report.html',
        'checkpoint.json',
        'index.html',
        'claim.json',
        'trace.json',
        'release.json',
        'datapackage.json',
      ])
        expect(names.some((name) => name.startsWith(source) && name.endsWith(kind)) ? kind : '').toBe(kind);
      for (const table of TABLES.filter(({ onRequest }) => onRequest !== true).map(({ name }) => name)) {
        const filled = names.filter(
          (name) =>
            name.startsWith(source) &&
            name.includes(`/${table}_jsonl/`) &&
            (left.get(name)?.split('\n').length ?? 0) > 2,
        );
        expect([table, filled.length > 0]).toEqual([table, true]);
      }
      const rows = names.filter((name) => name.startsWith(source) && name.endsWith('.jsonl.gz'));
      expect(
        rows.map((name) => left.get(name)?.split('\n').length ?? 0).reduce((a, b) => a + b),
      ).toBeGreaterThan(60);
    }
    expect(left.get('requests to S3 of API')).toContain('content-type');
    expect(left.get('printed')).toContain('"_aws"');
    expect(left.get('printed')).toContain('"level":"ERROR"');
    expect(failures.map((text) => text.split(': ').slice(0, 2).join(': '))).toEqual([
      'S3 refuses: StoreError',
      'the privacy limit: PrivacyError',
      'a raw identifier in an event: PrivacyError',
      'a raw identifier in an event, over the API: PrivacyError',
      'Nova refuses: SourceError',
      'no column result: SourceError',
      'no column finish_time: SourceError',
      'no table: SourceError',
      'a fault: UnexpectedError',
      'no error at all: UnexpectedError',
    ]);
  });
});

function around(text: string): string {
  const at = text.toLowerCase().indexOf(MARK);
  return text.slice(Math.max(0, at - 80), at + 80);
}
