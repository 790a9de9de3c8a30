import { readFile } from 'node:fs/promises';
import { type Socket, createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { DatabaseConnection } from '../../../lib/connection/connection.ts';
import { parseSecret } from '../../../lib/connection/secret.ts';
import { type Finding, verdictOf } from '../../../lib/doctor/doctor.ts';
import { tlsFinding } from '../../../lib/doctor/database/login.ts';
import { teller } from '../../../lib/doctor/finding.ts';
import { databaseSource } from '../../../lib/source/nova-db/nova-db.ts';
import { REQUIRED } from '../../../lib/source/nova-db/schema.ts';
import { DAY } from '../../../lib/core/time.ts';
import { listenOnLoopback } from '../../support/listen-on-loopback.ts';
import { type DatabaseUser, type MariaDb, startMariaDb } from '../../support/mariadb/index.ts';
import { upsert } from '../../support/nova/rows.ts';
import { loadSample } from '../../support/nova/sample.ts';
import { type Cell, type CellOptions, createCell } from '../../support/nova/schema.ts';
import { sqlTime } from '../../support/nova/sql-time.ts';
import { SETTLE_SECONDS, examined, only, troubles } from './examined.ts';

const LIVE = ['instances', 'instance_actions', 'instance_actions_events'];
const SHADOW = LIVE.map((table) => `shadow_${table}`);
const HOSTS = ['services', 'compute_nodes', 'shadow_services', 'shadow_compute_nodes'];

let db: MariaDb;
let cells: Cell[];

beforeAll(async () => {
  db = await startMariaDb({ tls: true });
});
afterAll(() => db.stop());
beforeEach(() => {
  cells = [];
});
afterEach(async () => {
  for (const { database } of cells) await db.query(`DROP DATABASE \`${database}\``);
});

async function addCell(name: string, options?: CellOptions): Promise<Cell> {
  const cell = await createCell(db, name, options);
  cells.push(cell);
  return cell;
}

/** What a real Nova left behind in its two cells. */
async function addSample(): Promise<Record<'cell1' | 'cell0', Cell>> {
  const sample = await loadSample(db);
  cells.push(sample.cell1, sample.cell0);
  return sample;
}

/** Of the tables of physical hosts, too, unless told otherwise. */
const selectOn = ({ database, shadow }: Cell, tables: readonly string[], others = HOSTS): string[] =>
  [...tables, ...others.filter((table) => shadow || !table.startsWith('shadow_'))].map(
    (table) => `SELECT ON \`${database}\`.\`${table}\``,
  );

const grantsOn = (...of: Cell[]): string[] => of.flatMap((cell) => selectOn(cell, [...LIVE, ...SHADOW]));

function secretOf(user: DatabaseUser, of: Record<string, Cell>): string {
  const dsns = Object.entries(of).map(([name, cell]) => [name, cell.dsn(user)]);
  return JSON.stringify({ cells: Object.fromEntries(dsns), ssl: 'off' });
}

const examinedAs = (user: DatabaseUser, of: Record<string, Cell>): Promise<Finding[]> =>
  examined(secretOf(user, of), [user.user, user.password]);

/** Whether a run by that user would read the tables. */
async function runRefuses(user: DatabaseUser, of: Record<string, Cell>): Promise<boolean> {
  const { cells: connections } = (await parseSecret(secretOf(user, of))) as DatabaseConnection;
  const source = databaseSource(
    { cells: connections, services: {} },
    {
      retiredCells: new Set(),
      seal: undefined,
      forcedDownDisables: false,
      bareMetal: undefined,
      leaseProperties: [],
    },
  );
  return source.history({ start: 0, end: DAY }, new AbortController().signal).then(
    () => false,
    () => true,
  );
}

describe('with SELECT on the tables of both cells of a real Nova’s databases', () => {
  test('all is fine, and said of every table', async () => {
    const sample = await addSample();
    const findings = await examinedAs(await db.createUser(grantsOn(sample.cell1, sample.cell0)), sample);
    expect(troubles(findings)).toEqual([]);
    const tables = findings.filter(({ of, check }) => of === 'cell0' && check.startsWith('table '));
    expect(tables.map(({ check }) => check.slice(6)).toSorted()).toEqual([...LIVE, ...SHADOW].toSorted());
    expect(only(findings, 'time zone', 'cell1').found).toMatch(/^\+00:00 in this session, /);
    expect(only(findings, 'history', 'cell1').found).toMatch(/^events from 2026-11-23 to 2026-11-23/);
    expect(only(findings, 'archived history', 'cell1').found).toMatch(/^none/);
    expect(only(findings, 'cell0').found).toBe(`cell0 (${sample.cell0.database})`);
  });

  test('archived history is told with its own dates', async () => {
    const { cell1 } = await addSample();
    const columns = cell1.columns.instance_actions_events.join();
    await cell1.query(
      `INSERT INTO shadow_instance_actions_events (${columns}) SELECT ${columns} FROM instance_actions_events ` +
        'WHERE id < 10; UPDATE shadow_instance_actions_events SET ' +
        'start_time = start_time - INTERVAL 1 YEAR, created_at = created_at - INTERVAL 1 YEAR; DELETE FROM instance_actions_events WHERE id < 10',
    );
    const findings = await examinedAs(await cell1.reader(), { cell1 });
    expect(only(findings, 'archived history').found).toMatch(/^events from 2025-11-23 to 2025-11-23/);
    expect(only(findings, 'history').found).toMatch(/^events from 2025-11-23 to 2026-11-23/);
  });

  test('events that are open for more than 30 days are counted, and no others', async () => {
    const cell1 = await addCell('cell1');
    const day = (ago: number): string => sqlTime(Date.now() / 1000 - ago * DAY);
    const event = (id: number, ago: number, open: boolean): object => ({
      id,
      event: 'compute_stop_instance',
      action_id: id,
      created_at: day(ago),
      start_time: day(ago),
      finish_time: open ? null : day(ago),
      deleted: 0,
    });
    const days = [90, 80, 70, 60, 50, 40, 20, 10, 1];
    const rows = days.flatMap((ago, at) => [event(2 * at + 1, ago, true), event(2 * at + 2, ago, false)]);
    // No action stands behind them, which does not matter here.
    await cell1.query(
      'ALTER TABLE instance_actions_events DROP FOREIGN KEY IF EXISTS instance_actions_events_ibfk_1',
    );
    await upsert(cell1, 'instance_actions_events', rows as Record<string, unknown>[]);
    const findings = await examinedAs(await cell1.reader(), { cell1 });
    expect(only(findings, 'open events').found).toMatch(/^6 for more than 30 days/);
  });
});

describe('a user who may not read a table', () => {
  test.each([...LIVE, ...SHADOW])(
    '%s: that is fatal, as for a run, and all else is examined',
    async (table) => {
      const cell1 = await addCell('cell1');
      const others = [...LIVE, ...SHADOW].filter((name) => name !== table);
      const user = await db.createUser(selectOn(cell1, others));
      const findings = await examinedAs(user, { cell1 });
      expect(troubles(findings)).toEqual([`fatal: cell1: table ${table}`]);
      expect(only(findings, `table ${table}`)).toMatchObject({
        found: 'may not be read, or is missing',
        remedy: expect.stringContaining(`grant SELECT on ${table}`),
      });
      for (const other of others) expect(only(findings, `table ${other}`).verdict).toBe('fine');
      expect(await runRefuses(user, { cell1 })).toBe(true);
    },
  );

  test('but for a column: that is fatal, as for a run', async () => {
    const cell1 = await addCell('cell1');
    const columns = `SELECT (${REQUIRED.instances.filter((column) => column !== 'node').join(', ')})`;
    const user = await db.createUser([
      ...selectOn(cell1, [...LIVE.slice(1), ...SHADOW]),
      `${columns} ON \`${cell1.database}\`.instances`,
    ]);
    const findings = await examinedAs(user, { cell1 });
    expect(only(findings, 'table instances')).toMatchObject({
      verdict: 'fatal',
      found: 'lacks the column node, or it may not be read',
    });
    expect(await runRefuses(user, { cell1 })).toBe(true);
  });
});

describe('a Nova without shadow tables', () => {
  test('is told as one to a user of the whole database, and read by a run', async () => {
    const cell1 = await addCell('cell1', { shadow: false });
    const user = await cell1.reader();
    const findings = await examinedAs(user, { cell1 });
    expect(troubles(findings)).toEqual(['lacking: cell1: shadow tables', 'lacking: cell0']);
    expect(only(findings, 'shadow tables').found).toBe('this Nova has none');
    expect(await runRefuses(user, { cell1 })).toBe(false);
  });

  test('cannot be told from one with tables that are not granted by a user of the live ones, and a run refuses', async () => {
    const cell1 = await addCell('cell1', { shadow: false });
    const user = await db.createUser(selectOn(cell1, LIVE));
    const findings = await examinedAs(user, { cell1 });
    expect(troubles(findings)).toEqual([
      'fatal: cell1: table shadow_instance_actions_events',
      'fatal: cell1: table shadow_instance_actions',
      'fatal: cell1: table shadow_instances',
    ]);
    expect(only(findings, 'table shadow_instances').remedy).toMatch(/or on the whole database/);
    expect(await runRefuses(user, { cell1 })).toBe(true);
  });

  test('but for one table is half a one, and a run refuses', async () => {
    const cell1 = await addCell('cell1');
    await cell1.query('DROP TABLE shadow_instance_actions');
    const user = await cell1.reader();
    const findings = await examinedAs(user, { cell1 });
    expect(troubles(findings)).toEqual(['fatal: cell1: table shadow_instance_actions']);
    expect(await runRefuses(user, { cell1 })).toBe(true);
  });
});

test('a Nova that keeps no host of events lacks where they ran, and is read', async () => {
  const cell1 = await addCell('cell1', { eventHost: false });
  const user = await cell1.reader();
  const findings = await examinedAs(user, { cell1 });
  expect(troubles(findings)).toEqual(['lacking: cell1: hosts of events', 'lacking: cell0']);
  expect(await runRefuses(user, { cell1 })).toBe(false);
});

test('a table outside of InnoDB is in no snapshot', async () => {
  const cell1 = await addCell('cell1');
  await cell1.query('ALTER TABLE shadow_instances ENGINE=Aria');
  const findings = await examinedAs(await cell1.reader(), { cell1 });
  expect(only(findings, 'storage engine')).toMatchObject({
    verdict: 'lacking',
    found: 'shadow_instances is Aria',
  });
});

describe('where nobody is let in', () => {
  test('a wrong password is the login’s fault', async () => {
    const cell1 = await addCell('cell1');
    const { user } = await cell1.reader();
    const findings = await examinedAs({ user, password: 'certainly wrong' }, { cell1 });
    expect(troubles(findings)).toEqual(['fatal: cell1: login']);
    expect(only(findings, 'connection')).toMatchObject({
      verdict: 'fine',
      found: `127.0.0.1:${db.port} answers`,
    });
    expect(only(findings, 'login').found).toBe('the server refuses the user (ER_ACCESS_DENIED_ERROR)');
  });

  test('a port where nothing listens is the connection’s', async () => {
    const cell1 = await addCell('cell1');
    const user = await cell1.reader();
    const port = await portOf((socket) => socket.destroy(), { closed: true });
    const secret = cell1.dsn(user).replace(`:${db.port}`, `:${port}`);
    const findings = await examined(`${secret}?ssl=off`, [user.user, user.password]);
    expect(troubles(findings)).toEqual(['fatal: cell1: connection']);
    expect(only(findings, 'connection').found).toBe(
      `127.0.0.1:${port}: nothing listens there (ECONNREFUSED)`,
    );
  });

  test('a host that is not known is the connection’s', async () => {
    const password = 'never sent';
    const findings = await examined(`mysql://someone:${encodeURIComponent(password)}@nova-db.invalid/nova`, [
      'someone',
      password,
    ]);
    expect(only(findings, 'connection')).toMatchObject({
      verdict: 'fatal',
      found: 'nova-db.invalid:3306: the host name is not known here',
    });
  });

  test('what answers and is no database is the connection’s', async () => {
    const port = await portOf((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const findings = await examined(`mysql://someone:secret-of-nobody@127.0.0.1:${port}/nova?ssl=off`, [
      'secret-of-nobody',
    ]);
    expect(only(findings, 'connection').verdict).toBe('fatal');
    expect(only(findings, 'connection').found).toMatch(/is no MariaDB or MySQL, or broke off/);
  });

  test('a database that is not there is told apart from one that is not Nova’s', async () => {
    const cell1 = await addCell('cell1');
    const { rootUser: user, rootPassword: password } = db;
    const gone = await examined(`${cell1.dsn()}_gone?ssl=off`, [password]);
    expect(only(gone, 'database')).toMatchObject({
      verdict: 'fatal',
      found: `${cell1.database}_gone: there is no database of that name (ER_BAD_DB_ERROR)`,
    });
    const other = await db.database('something_else');
    const alien = await examined(`${db.dsn(other, { user, password })}?ssl=off`, [password]);
    expect(alien.filter(({ verdict }) => verdict === 'fatal')).toMatchObject([
      { check: 'database', found: `${other}: has none of Nova’s tables of servers` },
    ]);
    await db.query(`DROP DATABASE \`${other}\``);
  });

  test('a database that the user may not use is the database’s', async () => {
    const cell1 = await addCell('cell1');
    const findings = await examinedAs(await db.createUser([]), { cell1 });
    expect(troubles(findings)).toEqual(['fatal: cell1: database']);
    expect(only(findings, 'login').verdict).toBe('fine');
  });
});

describe('TLS', () => {
  let cell1: Cell;
  let user: DatabaseUser;
  const dsn = (parameters: string): string =>
    `${cell1.dsn(user).replace('127.0.0.1', 'localhost')}${parameters}`;
  const tls = async (parameters: string): Promise<Finding> => {
    const findings = await examined(dsn(parameters), [user.user, user.password]);
    return only(findings, 'TLS');
  };

  beforeEach(async () => {
    cell1 = await addCell('cell1');
    user = await db.createUser(grantsOn(cell1), 'SSL');
  });

  test('that is on is verified by the authority in the secret', async () => {
    expect(await tls(`?ssl_ca=${encodeURIComponent(db.ca ?? '')}`)).toMatchObject({
      verdict: 'fine',
      found: expect.stringMatching(/^TLSv1\.\d, certificate and name verified by the given authority$/),
    });
  });

  test('is fatal where the certificate is not accepted', async () => {
    expect(await tls('')).toMatchObject({
      verdict: 'fatal',
      found: expect.stringContaining('does not know the authority that signed'),
      remedy: expect.stringContaining('ssl_ca'),
    });
  });

  test('that a user needs and the secret turns off shows as a refused login, with a word about it', async () => {
    const findings = await examined(dsn('?ssl=off'), [user.user, user.password]);
    expect(only(findings, 'login').remedy).toMatch(/REQUIRE SSL/);
  });

  test('that is off is fine on the loopback, and costs secrecy elsewhere', () => {
    const off = (offers: boolean, loopback: boolean): Finding =>
      tlsFinding({ tls: { mode: 'off' } }, { version: '', offers, loopback }, teller());
    expect(off(true, true).verdict).toBe('fine');
    expect(off(true, false)).toMatchObject({
      verdict: 'lacking',
      found: 'off, though the server offers it',
      remedy: expect.stringContaining('ssl=verify'),
      cost: expect.stringMatching(/a login by caching_sha2_password or sha256_password is refused/),
    });
    expect(off(false, false)).toMatchObject({ verdict: 'lacking', found: 'off, and the server offers none' });
  });

  test('is fatal where the secret wants it and the server has none', async () => {
    await using plain = await plainServer();
    const cell = await createCell(plain.db, 'cell1');
    const reader = await cell.reader();
    const secret = cell.dsn(reader).replace('127.0.0.1', 'localhost');
    expect(only(await examined(secret, [reader.password]), 'TLS')).toMatchObject({
      verdict: 'fatal',
      found: 'the server offers no TLS (HANDSHAKE_NO_SSL_SUPPORT)',
    });
    const off = await examined(`${secret}?ssl=off`, [reader.password]);
    expect(only(off, 'TLS').verdict).toBe('fine');
  });
});

describe('a database server whose clock differs', () => {
  /** Its sessions live at another time from now on, those of administrators excepted. */
  const clockBy = async (cell: Cell, seconds: number): Promise<Finding> => {
    await db.query(`SET GLOBAL init_connect = 'SET timestamp = UNIX_TIMESTAMP(SYSDATE(6)) + ${seconds}'`);
    try {
      return only(await examinedAs(await cell.reader(), { cell1: cell }), 'clock');
    } finally {
      await db.query("SET GLOBAL init_connect = ''");
    }
  };

  test('costs nothing by a second', async () => {
    const cell1 = await addCell('cell1');
    expect((await clockBy(cell1, -1)).verdict).toBe('fine');
  });

  test('and is behind takes that from the settle time', async () => {
    const cell1 = await addCell('cell1');
    expect(await clockBy(cell1, -600)).toMatchObject({
      verdict: 'lacking',
      found: 'the database server is 10 min behind this machine',
      cost: expect.stringContaining('of the settle time of 30 min 20 min are left'),
      remedy: expect.stringContaining('raise settleMinutes by'),
    });
  });

  test('and is behind by more than the settle time has windows read before they have ended', async () => {
    const cell1 = await addCell('cell1');
    expect((await clockBy(cell1, -2 * SETTLE_SECONDS)).cost).toMatch(/before they have ended there/);
  });

  test('and is ahead costs no row', async () => {
    const cell1 = await addCell('cell1');
    expect(await clockBy(cell1, 60)).toMatchObject({
      verdict: 'lacking',
      found: 'the database server is 60 s ahead of this machine',
      cost: expect.stringMatching(/^no row/),
    });
  });
});

describe('several cells', () => {
  test('of which none is cell0 lack its builds, and one that can be seen is named', async () => {
    const { cell1, cell0 } = await addSample();
    const both = await db.createUser(grantsOn(cell1, cell0));
    const findings = await examinedAs(both, { cell1 });
    expect(troubles(findings)).toEqual(['lacking: cell0']);
    expect(only(findings, 'cell0')).toMatchObject({
      cost: expect.stringContaining('builds for which no host was found'),
      remedy: expect.stringContaining(`add the database ${cell0.database} on 127.0.0.1:${db.port}`),
    });
    const one = await examinedAs(await db.createUser(grantsOn(cell1)), { cell1 });
    expect(only(one, 'cell0').remedy).toMatch(/usually nova_cell0/);
  });

  test('know cell0 by its servers, which never had a host, where it bears another name', async () => {
    const { cell1, cell0 } = await addSample();
    const nowhere = await addCell('nowhere');
    await upsert(nowhere, 'instances', await cell0.query('SELECT * FROM instances'));
    const user = await db.createUser(grantsOn(cell1, nowhere));
    const findings = await examinedAs(user, { cell1, nowhere });
    expect(troubles(findings)).toEqual([]);
    expect(only(findings, 'cell0').found).toBe(`nowhere (${nowhere.database})`);
  });

  test('whose names are swapped are noticed by the hosts in cell0', async () => {
    const { cell1, cell0 } = await addSample();
    const user = await db.createUser(grantsOn(cell1, cell0));
    const findings = await examinedAs(user, { cell0: cell1, cell1: cell0 });
    expect(only(findings, 'cell0')).toMatchObject({
      verdict: 'lacking',
      found: `cell0 (${cell1.database}) holds servers with a host, so it is another cell`,
    });
  });

  test('lack another that the user can see', async () => {
    const { cell1, cell0 } = await addSample();
    const cell2 = await addCell('cell2');
    const user = await db.createUser(grantsOn(cell1, cell0, cell2));
    const findings = await examinedAs(user, { cell1, cell0 });
    expect(troubles(findings)).toEqual(['lacking: other cells']);
    expect(only(findings, 'other cells').found).toContain(`${cell2.database} on 127.0.0.1:${db.port}`);
  });

  test('of which two are one, by another name of its host, are refused', async () => {
    const { cell1, cell0 } = await addSample();
    const user = await db.createUser(grantsOn(cell1, cell0));
    const secret = JSON.stringify({
      cells: {
        cell1: cell1.dsn(user),
        cell2: cell1.dsn(user).replace('127.0.0.1', 'localhost'),
        cell0: cell0.dsn(user),
      },
      ssl: 'off',
    });
    const findings = await examined(secret, [user.user, user.password]);
    expect(only(findings, 'same database')).toMatchObject({
      verdict: 'fatal',
      found: expect.stringMatching(/^cell1 and cell2 are one database/),
    });
  });

  test('of which one is out of reach are examined all the same', async () => {
    const { cell1, cell0 } = await addSample();
    const user = await db.createUser(grantsOn(cell1));
    const findings = await examinedAs(user, { cell0, cell1 });
    expect(verdictOf(findings)).toBe('fatal');
    expect(troubles(findings)).toEqual(['fatal: cell0: database']);
    expect(only(findings, 'history', 'cell1').verdict).toBe('fine');
  });
});

test('privileges to write are named, and no hash of a password', async () => {
  const cell1 = await addCell('cell1');
  const user = await db.createUser([`SELECT, INSERT, UPDATE ON \`${cell1.database}\`.*`]);
  expect(only(await examinedAs(user, { cell1 }), 'privileges')).toMatchObject({
    verdict: 'fine',
    found: `to read, and more than is needed: INSERT, UPDATE on ${cell1.database}.*`,
    remedy: expect.stringContaining('SELECT on ten tables'),
  });
  const root = await examined(`${cell1.dsn()}?ssl=off`, [db.rootPassword]);
  expect(only(root, 'privileges').found).toBe(
    'to read, and more than is needed: ALL PRIVILEGES, GRANT OPTION on *.*',
  );
  expect(JSON.stringify(root)).not.toMatch(/\*[0-9A-F]{40}/);
});

test('a replica is told as one, as far as it can be', async () => {
  const cell1 = await addCell('cell1');
  await db.query('SET GLOBAL read_only = 1');
  try {
    const findings = await examinedAs(await cell1.reader(), { cell1 });
    expect(only(findings, 'replica')).toMatchObject({
      verdict: 'fine',
      remedy: expect.stringContaining('settleMinutes'),
    });
  } finally {
    await db.query('SET GLOBAL read_only = 0');
  }
});

test('an examination that is given up ends at once with the reason', async () => {
  const cell1 = await addCell('cell1');
  const reason = new Error('given up');
  const { examine } = await import('../../../lib/doctor/doctor.ts');
  const connection = await parseSecret(`${cell1.dsn()}?ssl=off`);
  const options = { signal: AbortSignal.abort(reason), settleSeconds: SETTLE_SECONDS };
  await expect(examine(connection, options).next()).rejects.toBe(reason);
});

const listening: { stop: () => void }[] = [];
afterEach(() => {
  for (const { stop } of listening.splice(0)) stop();
});

/** A port where something listens that is no database, or where nothing does any more. */
async function portOf(serve: (socket: Socket) => void, { closed = false } = {}): Promise<number> {
  const server = createServer(serve);
  const port = await listenOnLoopback(server);
  if (closed) await new Promise((resolve) => server.close(resolve));
  else listening.push({ stop: () => server.close() });
  return port;
}

async function plainServer(): Promise<AsyncDisposable & { db: MariaDb }> {
  const plain = await startMariaDb();
  return { db: plain, [Symbol.asyncDispose]: () => plain.stop() };
}

test('a user without the tables of machines is told what they cost, and how to do without', async () => {
  const cell1 = await addCell('cell1');
  const cell0 = await addCell('cell0');
  const user = await db.createUser(
    [cell1, cell0].flatMap((cell) => selectOn(cell, [...LIVE, ...SHADOW], [])),
  );
  const findings = await examinedAs(user, { cell1, cell0 });
  expect(only(findings, 'tables of machines', 'cell1')).toMatchObject({
    verdict: 'lacking',
    cost: expect.stringContaining('machine_events'),
    remedy:
      'grant SELECT on services, shadow_services, compute_nodes, shadow_compute_nodes, or set ' +
      'STAR_TABLES=instance_events,instances',
  });
});

describe('Placement, where the secret has its database,', () => {
  const TABLES = ['resource_providers', 'inventories', 'resource_provider_traits', 'traits'];
  let placement: string;
  const findingsWith = async (tables: readonly string[]): Promise<Finding[]> => {
    const cell1 = await addCell('cell1');
    const cell0 = await addCell('cell0');
    const user = await db.createUser([
      ...grantsOn(cell1, cell0),
      ...tables.map((table) => `SELECT ON \`${placement}\`.\`${table}\``),
    ]);
    const dsns = { cell1: cell1.dsn(user), cell0: cell0.dsn(user) };
    const secret = JSON.stringify({ cells: dsns, placement: db.dsn(placement, user), ssl: 'off' });
    return examined(secret, [user.password]);
  };

  beforeEach(async () => {
    placement = await db.database('placement');
    const ddl = await readFile(new URL('../../support/nova/placement.sql', import.meta.url), 'utf8');
    await db.pool(placement).query(ddl);
  });
  afterEach(() => db.query(`DROP DATABASE \`${placement}\``));

  test('is fine with all four grants', async () => {
    const findings = await findingsWith(TABLES);
    expect(only(findings, 'tables of Placement')).toMatchObject({
      of: 'placement',
      verdict: 'fine',
      found: 'readable: 0 resource providers',
    });
  });

  test.each(TABLES)('is reported, with its remedy, without the grant on %s', async (missing) => {
    const findings = await findingsWith(TABLES.filter((table) => table !== missing));
    expect(only(findings, 'tables of Placement')).toMatchObject({
      of: 'placement',
      verdict: 'lacking',
      cost: expect.stringContaining('machine_events') as string,
      remedy: expect.stringMatching(
        /^grant SELECT on resource_providers, .* or leave placement out/,
      ) as string,
    });
  });
});
