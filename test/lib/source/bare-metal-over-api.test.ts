import { randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { DAY } from '../../../lib/core/time.ts';
import { type Drop, listKeys, readDrops, readObject } from '../../support/drops.ts';
import { type MariaDb, startMariaDb } from '../../support/mariadb/index.ts';
import { NODES, type ServiceDatabase, loadDump } from '../../support/nova/baremetal.ts';
import { type BothSources, startBothSources, without } from '../../support/nova/both-sources.ts';
import { at } from '../../support/nova/scene.ts';
import type { OpenStackOptions } from '../../support/openstack/index.ts';
import { examined, only, troubles } from '../doctor/examined.ts';

// The databases have the clock of the test, which is not this machine's.
vi.mock('../../../lib/drop/clocks.ts', () => ({ refuseWrongClock: async () => undefined }));

/* The same Ironic and Blazar, of real dumps, read from their databases and over a fake of their APIs. */

const TABLES = ['machines', 'machine_events', 'leases', 'lease_events'];
const [NODE_1, NODE_2, NODE_3] = Object.keys(NODES) as [string, string, string];
const MARK = 'zq9x';

let db: MariaDb;
let both: BothSources;
let ironic: ServiceDatabase;
let blazar: ServiceDatabase;

beforeAll(async () => {
  db = await startMariaDb();
});
afterAll(() => db.stop());
beforeEach(async () => {
  [ironic, blazar] = [await loadDump(db, 'ironic'), await loadDump(db, 'blazar')];
  await planEnds('2025-06-20 00:00:00');
});
afterEach(async () => {
  await db.query("SET GLOBAL init_connect = ''");
  await both.stop();
  for (const { database } of [ironic, blazar]) await db.query(`DROP DATABASE \`${database}\``);
});

/** Of what has not ended. */
async function planEnds(time: string): Promise<void> {
  const open = "event_type = 'end_lease' AND status = 'UNDONE'";
  await blazar.query(
    `UPDATE leases SET end_date = ? WHERE id IN (SELECT lease_id FROM events WHERE ${open})`,
    [time],
  );
  await blazar.query(`UPDATE events SET time = ? WHERE ${open}`, [time]);
}

async function start(
  options: Partial<OpenStackOptions> = {},
  env: Record<string, string> = {},
): Promise<void> {
  // Pages of two nodes.
  both = await startBothSources(db, { ironic, blazar, maxLimit: 2, date: () => both.now, ...options });
  both.set({ STAR_MACHINES: 'baremetal', STAR_TABLES: ['instance_events', ...TABLES].join(), ...env });
  // `init_connect` is not for root.
  const user = await db.createUser(
    [...both.cells, ironic, blazar].map(({ database }) => `SELECT ON \`${database}\`.*`),
  );
  await both.fromDatabase.setSecret(
    JSON.stringify({
      cells: Object.fromEntries(both.cells.map((cell) => [cell.name, cell.dsn(user)])),
      ironic: ironic.dsn(user),
      blazar: blazar.dsn(user),
      ssl: 'off',
    }),
  );
  for (const stage of [both.overApi, both.fromDatabase]) await stage.createSecret('state', randomBytes(32));
}

async function run(day: string): Promise<{ database: Drop; api: Drop }> {
  const time = at(`${day} 00:45`) + DAY;
  await db.query(`SET GLOBAL init_connect = 'SET timestamp = ${time}'`);
  await both.live([], [time]);
  const [database, api] = [
    (await readDrops(both.fromDatabase.client)).at(-1),
    (await readDrops(both.overApi.client)).at(-1),
  ];
  if (database === undefined || api === undefined) throw new Error('no drop');
  return { database, api };
}

async function overApi(day: string): Promise<void> {
  both.now = at(`${day} 00:45`) + DAY;
  await both.overApi.run(both.now);
}

const rowsOf = ({ tables }: Drop, table: string) => tables[table]?.['jsonl'] ?? [];
const texts = (drop: Drop, table: string): string[] => rowsOf(drop, table).map((row) => JSON.stringify(row));

/** Rows that only one of the two has, as `table event host-or-status basis time`. */
function differences({ database, api }: { database: Drop; api: Drop }): {
  database: string[];
  api: string[];
} {
  const lacking = (one: Drop, other: Drop): string[] =>
    TABLES.flatMap((table) =>
      without(texts(one, table), texts(other, table)).map((text) => {
        const row = JSON.parse(text) as Record<string, unknown>;
        return [table, row['event'], row['basis'], row['event_time'], row['not_before']]
          .filter(Boolean)
          .join(' ');
      }),
    );
  return { database: lacking(database, api), api: lacking(api, database) };
}

describe('Nodes and leases over the APIs', () => {
  test('are those of the databases, field for field, from the first run on', async () => {
    await start({}, { STAR_STATE_KEY: 'state' });
    const first = await run('02');
    expect(TABLES.map((table) => rowsOf(first.api, table).length)).toEqual([3, 6, 6, 13]);
    expect(differences(first)).toEqual({ database: [], api: [] });
    const second = await run('03');
    expect(TABLES.map((table) => rowsOf(second.api, table).length)).toEqual([3, 0, 4, 0]);
    expect(differences(second)).toEqual({ database: [], api: [] });
  });

  test('change alike, but for the times of given hosts and of properties, and who was deleted', async () => {
    await start({}, { STAR_STATE_KEY: 'state' });
    await run('02');
    await ironic.query(
      "UPDATE nodes SET maintenance = 1, maintenance_reason = 'disk', updated_at = '2025-06-03 08:00:00' WHERE uuid = ?",
      [NODE_1],
    );
    await ironic.query(
      `UPDATE nodes SET properties = JSON_SET(properties, '$.cpus', 96), updated_at = '2025-06-03 09:00:00' WHERE uuid = ?`,
      [NODE_2],
    );
    await blazar.query(
      "UPDATE computehost_extra_capabilities SET capability_value = 'gpu_v100', updated_at = '2025-06-03 09:30:00' WHERE computehost_id = '6' AND capability_value = 'compute_haswell_bm'",
    );
    // The lease that waited starts, and gets another host; one that ran is extended; another one ends.
    const waiting = '9bea3f53-920d-4522-9fd3-ddd67ea24043';
    const running = 'c0ddb73c-fcbf-405f-9952-a2aa390b1582';
    const ending = '0310860d-2ad5-443f-8e96-9169c5b8535f';
    const later = '2025-06-29 00:00:00';
    await blazar.query('UPDATE leases SET end_date = ? WHERE id IN (?, ?)', [later, waiting, running]);
    await blazar.query(
      "UPDATE events SET time = ?, updated_at = '2025-06-03 07:00:00' WHERE event_type = 'end_lease' AND lease_id IN (?, ?)",
      [later, waiting, running],
    );
    await blazar.query(
      "UPDATE events SET status = 'DONE', updated_at = '2025-06-03 10:00:15' WHERE event_type = 'start_lease' AND lease_id = ?",
      [waiting],
    );
    await blazar.query("UPDATE leases SET status = 'ACTIVE' WHERE id = ?", [waiting]);
    await blazar.query(
      "UPDATE computehost_allocations SET compute_host_id = '2', updated_at = '2025-06-03 11:00:00' WHERE compute_host_id = '1'",
    );
    await blazar.query(
      "UPDATE events SET status = 'DONE', updated_at = '2025-06-03 12:00:11' WHERE event_type = 'end_lease' AND lease_id = ?",
      [ending],
    );
    await blazar.query("UPDATE leases SET status = 'TERMINATED' WHERE id = ?", [ending]);
    await blazar.query(
      'DELETE a FROM computehost_allocations a JOIN reservations r ON r.id = a.reservation_id WHERE r.lease_id = ?',
      [ending],
    );
    const drops = await run('03');
    const told = rowsOf(drops.api, 'lease_events').map(({ event }) => String(event));
    expect(told.toSorted()).toEqual(['END', 'START', 'UPDATE', 'UPDATE', 'UPDATE']);
    expect(
      rowsOf(drops.api, 'machine_events')
        .map(({ event }) => String(event))
        .toSorted(),
    ).toEqual(['DISABLE', 'UPDATE', 'UPDATE']);
    expect(differences(drops)).toEqual({
      database: [
        'machine_events UPDATE recorded 2025-06-03T09:30:00Z',
        'lease_events UPDATE recorded 2025-06-03T11:00:00Z',
      ],
      api: [
        'machine_events UPDATE bounded 2025-06-04T00:45:00Z 2025-06-03T00:45:00Z',
        'lease_events UPDATE bounded 2025-06-04T00:45:00Z 2025-06-03T00:45:00Z',
      ],
    });
    expect(differences(await run('04'))).toEqual({ database: [], api: [] });
  });

  test('are named in a DELETE with a stateKey, and counted as vanished without', async () => {
    const gone = async (): Promise<void> => {
      await ironic.query('DELETE FROM node_traits');
      await ironic.query('DELETE FROM nodes WHERE uuid = ?', [NODE_3]);
      const connection = await blazar.pool.getConnection();
      await connection.query('SET foreign_key_checks = 0');
      await connection.query("DELETE FROM leases WHERE status = 'PENDING'");
      await connection.query('SET foreign_key_checks = 1');
      connection.release();
    };
    await start();
    await both.overApi.run((both.now = at('03 00:45')));
    Object.assign(both.fromDatabase.env, { STAR_STATE_KEY: 'state' });
    await db.query(`SET GLOBAL init_connect = 'SET timestamp = ${both.now}'`);
    await both.fromDatabase.run(both.now);
    await gone();
    const { database, api } = await run('03');
    const counts = (drop: Drop) =>
      ['machine_events', 'lease_events'].map((table) => [
        rowsOf(drop, table).map(({ event }) => event),
        drop.manifest.tables[table]?.counts.skipped,
      ]);
    expect(counts(database)).toEqual([
      [['DELETE'], {}],
      [['DELETE'], {}],
    ]);
    expect(counts(api)).toEqual([
      [[], { vanished: 1 }],
      [[], { vanished: 1 }],
    ]);
  });

  test('say what could not be seen, and with how many requests', async () => {
    await start();
    const { api } = await run('02');
    const seen = Object.fromEntries(TABLES.map((table) => [table, api.manifest.tables[table]?.api?.unseen]));
    expect(seen).toEqual({
      machines: ['removedMachines', 'propertyTimes'],
      machine_events: ['removedMachines', 'propertyTimes'],
      leases: ['removedLeases', 'allocationTimes', 'overdueAllocations', 'reservationHints'],
      lease_events: ['removedLeases', 'allocationTimes', 'overdueAllocations', 'reservationHints'],
    });
    const asked = both.openstack
      .requests()
      .map(({ path, query }) => [path, query['marker'] ?? ''].join(' ').trim());
    const count = (path: string): number => asked.filter((one) => one === path).length;
    expect(count('/baremetal/v1/nodes/detail')).toBe(1);
    expect(count(`/baremetal/v1/nodes/detail ${NODE_2}`)).toBe(1);
    expect([count('/reservation/v1/leases'), count('/reservation/v1/os-hosts/allocations')]).toEqual([1, 1]);
  });

  test('tell no private property, and all of a Blazar that knows none', async () => {
    await start();
    await blazar.query("UPDATE resource_properties SET private = 1 WHERE property_name = 'node_type'");
    const { database, api } = await run('02');
    const typesOf = (drop: Drop): unknown[] =>
      rowsOf(drop, 'machines').map(
        ({ properties }) => (JSON.parse(String(properties)) as Record<string, unknown>)['node_type'],
      );
    expect([typesOf(database), typesOf(api)]).toEqual([
      [null, null, null],
      [null, null, null],
    ]);
    expect(differences({ database, api })).toEqual({ database: [], api: [] });
    await both.stop();
    await start({ blazarHasProperties: false });
    await overApi('02');
    const [old] = await readDrops(both.overApi.client);
    expect(typesOf(old!).filter((type) => type !== null)).toEqual(['compute_haswell_bm']);
  });

  test('of a lease whose planned end is over keep their hosts, though Blazar shows none any more', async () => {
    await start();
    await planEnds('2025-06-03 12:00:00');
    await run('02');
    const drops = await run('03');
    expect(rowsOf(drops.api, 'lease_events')).toEqual([]);
    const counts = (drop: Drop): string[] => rowsOf(drop, 'leases').map(({ nodes }) => String(nodes));
    expect(counts(drops.api).toSorted()).toEqual(['1', '1', '1', '2']);
    expect(counts(drops.api).toSorted()).toEqual(counts(drops.database).toSorted());
    // One that is seen for the first time then has hosts that nobody saw.
    await both.stop();
    await start();
    await overApi('03');
    const [first] = await readDrops(both.overApi.client);
    expect(counts(first!)).toEqual(['null', 'null', 'null', 'null']);
  });
});

describe('What goes wrong', () => {
  test.each([
    [
      'Ironic',
      { ironic: undefined },
      'Keystone: the catalogue has no baremetal service (Ironic) for this user and scope; accepted: a cloud with one, or STAR_TABLES without machines and machine_events',
    ],
    ['Blazar', { blazar: undefined }, 'the catalogue has no reservation service (Blazar)'],
    [
      'an Ironic that is new enough',
      { maxIronicMicroversion: '1.20' },
      'Ironic: the list of nodes: microversion 1.21 is refused (406); accepted: Ironic of Ocata or newer',
    ],
  ])('without %s a run says so, and publishes nothing', async (_, options, message) => {
    await start(options as Partial<OpenStackOptions>);
    await expect(overApi('02')).rejects.toThrow(message);
    expect(await readDrops(both.overApi.client)).toEqual([]);
  });

  test.each([
    ['/baremetal/v1/nodes/detail', 'Ironic: the list of nodes'],
    ['/reservation/v1/leases', 'Blazar: the list of leases'],
    ['/reservation/v1/os-hosts', 'Blazar: the list of hosts'],
    ['/reservation/v1/os-hosts/allocations', 'Blazar: the list of allocations'],
  ])('%s that is refused, or not as documented, fails the run, and tells no body', async (path, what) => {
    await start();
    both.openstack.onRequest = (request) =>
      request.path === path ? { status: 403, body: { error: 'trust-4711' } } : undefined;
    const service = what.split(':')[0];
    await expect(overApi('02')).rejects.toThrow(
      `${what}: this user may not see that (403); accepted: a user with the role that ${service}'s policy asks for`,
    );
    both.openstack.onRequest = (request) =>
      request.path === path ? { status: 200, body: { other: 'trust-4711' } } : undefined;
    await expect(overApi('02')).rejects.toThrow(
      new RegExp(`^${what}: the answer is not as documented, in \\w+$`),
    );
    // What fails now and then is tried again.
    let failures = 0;
    both.openstack.onRequest = (request) =>
      request.path === path && ++failures <= 2 ? { status: 503 } : undefined;
    await overApi('02');
    expect(failures).toBeGreaterThan(2);
    expect(await readDrops(both.overApi.client)).toHaveLength(1);
  });

  test('a trace of Nova’s hosts does not become one of nodes', async () => {
    await start({}, { STAR_MACHINES: 'vm' });
    await overApi('02');
    Object.assign(both.overApi.env, { STAR_MACHINES: 'baremetal' });
    await expect(overApi('03')).rejects.toThrow(
      'STAR_MACHINES: got "baremetal", but the trace tells of machines as vm',
    );
  });
});

test('no name, address, reason or trust that the APIs show is in any byte that leaves', async () => {
  await start(
    {},
    {
      STAR_MASKING: 'sha2-salted',
      STAR_ALLOW_UNSAFE_MASKING: 'false',
      STAR_FORMATS: 'csv,jsonl',
      STAR_STATE_KEY: 'state',
    },
  );
  await ironic.query(
    `UPDATE nodes SET name = CONCAT('${MARK}-', name), maintenance_reason = '${MARK}-reason', last_error = '${MARK}-error',
       driver_info = '{"ipmi_address": "${MARK}-bmc", "ipmi_password": "${MARK}-secret"}', extra = '{"serial": "${MARK}-serial"}'`,
  );
  await blazar.query(
    `UPDATE leases SET name = '${MARK}-name', trust_id = '${MARK}-trust', user_id = '${MARK}-user'`,
  );
  await blazar.query(
    `UPDATE computehosts SET trust_id = '${MARK}-trust', service_name = CONCAT('${MARK}-', service_name)`,
  );
  await overApi('02');
  await overApi('03');
  const keys = await listKeys(both.overApi.client);
  expect(keys.length).toBeGreaterThan(15);
  for (const key of keys) {
    const bytes = await readObject(both.overApi.client, key);
    const text = (key.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1');
    expect([key, text.includes(MARK), text.includes(NODE_1)]).toEqual([key, false, false]);
  }
});

test('the doctor finds both services, or says who does not let them be read', async () => {
  await start();
  const fine = await examined(both.openstack.secret(), [both.openstack.admin.password]);
  expect([only(fine, 'nodes', 'Ironic').found, only(fine, 'leases', 'Blazar').found]).toEqual([
    'shown',
    'shown, with 5 hosts',
  ]);
  both.openstack.onRequest = ({ path }) => (/nodes|os-hosts/.test(path) ? { status: 403 } : undefined);
  const lacking = await examined(both.openstack.secret(), [both.openstack.admin.password]);
  expect(troubles(lacking)).toEqual(
    expect.arrayContaining(['lacking: Ironic: nodes', 'lacking: Blazar: leases']),
  );
});
