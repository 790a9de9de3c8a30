import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../../lib/core/time.ts';
import { type Drop, listKeys, readDrops, readObject } from '../../support/drops.ts';
import { type DatabaseUser, type MariaDb, useMariaDb } from '../../support/mariadb/index.ts';
import { type BothSources, startBothSources } from '../../support/nova/both-sources.ts';
import { type Reservations, addReservations } from '../../support/nova/reservations.ts';
import { plainServer, upsert } from '../../support/nova/rows.ts';
import { replay } from '../../support/nova/history.ts';
import { sqlTime } from '../../support/nova/sql-time.ts';
import { examined, only } from '../doctor/examined.ts';

const START = Date.UTC(2026, 9, 1) / 1000;
const RUN = START + DAY + 45 * MINUTE;
const idOf = (nth: number): string => `a43090d2-dfd0-436c-a2f6-${String(nth).padStart(12, '0')}`;
const uuidOf = (nth: number): string => `5c3e0000-0000-4000-a000-${String(nth).padStart(12, '0')}`;

let db: MariaDb;
let both: BothSources;
let reservations: Reservations;

beforeAll(async () => {
  db = await useMariaDb();
});
afterAll(() => db.stop());
beforeEach(async () => {
  const flavorNames = new Map([[uuidOf(2), `reservation:${idOf(2)}`]]);
  both = await startBothSources(db, { flavorNames });
  both.set({ STAR_TABLES: 'instances' });
  const [cell] = both.cells;
  if (cell === undefined) throw new Error('no cell');
  reservations = await addReservations(db, cell);
  const server = (nth: number, zone = 'nova') => ({
    ...plainServer(nth, uuidOf(nth), START + nth * MINUTE),
    updated_at: sqlTime(START + HOUR),
    vm_state: 'active',
    availability_zone: zone,
  });
  await upsert(cell, 'instances', [
    server(1, `blazar_${idOf(1)}`),
    server(2),
    server(3),
    server(4),
    server(5),
    server(6),
  ]);
  await reservations.hint(uuidOf(1), idOf(9));
  await reservations.flavour(uuidOf(2), `reservation:${idOf(2)}`);
  await reservations.hint(uuidOf(2), idOf(9));
  await reservations.hint(uuidOf(3), idOf(3));
  await reservations.hint(uuidOf(4), 'the one of alice');
  await reservations.flavour(uuidOf(5), 'm1.small');
  await openAs(await reader());
});
afterEach(async () => {
  await both.stop();
  await db.query(`DROP DATABASE \`${reservations.novaApi.database}\``);
});

const reader = (grants: readonly string[] = []): Promise<DatabaseUser> =>
  db.createUser([
    ...(grants.length > 0
      ? grants
      : [...both.cells, reservations.novaApi].map(({ database }) => `SELECT ON \`${database}\`.*`)),
  ]);

function secretOf(user: DatabaseUser): string {
  const cells = Object.fromEntries(both.cells.map((cell) => [cell.name, cell.dsn(user)]));
  return JSON.stringify({ cells, nova_api: reservations.novaApi.dsn(user), ssl: 'off' });
}
const openAs = (user: DatabaseUser): Promise<void> => both.fromDatabase.setSecret(secretOf(user));

/** Numbers of servers with their reservation's. */
function toldBy(drop: Drop | undefined): Record<number, number | string | null> {
  const rows = drop?.tables['instances']?.['jsonl'] ?? [];
  const numbers = rows.map(({ uuid, reservation_id: id }) => [
    Number(String(uuid).slice(-12)),
    typeof id === 'string' && id.startsWith('a43090d2') ? Number(id.slice(-12)) : id,
  ]);
  return Object.fromEntries(numbers) as Record<number, number | string | null>;
}

test('A server names its reservation by its zone, else by its flavour, else by a hint that is an id', async () => {
  await both.fromDatabase.run(RUN);
  expect(toldBy((await readDrops(both.fromDatabase.client)).at(-1))).toEqual({
    1: 1,
    2: 2,
    3: 3,
    4: null,
    5: null,
    6: null,
  });
});

test('Over the API it does so, too, but for hints', async () => {
  both.now = RUN;
  await both.overApi.run(RUN);
  expect(toldBy((await readDrops(both.overApi.client)).at(-1))).toEqual({
    1: 1,
    2: 2,
    3: null,
    4: null,
    5: null,
    6: null,
  });
});

test('A secret without databases of leases looks for zones only, and so does one of an archived server', async () => {
  const [cell] = both.cells;
  if (cell === undefined) throw new Error('no cell');
  await replay([cell], [{ at: 0, cell: cell.name, table: 'instances', archive: uuidOf(2) }]).applyUntil(0);
  await cell.query('DELETE FROM instance_extra WHERE instance_uuid = ?', [uuidOf(2)]);
  await reservations.novaApi.pool.query('DELETE FROM request_specs WHERE instance_uuid = ?', [uuidOf(2)]);
  await both.fromDatabase.run(RUN);
  expect(toldBy((await readDrops(both.fromDatabase.client)).at(-1))).toMatchObject({ 1: 1, 2: null, 3: 3 });
  const { nova_api: _, ...without } = JSON.parse(secretOf(await reader())) as Record<string, unknown>;
  await both.fromDatabase.setSecret(JSON.stringify(without));
  await both.fromDatabase.run(RUN + DAY);
  expect(toldBy((await readDrops(both.fromDatabase.client)).at(-1))).toMatchObject({
    1: 1,
    2: null,
    3: null,
  });
});

test('What may not be read of flavours is left out, and the doctor says so; of hints it is refused', async () => {
  const [cell] = both.cells;
  const ofCells = both.cells.flatMap(({ database }) =>
    ['instances', 'instance_actions', 'instance_actions_events', 'services', 'compute_nodes'].flatMap(
      (table) => [`SELECT ON \`${database}\`.\`${table}\``, `SELECT ON \`${database}\`.\`shadow_${table}\``],
    ),
  );
  const ofSpecs = `SELECT (instance_uuid, spec) ON \`${reservations.novaApi.database}\`.request_specs`;
  const few = await reader([...ofCells, ofSpecs]);
  await openAs(few);
  await both.fromDatabase.run(RUN);
  // The second one has a hint as well.
  expect(toldBy((await readDrops(both.fromDatabase.client)).at(-1))).toMatchObject({ 1: 1, 2: 9, 3: 3 });

  const byColumn = `SELECT (instance_uuid, flavor) ON \`${cell?.database}\`.instance_extra`;
  await openAs(await reader([...ofCells, ofSpecs, byColumn]));
  await both.fromDatabase.run(RUN + DAY);
  expect(toldBy((await readDrops(both.fromDatabase.client)).at(-1))).toMatchObject({ 1: 1, 2: 2, 3: 3 });

  const none = await reader([
    ...ofCells,
    `SELECT (id) ON \`${reservations.novaApi.database}\`.request_specs`,
  ]);
  await openAs(none);
  await expect(both.fromDatabase.run(RUN + 2 * DAY)).rejects.toThrow(
    'nova_api: its table request_specs may not be read, or is missing; grant SELECT (instance_uuid, spec) on request_specs, or leave nova_api out of the secret',
  );
  const findings = await examined(secretOf(none), [none.password]);
  expect(only(findings, 'tables', 'nova_api').found).toMatch(
    /^may not be read, or are missing: request_specs/,
  );
  expect(only(await examined(secretOf(few), [few.password]), 'tables', 'nova_api').found).toBe('readable');
});

test('Nothing else of flavours and hints leaves, and ids only masked', async () => {
  both.set({ STAR_MASKING: 'sha2-salted', STAR_ALLOW_UNSAFE_MASKING: 'false' });
  await both.fromDatabase.run(RUN);
  const rows = (await readDrops(both.fromDatabase.client)).at(-1)?.tables['instances']?.['jsonl'] ?? [];
  expect(rows.filter(({ reservation_id: id }) => /^[0-9a-f]{32}$/.test(String(id)))).toHaveLength(3);
  for (const key of await listKeys(both.fromDatabase.client)) {
    const text = (await readObject(both.fromDatabase.client, key)).toString('latin1');
    expect([key, /a43090d2|somebody|alice/.test(text)]).toEqual([key, false]);
  }
});
