import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DAY } from '../../lib/core/time.ts';
import { listKeys, readDrops } from '../support/drops.ts';
import { type DatabaseUser, type MariaDb, startMariaDb } from '../support/mariadb/index.ts';
import { compareWithTruth, unlikeNow } from '../support/nova/compare.ts';
import { replay } from '../support/nova/history.ts';
import { randomHistory } from '../support/nova/random-history.ts';
import { type Cell, type CellOptions, createCell } from '../support/nova/schema.ts';
import { finishedEvents } from '../support/nova/truth.ts';
import { type Stage, startStage } from '../support/stage.ts';

const START = Date.UTC(2025, 5, 1) / 1000;
const LIVE = ['instances', 'instance_actions', 'instance_actions_events'];
const SHADOW = LIVE.map((table) => `shadow_${table}`);

let db: MariaDb;
let stage: Stage;
let cell: Cell;

beforeAll(async () => {
  db = await startMariaDb({ tls: true, args: ['--userstat=ON'] });
});
afterAll(() => db.stop());
beforeEach(async () => {
  stage = await startStage({
    env: { STAR_MASKING: 'none', STAR_ALLOW_UNSAFE_MASKING: 'true', STAR_FORMATS: 'csv,jsonl' },
  });
});
afterEach(async () => {
  await stage.stop();
  await db.query(`DROP DATABASE \`${cell.database}\``);
});

/** A cell with a day of events, some of them archived where it has shadow tables. */
async function fillCell(options: CellOptions = {}): Promise<void> {
  cell = await createCell(db, 'cell1', options);
  const archiveAt = (day: number): number | undefined =>
    options.shadow === false ? undefined : START + day * DAY + DAY - 3600;
  const { changes } = randomHistory({ seed: 3, start: START, days: 1, cells: ['cell1'], archiveAt });
  await replay([cell], changes).applyUntil(START + DAY + 1800);
}

const selectOn = (...tables: string[]): string[] =>
  tables.map((table) => `SELECT ON \`${cell.database}\`.\`${table}\``);

const run = () => stage.run(START + DAY + 2700);

/** What is wrong with the drop of a run by that user, held against the tables: nothing, row for row. */
async function flawsAs(user: DatabaseUser, parameters = '?ssl=off'): Promise<object> {
  // The certificate is for a name, and the driver verifies nothing else.
  await stage.setSecret(`${cell.dsn(user).replace('127.0.0.1', 'localhost')}${parameters}`);
  return flaws();
}

const NONE = { onlyInDrops: [], onlyInDatabase: [], otherValues: [] };

async function flaws(): Promise<object> {
  expect(await run()).toMatchObject({ status: 'published' });
  const drops = await readDrops(stage.client);
  const truth = await finishedEvents([cell], START + DAY);
  expect(truth.length).toBeGreaterThan(50);
  const otherValues = drops.flatMap((drop) => unlikeNow(drop, truth));
  return { ...compareWithTruth(drops, truth), otherValues };
}

/** What a run by that user is refused with; it holds no credential, and nothing is published. */
async function refusalOf(user: DatabaseUser, parameters = '?ssl=off'): Promise<string> {
  // The certificate is for a name, and the driver verifies nothing else.
  await stage.setSecret(`${cell.dsn(user).replace('127.0.0.1', 'localhost')}${parameters}`);
  const error = await run().then(
    () => undefined,
    (reason: Error) => reason,
  );
  expect(error?.name).toBe('SourceError');
  for (const hidden of [user.user, user.password]) expect(error?.message).not.toContain(hidden);
  expect((await listKeys(stage.client)).filter((key) => !key.includes('/state/'))).toEqual([]);
  return error?.message ?? '';
}

describe('with SELECT on the six tables, granted one by one, and nothing else', () => {
  beforeEach(() => fillCell());

  test('everything is read, archived events too', async () => {
    const [archived] = await cell.query('SELECT COUNT(*) AS events FROM shadow_instance_actions_events');
    expect(archived?.['events']).toBeGreaterThan(0);
    const reader = await db.createUser(selectOn(...LIVE, ...SHADOW));
    const grants = await db.query(`SHOW GRANTS FOR '${reader.user}'@'%'`);
    expect(grants).toHaveLength(7);
    expect(await flawsAs(reader)).toEqual(NONE);
  });

  test.each(SHADOW)(
    'without the grant on %s, which is there, the run is refused by the table’s name',
    async (table) => {
      const others = [...LIVE, ...SHADOW].filter((name) => name !== table);
      expect(await refusalOf(await db.createUser(selectOn(...others)))).toMatch(
        new RegExp(`table ${table} may not be read.*grant SELECT`),
      );
    },
  );

  test.each(LIVE)('without the grant on %s the run is refused by the table’s name', async (table) => {
    const others = [...LIVE, ...SHADOW].filter((name) => name !== table);
    const message = new RegExp(
      `table ${table} is missing or may not be read.*docs/nova-database.md lists the GRANTs`,
    );
    expect(await refusalOf(await db.createUser(selectOn(...others)))).toMatch(message);
  });

  test('a live table that is not there is named', async () => {
    await cell.query('SET foreign_key_checks = 0; DROP TABLE instance_actions_events');
    expect(await refusalOf(await cell.reader())).toMatch(/table instance_actions_events is missing/);
  });

  test('a lone shadow table that is not there is named: half an archive is no archive', async () => {
    await cell.query('DROP TABLE shadow_instance_actions');
    expect(await refusalOf(await cell.reader())).toMatch(/table shadow_instance_actions is missing/);
  });
});

test('a Nova without shadow tables is read by a user who may read the whole database', async () => {
  await fillCell({ shadow: false });
  expect(await flawsAs(await cell.reader())).toEqual(NONE);
});

test('a Nova without shadow tables is refused to a user of the live tables alone, because they might exist', async () => {
  await fillCell({ shadow: false });
  expect(await refusalOf(await db.createUser(selectOn(...LIVE)))).toMatch(
    /grant SELECT on it, or on the whole database/,
  );
});

test('a Nova that keeps no host of events has that of the instance in its place', async () => {
  await fillCell({ eventHost: false });
  expect(await flawsAs(await cell.reader())).toEqual(NONE);
  const hosts = (await readDrops(stage.client)).flatMap(({ rows }) =>
    (rows['csv'] ?? []).map((row) => row['HOST_NAME (PHYSICAL)']),
  );
  expect(hosts.filter((host) => host !== '').length).toBeGreaterThan(50);
});

test('a Nova without the later columns details and hidden is read as any other', async () => {
  await fillCell({ eventDetails: false, instanceHidden: false });
  expect(await flawsAs(await cell.reader())).toEqual(NONE);
});

describe('over TLS, for a user who may not come without', () => {
  let user: DatabaseUser;
  let json: { host: string; port: number; username: string; password: string; dbname: string };

  beforeEach(async () => {
    await fillCell();
    user = await db.createUser(selectOn(...LIVE, ...SHADOW), 'SSL');
    const { port } = db;
    const host = 'localhost';
    json = { host, port, username: user.user, password: user.password, dbname: cell.database };
  });

  test('the server’s certificate is verified with the CA in a JSON secret', async () => {
    await stage.setSecret(JSON.stringify({ ...json, ssl_ca: db.ca }));
    expect(await flaws()).toEqual(NONE);
  });

  test('the server’s certificate is verified with the CA in a DSN', async () => {
    expect(await flawsAs(user, `?ssl=verify&ssl_ca=${encodeURIComponent(db.ca ?? '')}`)).toEqual(NONE);
  });

  test('without the CA the certificate is refused, with a word about the CA', async () => {
    expect(await refusalOf(user, '')).toMatch(
      /does not know the authority that signed .*; give that authority as ssl_ca/,
    );
  });

  test('with ssl=off the server refuses the user', async () => {
    expect(await refusalOf(user)).toMatch(/refuses the user .*REQUIRE SSL/);
  });

  test('nothing falls back to plain text: a user who may come without TLS is not let in without the CA either', async () => {
    const plain = await db.createUser(selectOn(...LIVE, ...SHADOW));
    expect(await refusalOf(plain, '')).toMatch(/does not know the authority that signed the certificate/);
    expect(await timesLetIn(plain)).toBe(0);
    expect(await flawsAs(plain)).toEqual(NONE);
    // Once to ask for the time there, by a first run, and once to read.
    expect(await timesLetIn(plain)).toBe(2);
  });
});

async function timesLetIn({ user }: DatabaseUser): Promise<number> {
  const [row] = await db.query(
    'SELECT TOTAL_CONNECTIONS AS times FROM information_schema.USER_STATISTICS WHERE USER = ?',
    [user],
  );
  return Number(row?.['times'] ?? 0);
}
