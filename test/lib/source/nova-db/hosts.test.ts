import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { DAY, MINUTE } from '../../../../lib/core/time.ts';
import { type Drop, readObject } from '../../../support/drops.ts';
import { type MariaDb, startMariaDb } from '../../../support/mariadb/index.ts';
import { type Hosts, hostsOf } from '../../../support/nova/hosts.ts';
import { type Scene, at, startScene } from '../../../support/nova/scene.ts';
import { sqlTime } from '../../../support/nova/sql-time.ts';

// The database has the clock of the test, which is not this machine's.
vi.mock('../../../../lib/drop/clocks.ts', () => ({ refuseWrongClock: async () => undefined }));

let db: MariaDb;
let scene: Scene;
let hosts: Hosts;

beforeAll(async () => {
  db = await startMariaDb();
});
afterAll(() => db.stop());
beforeEach(async () => {
  scene = await startScene(db, ['cell1'], { env: { STAR_TABLES: 'instance_events' } });
  hosts = hostsOf(scene.cell('cell1'));
  await scene.run(runOf('01'));
  Object.assign(scene.stage.env, { STAR_TABLES: 'machines,machine_events' });
  await open('cell1');
});
afterEach(async () => {
  await db.query("SET GLOBAL init_connect = ''");
  await scene.stop();
});

/** Opens cells by a user whose connections have the clock of the test, as no superuser's have. */
async function open(...names: string[]): Promise<void> {
  const dsns: [string, string][] = [];
  for (const name of names) dsns.push([name, scene.cell(name).dsn(await scene.cell(name).reader())]);
  await scene.stage.setSecret(JSON.stringify({ cells: Object.fromEntries(dsns), ssl: 'off' }));
}

/** Publishes the window of a day, when the database's clock says that it is due. */
async function run(day: string): Promise<void> {
  await db.query(`SET GLOBAL init_connect = 'SET timestamp = ${runOf(day)}'`);
  await scene.run(runOf(day));
}

/** When the window of a day of June is published. */
const runOf = (day: string): number => at(`${day} 00:45`) + DAY;

const rowsOf = (drop: Drop | undefined, table: string) => drop?.tables[table]?.['jsonl'] ?? [];
/** `CREATE cmp-1 2025-06-02T10:00:00Z recorded`, with the lower bound where there is one. */
const eventsOf = (drop: Drop | undefined): string[] =>
  rowsOf(drop, 'machine_events').map((row) =>
    ['event', 'host', 'event_time', 'basis', 'not_before']
      .map((name) => row[name] ?? '')
      .map(String)
      .filter((value) => value !== '')
      .join(' '),
  );
const last = async (): Promise<Drop | undefined> => (await scene.drops()).at(-1);
/** What a bounded row says without its times, which are those of the reads. */
const withoutTimes = (rows: readonly string[]): string[] =>
  rows.map((row) => row.replace(/(\S+) (\S+) \S+ bounded \S+/, '$1 $2 bounded'));
const state = async (): Promise<string> =>
  (await readObject(scene.stage.client, 'cloud=test/state/checkpoint.json')).toString('utf8');

describe('A first run', () => {
  test('opens with the hosts that there are, and tells what is recorded of the window', async () => {
    await hosts.add('cmp-1', at('01 08:00'));
    await hosts.add('cmp-2', at('01 08:00'));
    await hosts.disable('cmp-2', at('01 09:00'));
    await hosts.beat('cmp-2', at('01 10:00'));
    await hosts.add('cmp-3', at('02 10:00'));
    await hosts.add('cmp-4', at('01 08:00'));
    await hosts.remove('cmp-4', at('02 11:00'));
    await hosts.add('cmp-5', at('01 08:00'));
    await hosts.remove('cmp-5', at('01 12:00'));
    await hosts.add('cmp-6', at('03 00:10'));
    await run('02');
    const drop = await last();
    expect(eventsOf(drop).toSorted()).toEqual(
      [
        'CREATE cmp-1 2025-06-01T08:00:00Z opening',
        'ENABLE cmp-1 2025-06-01T08:00:00Z opening',
        'CREATE cmp-2 2025-06-01T08:00:00Z opening',
        'ENABLE cmp-2 2025-06-01T08:00:00Z assumed',
        'DISABLE cmp-2 2025-06-01T08:00:00Z opening',
        'CREATE cmp-4 2025-06-01T08:00:00Z opening',
        'ENABLE cmp-4 2025-06-01T08:00:00Z assumed',
        'DELETE cmp-4 2025-06-02T11:00:00Z recorded',
        'CREATE cmp-3 2025-06-02T10:00:00Z recorded',
        'ENABLE cmp-3 2025-06-02T10:00:00Z assumed',
      ].toSorted(),
    );
    expect(
      rowsOf(drop, 'machines')
        .map(({ host, deleted_time: deleted, enabled }) => [host, deleted, enabled])
        .toSorted(([a], [b]) => String(a).localeCompare(String(b))),
    ).toEqual([
      ['cmp-1', null, true],
      ['cmp-2', null, false],
      ['cmp-3', null, true],
      ['cmp-4', '2025-06-02T11:00:00Z', true],
    ]);
    expect(drop?.manifest.tables['machine_events']).toMatchObject({
      reading: { reads: 1, longestGapSeconds: null },
      basis: { opening: 5, assumed: 3, recorded: 2 },
      cannotShow: ['changes undone between two reads are not in this table'],
      counts: { instances: 4 },
    });
  });
});

describe('A later run', () => {
  beforeEach(async () => {
    await hosts.add('cmp-1', at('01 08:00'));
    await hosts.add('cmp-2', at('01 08:00'));
    await hosts.beat('cmp-1', at('02 12:00'));
    await hosts.beat('cmp-2', at('02 12:00'));
    await run('02');
  });

  test('tells that a host was enabled also where it has gone again', async () => {
    await hosts.add('cmp-3', at('03 10:00'));
    await hosts.remove('cmp-3', at('03 11:00'));
    await run('03');
    expect(eventsOf(await last())).toEqual([
      'CREATE cmp-3 2025-06-03T10:00:00Z recorded',
      'ENABLE cmp-3 2025-06-03T10:00:00Z assumed',
      'DELETE cmp-3 2025-06-03T11:00:00Z recorded',
    ]);
  });

  test('tells nothing where nothing has changed', async () => {
    await hosts.beat('cmp-1', at('03 12:00'));
    await run('03');
    expect(eventsOf(await last())).toEqual([]);
    const { reading } = (await last())?.manifest.tables['machine_events'] ?? {};
    expect(reading).toEqual({ reads: 1, longestGapSeconds: DAY });
  });

  test('tells changes with bounds where no time is recorded, and exactly where the host was dead', async () => {
    await hosts.disable('cmp-1', at('03 10:00'));
    await hosts.beat('cmp-1', at('03 12:00'));
    await hosts.disable('cmp-2', at('03 10:00'));
    await run('03');
    expect(withoutTimes(eventsOf(await last()))).toEqual([
      'DISABLE cmp-2 2025-06-03T10:00:00Z recorded',
      'DISABLE cmp-1 bounded',
    ]);
    await hosts.enable('cmp-1', at('04 10:00'));
    await hosts.resize('cmp-1', 128, at('04 11:00'));
    await hosts.beat('cmp-1', at('04 12:00'));
    await run('04');
    const drop = await last();
    expect(withoutTimes(eventsOf(drop)).toSorted()).toEqual(['ENABLE cmp-1 bounded', 'UPDATE cmp-1 bounded']);
    expect(rowsOf(drop, 'machines')).toContainEqual(
      expect.objectContaining({ host: 'cmp-1', enabled: true, vcpus: 128 }),
    );
  });

  test('leaves to the next window what is recorded to have come after this one', async () => {
    await hosts.disable('cmp-2', at('04 00:10'));
    await hosts.add('cmp-3', at('04 00:20'));
    await hosts.remove('cmp-1', at('04 00:30'));
    await run('03');
    const third = await last();
    expect(eventsOf(third)).toEqual([]);
    expect(
      rowsOf(third, 'machines')
        .map(({ host, enabled, deleted_time: gone }) => [host, enabled, gone])
        .toSorted(([a], [b]) => String(a).localeCompare(String(b))),
    ).toEqual([
      ['cmp-1', true, null],
      ['cmp-2', true, null],
    ]);
    await run('04');
    expect(eventsOf(await last())).toEqual([
      'DISABLE cmp-2 2025-06-04T00:10:00Z recorded',
      'CREATE cmp-3 2025-06-04T00:20:00Z recorded',
      'ENABLE cmp-3 2025-06-04T00:20:00Z assumed',
      'DELETE cmp-1 2025-06-04T00:30:00Z recorded',
    ]);
  });

  test('names a removed host after it was archived, and counts one that was purged as vanished', async () => {
    await hosts.remove('cmp-1', at('03 10:00'));
    await hosts.archive();
    await run('03');
    expect(eventsOf(await last())).toEqual(['DELETE cmp-1 2025-06-03T10:00:00Z recorded']);
    await hosts.remove('cmp-2', at('04 10:00'));
    await hosts.archive();
    await hosts.purge();
    await run('04');
    const drop = await last();
    expect(eventsOf(drop)).toEqual([]);
    expect(drop?.manifest.tables['machine_events']?.counts.skipped).toEqual({ vanished: 1 });
    await run('05');
    expect((await last())?.manifest.tables['machine_events']?.counts).toMatchObject({ rows: 0, skipped: {} });
  });

  test('takes a host that was removed and came back for two, and a renamed hypervisor for one', async () => {
    await hosts.remove('cmp-1', at('03 10:00'));
    await hosts.add('cmp-1', at('03 10:00:40'));
    await hosts.rename('cmp-2', 'other.example', at('03 11:00'), { vcpus: 96 });
    await run('03');
    const drop = await last();
    expect(eventsOf(drop)).toEqual([
      'DELETE cmp-1 2025-06-03T10:00:00Z recorded',
      'CREATE cmp-1 2025-06-03T10:00:40Z recorded',
      'ENABLE cmp-1 2025-06-03T10:00:40Z assumed',
      'UPDATE cmp-2 2025-06-03T11:00:01Z recorded',
    ]);
    expect(rowsOf(drop, 'machines').filter(({ host }) => host === 'cmp-2')).toMatchObject([
      { created_time: '2025-06-01T08:00:00Z', deleted_time: null, vcpus: 96 },
    ]);
    await run('04');
    expect(eventsOf(await last())).toEqual([]);
  });

  test('takes a hypervisor that is undeleted in place for one that comes back', async () => {
    await hosts.remove('cmp-1', at('03 10:00'));
    await run('03');
    await hosts.undelete('cmp-1', at('04 10:00'));
    await run('04');
    expect(withoutTimes(eventsOf(await last()))).toEqual([
      'CREATE cmp-1 bounded',
      expect.stringMatching(/^ENABLE cmp-1 \S+ assumed$/),
    ]);
    await run('05');
    expect(eventsOf(await last())).toEqual([]);
  });

  test('counts a host that is forced down as disabled where the operator says so', async () => {
    await hosts.forceDown('cmp-1', at('03 10:00'));
    await run('03');
    expect(eventsOf(await last())).toEqual([]);
    Object.assign(scene.stage.env, { STAR_FORCED_DOWN_AS: 'DISABLE' });
    await run('04');
    expect(withoutTimes(eventsOf(await last()))).toEqual(['DISABLE cmp-1 bounded']);
  });

  test('refuses to take the hosts of a cell for gone that the secret leaves out', async () => {
    await scene.addCell('cell2');
    await open('cell1', 'cell2');
    await run('03');
    await open('cell1');
    await expect(run('04')).rejects.toThrow('secret: cells: cell2 is missing');
  });

  test('keeps no name in the state, and reads the tables once for both', async () => {
    expect(await state()).not.toMatch(/cmp-1|example/);
  });
});

describe('With a stateKey', () => {
  const key = async (name: string): Promise<void> => {
    await scene.stage.createSecret(name, new Uint8Array(randomBytes(32)));
    Object.assign(scene.stage.env, { STAR_STATE_KEY: name });
  };
  const purge = async (host: string, time: number): Promise<void> => {
    await hosts.remove(host, time);
    await hosts.archive();
    await hosts.purge();
  };

  test('a host that was purged between two reads is named, and sealed until then', async () => {
    await key('one');
    await hosts.add('cmp-1', at('01 08:00'));
    await run('02');
    expect(await state()).not.toMatch(/cmp-1|example/);
    await purge('cmp-1', at('03 10:00'));
    await run('03');
    const drop = await last();
    expect(withoutTimes(eventsOf(drop))).toEqual(['DELETE cmp-1 bounded']);
    expect(rowsOf(drop, 'machines')).toMatchObject([{ host: 'cmp-1', up: false }]);
    expect(rowsOf(drop, 'machines')[0]?.['deleted_time']).not.toBeNull();
    await run('04');
    expect(eventsOf(await last())).toEqual([]);
  });

  test('a host that was purged and came back between two reads is told to be gone before it came', async () => {
    await key('one');
    await hosts.add('cmp-1', at('01 08:00'));
    await run('02');
    await purge('cmp-1', at('03 10:00'));
    await hosts.add('cmp-1', at('03 12:00'));
    await run('03');
    expect(eventsOf(await last())).toEqual([
      'DELETE cmp-1 2025-06-03T11:59:59Z bounded 2025-06-03T00:45:00Z',
      'CREATE cmp-1 2025-06-03T12:00:00Z recorded',
      'ENABLE cmp-1 2025-06-03T12:00:00Z assumed',
    ]);
  });

  test('a key that was changed costs names, and nothing else', async () => {
    await key('one');
    await hosts.add('cmp-1', at('01 08:00'));
    await hosts.add('cmp-2', at('01 08:00'));
    await run('02');
    await key('two');
    await purge('cmp-1', at('03 10:00'));
    await run('03');
    expect(eventsOf(await last())).toEqual([]);
    expect((await last())?.manifest.tables['machine_events']?.counts.skipped).toEqual({ vanished: 1 });
    // The other name was sealed again with the new key.
    await purge('cmp-2', at('04 10:00'));
    await run('04');
    expect(withoutTimes(eventsOf(await last()))).toEqual(['DELETE cmp-2 bounded']);
  });

  test('of another length is refused before anything is opened', async () => {
    await scene.stage.createSecret('short', new Uint8Array(16));
    Object.assign(scene.stage.env, { STAR_STATE_KEY: 'short' });
    await expect(run('02')).rejects.toThrow('STAR_STATE_KEY: holds 16 bytes; accepted: 32');
  });
});

describe('With the database of Placement', () => {
  test('the times of a disable and of a new capacity are recorded', async () => {
    const placement = await db.database('placement');
    const ddl = await readFile(new URL('../../../support/nova/placement.sql', import.meta.url), 'utf8');
    const pool = db.pool(placement);
    await pool.query(ddl);
    await pool.query("INSERT INTO traits (id, name) VALUES (11, 'COMPUTE_STATUS_DISABLED')");
    const uuid = await hosts.add('cmp-1', at('01 08:00'));
    await pool.query('INSERT INTO resource_providers (id, uuid) VALUES (1, ?)', [uuid]);
    const inventory =
      'resource_provider_id, resource_class_id, total, reserved, min_unit, max_unit, step_size, allocation_ratio';
    await pool.query(`INSERT INTO inventories (${inventory}) VALUES (1, 0, 64, 0, 1, 64, 1, 16)`);
    const user = await db.createUser([
      `SELECT ON \`${scene.cell('cell1').database}\`.*`,
      `SELECT ON \`${placement}\`.*`,
    ]);
    const cells = { cell1: scene.cell('cell1').dsn(user) };
    await scene.stage.setSecret(JSON.stringify({ cells, placement: db.dsn(placement, user), ssl: 'off' }));
    await hosts.beat('cmp-1', at('02 12:00'));
    await run('02');

    await hosts.disable('cmp-1', at('03 10:00'));
    await pool.query(
      'INSERT INTO resource_provider_traits (trait_id, resource_provider_id, created_at) VALUES (11, 1, ?)',
      [sqlTime(at('03 10:00:01'))],
    );
    await hosts.resize('cmp-1', 128, at('03 11:00'));
    await pool.query('UPDATE inventories SET total = 128, updated_at = ?', [sqlTime(at('03 11:00:02'))]);
    await hosts.beat('cmp-1', at('03 12:00'));
    await run('03');
    expect(eventsOf(await last())).toEqual([
      'DISABLE cmp-1 2025-06-03T10:00:01Z recorded',
      'UPDATE cmp-1 2025-06-03T11:00:02Z recorded',
    ]);
    await pool.query('DELETE FROM resource_provider_traits');
    await pool.query(
      'INSERT INTO resource_provider_traits (trait_id, resource_provider_id, created_at) VALUES (11, 1, ?)',
      [sqlTime(at('04 10:00'))],
    );
    await hosts.beat('cmp-1', at('04 12:00'));
    await run('04');
    // The one change and back that can be proved.
    expect(eventsOf(await last())).toEqual([
      'ENABLE cmp-1 2025-06-04T10:00:00Z bounded 2025-06-04T00:45:00Z',
      'DISABLE cmp-1 2025-06-04T10:00:00Z recorded',
    ]);
    await pool.query(`DROP DATABASE \`${placement}\``);
  });
});

test('a rack is what the pattern finds in the hypervisor’s name', async () => {
  Object.assign(scene.stage.env, { STAR_RACK_PATTERN: '^(\\w+)-' });
  await hosts.add('cmp-1', at('01 08:00'));
  await hosts.rename('cmp-1', 'r07-u12.example', at('01 09:00'));
  await hosts.add('cmp-2', at('01 08:00'));
  await run('02');
  expect(Object.fromEntries(rowsOf(await last(), 'machines').map(({ host, rack }) => [host, rack]))).toEqual({
    'cmp-1': 'r07',
    'cmp-2': 'cmp',
  });
});

test('where masks do not join, the time at which a host came is cut to the day', async () => {
  Object.assign(scene.stage.env, { STAR_MASKING: 'sha2-salted', STAR_ALLOW_UNSAFE_MASKING: '' });
  await hosts.add('cmp-1', at('01 08:00'));
  await hosts.add('cmp-2', at('02 08:00') + MINUTE);
  await run('02');
  const created = rowsOf(await last(), 'machines').map((row) => String(row['created_time']));
  expect(created.toSorted((a, b) => a.localeCompare(b))).toEqual([
    '2025-06-01T00:00:00Z',
    '2025-06-02T08:01:00Z',
  ]);
});

describe('A user without the rights to the tables of hosts', () => {
  const grants = (...tables: string[]): string[] =>
    tables.map((table) => `SELECT ON \`${scene.cell('cell1').database}\`.${table}`);
  const SIX = ['instances', 'instance_actions', 'instance_actions_events'].flatMap((table) => [
    table,
    `shadow_${table}`,
  ]);

  test('is told which grants are missing, and how to do without', async () => {
    const user = await db.createUser(grants(...SIX));
    await scene.stage.setSecret(
      JSON.stringify({ cells: { cell1: scene.cell('cell1').dsn(user) }, ssl: 'off' }),
    );
    await expect(run('02')).rejects.toThrow(
      'cell cell1: the table(s) services, shadow_services, compute_nodes, shadow_compute_nodes may not be read, or are ' +
        'missing; grant SELECT on them, or leave the tables of machines out with STAR_TABLES=instance_events,instances',
    );
    Object.assign(scene.stage.env, { STAR_TABLES: 'instance_events,instances' });
    await run('02');
    expect(Object.keys((await last())?.tables ?? {})).toEqual(['instance_events', 'instances']);
  });

  test('may have them by table', async () => {
    const user = await db.createUser(
      grants(...SIX, 'services', 'shadow_services', 'compute_nodes', 'shadow_compute_nodes'),
    );
    await scene.stage.setSecret(
      JSON.stringify({ cells: { cell1: scene.cell('cell1').dsn(user) }, ssl: 'off' }),
    );
    await hosts.add('cmp-1', at('01 08:00'));
    await run('02');
    expect(rowsOf(await last(), 'machines')).toHaveLength(1);
  });
});
