import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { DAY } from '../../../lib/core/time.ts';
import { BLAZAR_COLUMNS } from '../../../lib/source/blazar-db/schema.ts';
import { type Drop, listKeys, readObject } from '../../support/drops.ts';
import { type DatabaseUser, type MariaDb, startMariaDb } from '../../support/mariadb/index.ts';
import { examined, only } from '../doctor/examined.ts';
import { type Dump, NODES, type ServiceDatabase, loadDump } from '../../support/nova/baremetal.ts';
import { type Scene, at, startScene } from '../../support/nova/scene.ts';

// The database has the clock of the test, which is not this machine's.
vi.mock('../../../lib/drop/clocks.ts', () => ({ refuseWrongClock: async () => undefined }));

const TABLES = 'instance_events,instances,machines,machine_events,leases,lease_events';
const [NODE_1, NODE_2] = Object.keys(NODES) as [string, string];

let db: MariaDb;
let scene: Scene;
let ironic: ServiceDatabase;
let blazar: ServiceDatabase;

beforeAll(async () => {
  db = await startMariaDb();
});
afterAll(() => db.stop());
afterEach(async () => {
  await db.query("SET GLOBAL init_connect = ''");
  await scene.stop();
  for (const { database } of [ironic, blazar]) await db.query(`DROP DATABASE \`${database}\``);
});

async function start(dump: Dump = 'blazar', env: Record<string, string> = {}): Promise<void> {
  scene = await startScene(db, ['cell1'], {
    env: { STAR_MACHINES: 'baremetal', STAR_TABLES: TABLES, ...env },
  });
  [ironic, blazar] = [await loadDump(db, 'ironic'), await loadDump(db, dump)];
  // One nova-compute stands for all nodes, of which it knows no capacity.
  for (const uuid of Object.keys(NODES))
    await scene.cell('cell1').query(
      `INSERT INTO compute_nodes (uuid, hypervisor_hostname, host, hypervisor_type, created_at, deleted, vcpus, memory_mb,
         local_gb, vcpus_used, memory_mb_used, local_gb_used, hypervisor_version, cpu_info)
       VALUES (?, ?, 'bm-01', 'ironic', '2025-06-02 20:39:08', 0, 0, 0, 0, 0, 0, 0, 1, '')`,
      [uuid, uuid],
    );
  await openAs(await reader());
}

const reader = (): Promise<DatabaseUser> =>
  db.createUser([scene.cell('cell1'), ironic, blazar].map(({ database }) => `SELECT ON \`${database}\`.*`));

async function openAs(user: DatabaseUser): Promise<void> {
  await scene.stage.setSecret(
    JSON.stringify({
      cells: { cell1: scene.cell('cell1').dsn(user) },
      ironic: ironic.dsn(user),
      blazar: blazar.dsn(user),
      ssl: 'off',
    }),
  );
}

async function run(day: string): Promise<Drop> {
  const time = at(`${day} 00:45`) + DAY;
  await db.query(`SET GLOBAL init_connect = 'SET timestamp = ${time}'`);
  await scene.run(time);
  const drop = (await scene.drops()).at(-1);
  if (drop === undefined) throw new Error('no drop');
  return drop;
}

async function key(name: string): Promise<void> {
  await scene.stage.createSecret(name, new Uint8Array(randomBytes(32)));
  Object.assign(scene.stage.env, { STAR_STATE_KEY: name });
}

const rowsOf = ({ tables }: Drop, table: string) => tables[table]?.['jsonl'] ?? [];
const skippedOf = ({ manifest }: Drop, table: string) => manifest.tables[table]?.counts.skipped;
const short = (value: unknown): string => String(value).slice(0, 8);

describe('A first run over the dumps of a real Ironic and Blazar', () => {
  beforeEach(() => start());

  test('tells the nodes with capacity, properties and rack', async () => {
    const drop = await run('02');
    const machines = rowsOf(drop, 'machines').toSorted((a, b) =>
      String(a['host']).localeCompare(String(b['host'])),
    );
    expect(
      machines.map(({ host, vcpus, memory_mb: mb, rack, up, enabled }) => [
        short(host),
        vcpus,
        mb,
        rack,
        up,
        enabled,
      ]),
    ).toEqual([
      ['ab158808', 48, 262_144, null, true, true],
      ['b02f16ab', 48, 131_072, 'r07', true, true],
      ['c8a47748', 64, 196_608, null, true, true],
    ]);
    expect(JSON.parse(String(machines[1]?.['properties']))).toEqual({
      node_type: 'compute_haswell_bm',
      'architecture.platform_type': null,
      'main_memory.ram_size': null,
      'architecture.smt_size': null,
      'architecture.smp_size': null,
      'storage_devices.0.size': null,
      resource_class: 'baremetal',
    });
    const events = rowsOf(drop, 'machine_events').map(({ event, host, basis }) =>
      [event, short(host), basis].join(' '),
    );
    expect(events.toSorted()).toEqual(
      ['ab158808', 'b02f16ab', 'c8a47748']
        .flatMap((node) => [`CREATE ${node} recorded`, `ENABLE ${node} assumed`])
        .toSorted(),
    );
  });

  test('tells each lease and what became of it', async () => {
    const drop = await run('02');
    expect(
      rowsOf(drop, 'lease_events').map((row) =>
        [
          String(row['event_time']).slice(11, 19),
          short(row['lease_id']),
          row['event'],
          row['status'],
          row['nodes'] ?? '-',
          row['basis'],
        ].join(' '),
      ),
    ).toMatchInlineSnapshot(`
      [
        "20:42:06 5624050e CREATE PENDING - recorded",
        "20:42:10 e453538f CREATE PENDING - recorded",
        "20:42:22 e453538f START ACTIVE - recorded",
        "20:42:23 5624050e START ACTIVE - recorded",
        "20:44:11 5624050e END TERMINATED - recorded",
        "20:48:14 e453538f END TERMINATED - recorded",
        "20:54:56 9bea3f53 CREATE PENDING 1 recorded",
        "20:55:01 c0ddb73c CREATE PENDING 1 recorded",
        "20:55:05 d4825d6d CREATE PENDING 1 recorded",
        "20:55:11 0310860d CREATE PENDING 2 recorded",
        "20:55:14 c0ddb73c START ACTIVE 1 recorded",
        "20:55:26 0310860d START ACTIVE 2 recorded",
        "20:57:10 d4825d6d ERROR ERROR 1 recorded",
      ]
    `);
    const leases = rowsOf(drop, 'leases');
    expect(leases.map(({ status }) => String(status)).toSorted()).toEqual([
      'ACTIVE',
      'ACTIVE',
      'ERROR',
      'PENDING',
      'TERMINATED',
      'TERMINATED',
    ]);
    const onNode = leases.find(({ hosts }) => hosts === NODE_1);
    expect(onNode).toMatchObject({
      status: 'ACTIVE',
      nodes: 1,
      start_time: '2025-06-02T20:55:00Z',
      started_time: '2025-06-02T20:55:14Z',
    });
    const asked = rowsOf(drop, 'lease_events').find(
      ({ lease_id: id, event }) => id === onNode?.['lease_id'] && event === 'START',
    );
    expect(asked).toMatchObject({
      resource_type: 'physical:host',
      reservation_status: 'active',
      min: 1,
      max: 1,
    });
    expect(JSON.parse(String(asked?.['properties']))).toEqual({
      resource_properties: ['==', '$node_type', 'compute_haswell_bm'],
    });
  });

  test('is followed by one that tells nothing, and each row is in one drop', async () => {
    await run('02');
    const drop = await run('03');
    expect(['machine_events', 'lease_events'].map((table) => rowsOf(drop, table))).toEqual([[], []]);
    expect(drop.manifest.tables['lease_events']?.reading).toEqual({ reads: 1, longestGapSeconds: DAY });
    // What had ended before the window is no longer in the snapshot.
    expect(
      rowsOf(drop, 'leases')
        .map(({ status }) => String(status))
        .toSorted(),
    ).toEqual(['ACTIVE', 'ACTIVE', 'ERROR', 'PENDING']);
  });

  test('opens with what there was, where the trace begins later', async () => {
    const drop = await run('03');
    const opened = rowsOf(drop, 'lease_events').map(({ event, status, basis }) =>
      [event, status, basis].join(' '),
    );
    expect(opened.toSorted()).toEqual(
      [
        ...Array.from({ length: 4 }, () => 'CREATE PENDING opening'),
        ...Array.from({ length: 2 }, () => 'START ACTIVE opening'),
        'ERROR ERROR opening',
      ].toSorted(),
    );
    expect(drop.manifest.tables['lease_events']?.basis).toEqual({ opening: 7 });
  });
});

describe('What is gone without a trace', () => {
  beforeEach(() => start());

  /** Nova has no row of it either: it was purged. */
  async function removeNode(uuid: string): Promise<void> {
    await ironic.query('DELETE FROM node_traits');
    await ironic.query('DELETE FROM nodes WHERE uuid = ?', [uuid]);
    await scene.cell('cell1').query('DELETE FROM compute_nodes WHERE uuid = ?', [uuid]);
  }
  async function removeLease(status: string): Promise<void> {
    await blazar.query('SET foreign_key_checks = 0');
    const [lease] = await blazar.query('SELECT id FROM leases WHERE status = ? ORDER BY id LIMIT 1', [
      status,
    ]);
    const connection = await blazar.pool.getConnection();
    await connection.query('SET foreign_key_checks = 0');
    await connection.query('DELETE FROM leases WHERE id = ?', [lease?.['id']]);
    await connection.query('SET foreign_key_checks = 1');
    connection.release();
  }

  test('is counted as vanished without a stateKey, once', async () => {
    await run('02');
    await removeNode(NODE_1);
    await removeLease('ACTIVE');
    const drop = await run('03');
    expect([skippedOf(drop, 'machine_events'), skippedOf(drop, 'lease_events')]).toEqual([
      { vanished: 1 },
      { vanished: 1 },
    ]);
    expect(['machine_events', 'lease_events'].map((table) => rowsOf(drop, table))).toEqual([[], []]);
    const next = await run('04');
    expect([skippedOf(next, 'machine_events'), skippedOf(next, 'lease_events')]).toEqual([{}, {}]);
  });

  test('is named with one, with its hosts, also after the password of the DSN has changed', async () => {
    await key('one');
    await run('02');
    await removeNode(NODE_1);
    await removeLease('ACTIVE');
    await openAs(await reader());
    const drop = await run('03');
    expect(rowsOf(drop, 'machine_events')).toMatchObject([
      { event: 'DELETE', host: NODE_1, basis: 'bounded', vcpus: 48 },
    ]);
    const [row] = rowsOf(drop, 'lease_events');
    expect(row).toMatchObject({ event: 'DELETE', status: 'DELETED', basis: 'bounded' });
    expect(row?.['hosts']).toBeTruthy();
    expect([skippedOf(drop, 'machine_events'), skippedOf(drop, 'lease_events')]).toEqual([{}, {}]);
    expect(rowsOf(await run('04'), 'lease_events')).toEqual([]);
  });

  test('costs its name, and nothing else, where the stateKey was changed', async () => {
    await key('one');
    await run('02');
    await key('two');
    await removeNode(NODE_1);
    await removeLease('ACTIVE');
    const drop = await run('03');
    expect([skippedOf(drop, 'machine_events'), skippedOf(drop, 'lease_events')]).toEqual([
      { vanished: 1 },
      { vanished: 1 },
    ]);
    // The names of the others are sealed with the new key now, and no opening row is written again.
    expect(['machine_events', 'lease_events'].map((table) => rowsOf(drop, table))).toEqual([[], []]);
    await removeLease('PENDING');
    expect(rowsOf(await run('04'), 'lease_events')).toMatchObject([{ event: 'DELETE', status: 'DELETED' }]);
  });

  test('a node that Nova still knows is named without a key, at the time when Nova noticed', async () => {
    await run('02');
    await ironic.query('DELETE FROM node_traits');
    await ironic.query('DELETE FROM nodes WHERE uuid = ?', [NODE_2]);
    await scene
      .cell('cell1')
      .query("UPDATE compute_nodes SET deleted = id, deleted_at = '2025-06-03 10:00:30' WHERE uuid = ?", [
        NODE_2,
      ]);
    const drop = await run('03');
    expect(rowsOf(drop, 'machine_events')).toMatchObject([
      {
        event: 'DELETE',
        host: NODE_2,
        event_time: '2025-06-03T10:00:30Z',
        basis: 'recorded',
        memory_mb: 262_144,
      },
    ]);
    expect(rowsOf(await run('04'), 'machine_events')).toEqual([]);
  });
});

describe('A fork that keeps deleted rows', () => {
  test('tells of a lease that came and went between two reads, with its host', async () => {
    await start('blazar-chameleon');
    const drop = await run('02');
    expect(
      rowsOf(drop, 'lease_events').map(({ event, status, basis, hosts }) => [event, status, basis, hosts]),
    ).toEqual([
      ['CREATE', 'PENDING', 'recorded', NODE_1],
      ['START', 'ACTIVE', 'assumed', NODE_1],
      ['END', 'TERMINATED', 'assumed', NODE_1],
      ['DELETE', 'DELETED', 'recorded', NODE_1],
    ]);
    expect(rowsOf(drop, 'leases')).toMatchObject([{ status: 'DELETED', hosts: NODE_1, nodes: 1 }]);
    expect(rowsOf(await run('03'), 'lease_events')).toEqual([]);
  });
});

test('Blazar’s master has what is read where it has changed a table', async () => {
  await start();
  const master = await loadDump(db, 'blazar-master-schema');
  const rows = await master.query(
    'SELECT table_name AS t, column_name AS c FROM information_schema.columns WHERE table_schema = ?',
    [master.database],
  );
  const changed = new Set(rows.map(({ t }) => String(t)));
  const read = Object.entries(BLAZAR_COLUMNS).filter(([table]) => changed.has(table));
  expect(read.map(([table]) => table)).toEqual(['leases', 'reservations', 'events', 'computehosts']);
  for (const [table, columns] of read) {
    const there = rows.filter(({ t }) => t === table).map(({ c }) => String(c));
    expect(columns.filter((column) => !there.includes(column))).toEqual([]);
  }
  await db.query(`DROP DATABASE \`${master.database}\``);
});

describe('Older tables of capabilities', () => {
  const rackAndType = async (): Promise<unknown[]> => {
    const node = rowsOf(await run('02'), 'machines').find(({ host }) => host === NODE_1);
    return [
      node?.['rack'],
      (JSON.parse(String(node?.['properties'])) as Record<string, unknown>)['node_type'],
    ];
  };

  test.each([
    [
      'with the names in them',
      'ALTER TABLE computehost_extra_capabilities DROP FOREIGN KEY computehost_resource_property_id_fk, ADD capability_name VARCHAR(64);UPDATE computehost_extra_capabilities c JOIN resource_properties p ON p.id = c.property_id SET capability_name = property_name;ALTER TABLE computehost_extra_capabilities DROP property_id;DROP TABLE resource_properties',
    ],
    [
      'with the names beside them',
      'ALTER TABLE computehost_extra_capabilities DROP FOREIGN KEY computehost_resource_property_id_fk, CHANGE property_id capability_id VARCHAR(36);RENAME TABLE resource_properties TO extra_capabilities;ALTER TABLE extra_capabilities CHANGE property_name capability_name VARCHAR(64)',
    ],
  ])('%s are read', async (_, statements) => {
    await start();
    for (const statement of statements.split(';')) await blazar.query(statement);
    expect(await rackAndType()).toEqual(['r07', 'compute_haswell_bm']);
  });

  test('a private property is not told', async () => {
    await start();
    await blazar.query("UPDATE resource_properties SET private = 1 WHERE property_name = 'node_type'");
    expect(await rackAndType()).toEqual(['r07', null]);
  });
});

describe('A user with the rights of the documentation', () => {
  test('may publish all tables', async () => {
    await start();
    const page = await readFile(new URL('../../../docs/bare-metal.md', import.meta.url), 'utf8');
    const grants = [...page.matchAll(/^GRANT (SELECT \(.*\) ON) (ironic|blazar)\.(\w+) TO/gm)];
    expect(grants.length).toBeGreaterThan(9);
    const names = { ironic: ironic.database, blazar: blazar.database };
    const user = await db.createUser([
      `SELECT ON \`${scene.cell('cell1').database}\`.*`,
      ...grants.map(
        ([, select, of, table]) => `${select} \`${names[of as 'ironic' | 'blazar']}\`.\`${table}\``,
      ),
    ]);
    await openAs(user);
    const drop = await run('02');
    expect([rowsOf(drop, 'machines').length, rowsOf(drop, 'leases').length]).toEqual([3, 6]);
    expect(rowsOf(drop, 'machines').find(({ host }) => host === NODE_1)?.['rack']).toBe('r07');
  });

  test('is told what is missing', async () => {
    await start();
    const user = await db.createUser([
      `SELECT ON \`${scene.cell('cell1').database}\`.*`,
      `SELECT (id) ON \`${blazar.database}\`.leases`,
      `SELECT (uuid) ON \`${ironic.database}\`.nodes`,
    ]);
    await openAs(user);
    await expect(run('02')).rejects.toThrow(
      /^ironic: its table nodes may not be read, or is missing; grant SELECT \(uuid, created_at/,
    );
    Object.assign(scene.stage.env, { STAR_TABLES: 'leases,lease_events' });
    await expect(run('02')).rejects.toThrow(
      /^blazar: may not be read, or is missing: leases \(created_at, .*\), reservations \(id, .*; grant SELECT/,
    );
  });

  test('is refused before anything is read where the secret has no such database', async () => {
    await start();
    await scene.stage.setSecret(JSON.stringify({ cells: { cell1: scene.cell('cell1').dsn() }, ssl: 'off' }));
    await expect(run('02')).rejects.toThrow(
      'secret: ironic: got nothing, but machines comes from its database; accepted: its DSN beside cells, or STAR_TABLES without machines',
    );
    Object.assign(scene.stage.env, { STAR_TABLES: 'lease_events' });
    await expect(run('02')).rejects.toThrow(
      'secret: blazar: got nothing, but lease_events comes from its database',
    );
  });
});

describe('The doctor', () => {
  test('finds the tables of all services readable, or says which columns are not', async () => {
    await start();
    const secretAs = (user: DatabaseUser): string =>
      JSON.stringify({
        cells: { cell1: scene.cell('cell1').dsn(user) },
        ironic: ironic.dsn(user),
        blazar: blazar.dsn(user),
        ssl: 'off',
      });
    const all = await reader();
    const findings = await examined(secretAs(all), [all.password]);
    expect([only(findings, 'tables', 'ironic').found, only(findings, 'tables', 'blazar').found]).toEqual([
      'readable',
      'readable',
    ]);
    const few = await db.createUser([
      `SELECT ON \`${scene.cell('cell1').database}\`.*`,
      `SELECT (uuid) ON \`${ironic.database}\`.nodes`,
      `SELECT (id) ON \`${blazar.database}\`.leases`,
    ]);
    const lacking = await examined(secretAs(few), [few.password]);
    expect(only(lacking, 'tables', 'ironic').found).toMatch(
      /^may not be read, or are missing: nodes \(uuid, created_at/,
    );
    expect(only(lacking, 'tables', 'blazar').found).toMatch(/leases \(created_at, .*reservations \(id/);
  });
});

/** Stands at both ends of what is marked. No mask is like it, for it is not hexadecimal. */
const MARK = 'zq9x';

describe('Of marks in every column of Ironic’s and Blazar’s tables', () => {
  /** What the readers go by, or what is published by design. */
  const KEPT: Readonly<Record<string, readonly string[]>> = {
    nodes: ['uuid', 'provision_state', 'resource_class', 'properties'],
    leases: ['status'],
    events: ['event_type', 'status'],
    resource_properties: ['property_name'],
    computehost_reservations: ['count_range', 'resource_properties'],
    computehosts: ['hypervisor_hostname'],
  };

  async function mark(service: ServiceDatabase): Promise<number> {
    const { database } = service;
    const query = (sql: string, params?: unknown[]) => service.query(sql, params);
    const constraints = await query(
      "SELECT table_name AS t, constraint_name AS c FROM information_schema.table_constraints WHERE table_schema = ? AND constraint_type = 'FOREIGN KEY'",
      [database],
    );
    for (const { t, c } of constraints)
      await query(`ALTER TABLE \`${String(t)}\` DROP FOREIGN KEY \`${String(c)}\``);
    const columns = await query(
      "SELECT table_name AS t, column_name AS c, column_key AS k FROM information_schema.columns WHERE table_schema = ? AND data_type IN ('varchar', 'text', 'mediumtext', 'longtext')",
      [database],
    );
    const toMark = columns.filter(({ t, c }) => KEPT[String(t)]?.includes(String(c)) !== true);
    for (const { t, c, k } of toMark) {
      const [table, column] = [`\`${String(t)}\``, `\`${String(c)}\``];
      // Keys are marked alike in every table, so that they still join.
      const isKey = k !== '' || /(^|_)(id|uuid)$/.test(String(c));
      await query(`ALTER TABLE ${table} MODIFY ${column} ${isKey ? 'varchar(120)' : 'text'}`);
      const value = isKey ? column : `'${String(c)}'`;
      await query(
        `UPDATE ${table} SET ${column} = CONCAT('${MARK}-', ${value}, '-${MARK}')${isKey ? ` WHERE ${column} IS NOT NULL` : ''}`,
      );
    }
    return toMark.length;
  }

  test('none is in any byte that leaves, sealed state included', async () => {
    await start('blazar', {
      STAR_MASKING: 'sha2-salted',
      STAR_ALLOW_UNSAFE_MASKING: 'false',
      STAR_FORMATS: 'csv,jsonl,parquet',
      STAR_FORMAT_VERSION: '0.3',
    });
    await key('state');
    await ironic.query(
      `UPDATE nodes SET properties = JSON_SET(properties, '$.serial', '${MARK}-serial-${MARK}', '$.capabilities', 'rack:${MARK}-rack-${MARK}')`,
    );
    await blazar.query(
      `UPDATE computehost_reservations SET resource_properties = '["and", ["==", "$uid", "${MARK}-uid-${MARK}"], ["==", "$node_type", "${MARK}-asked-${MARK}"]]'`,
    );
    // Whatever is configured is published: of the others there is one with a mark.
    await blazar.query(
      `INSERT INTO resource_properties (id, resource_type, property_name, private) VALUES ('own', 'physical:host', '${MARK}-name-${MARK}', 0)`,
    );
    await blazar.query(
      `INSERT INTO computehost_extra_capabilities (id, computehost_id, capability_value, property_id) VALUES ('c', '6', '${MARK}-value-${MARK}', 'own')`,
    );
    Object.assign(scene.stage.env, { STAR_NODE_PROPERTIES: 'resource_class,cpu_arch' });
    expect(await mark(ironic)).toBeGreaterThan(30);
    expect(await mark(blazar)).toBeGreaterThan(20);
    const first = await run('02');
    expect(first.manifest.tables['leases']?.counts.rows).toBe(6);
    expect(first.manifest.tables['machines']?.counts.rows).toBe(3);
    await ironic.query('DELETE FROM nodes WHERE uuid = ?', [NODE_1]);
    await blazar.pool.query("UPDATE leases SET status = 'TERMINATED', end_date = end_date + INTERVAL 1 HOUR");
    await blazar.pool.query("UPDATE events SET status = 'DONE', updated_at = '2025-06-03 12:00:00'");
    const second = await run('03');
    expect(second.manifest.tables['lease_events']?.counts.rows).toBeGreaterThan(3);
    const keys = await listKeys(scene.stage.client);
    expect(keys.length).toBeGreaterThan(20);
    for (const name of keys) {
      const bytes = await readObject(scene.stage.client, name);
      const plain = name.endsWith('.gz')
        ? gunzipSync(bytes)
        : name.endsWith('.zst')
          ? zstdDecompressSync(bytes)
          : bytes;
      const text = plain.toString('latin1');
      expect([name, text.includes(MARK), text.includes(NODE_1), text.includes('osrig')]).toEqual([
        name,
        false,
        false,
        false,
      ]);
    }
  });
});
