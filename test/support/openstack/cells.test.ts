import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type MariaDb, type Row, useMariaDb } from '../mariadb/index.ts';
import { replay } from '../nova/history.ts';
import { upsert } from '../nova/rows.ts';
import { type Cell, createCell } from '../nova/schema.ts';
import { clientOf } from './client.ts';
import type { ContractTarget, Json } from './contract-target.ts';
import { type LocalOpenStack, startOpenStack } from './index.ts';

const NOW = Date.parse('2026-11-25T12:00:00Z') / 1000;

let db: MariaDb;
let cell1: Cell;
let cell0: Cell;
let cloud: LocalOpenStack;
let client: ContractTarget;

beforeAll(async () => {
  db = await useMariaDb();
  [cell1, cell0] = [await createCell(db, 'cell1'), await createCell(db, 'cell0')];
});
beforeEach(async () => {
  for (const { pool } of [cell1, cell0]) {
    for (const table of ['instance_actions_events', 'instance_actions', 'instances', 'shadow_instances'])
      await pool.query(`DELETE FROM ${table}`);
  }
  cloud = await startOpenStack({
    cells: [cell1, cell0],
    cellTimeoutMs: 20,
    maxLimit: 4,
    now: () => NOW,
  });
  client = await clientOf(cloud);
  return () => cloud.stop();
});
afterAll(() => db?.stop());

/** The servers' numbers, which are the last digits of their ids; 0 for an error. */
async function list(query = '', minor = 93): Promise<number[]> {
  return numbers(await listed(query, minor));
}

async function listed(query = '', minor = 93): Promise<Json[]> {
  const { status, json } = await client.get(`/servers/detail?all_tenants=1${query}`, minor);
  expect(status).toBe(200);
  return json.servers;
}

function numbers(servers: Json[]): number[] {
  return servers.map(({ id }) => Number(id.slice(-2)));
}

function uuid(number: number): string {
  return `5c3e0000-0000-4000-a000-${String(number).padStart(12, '0')}`;
}

/** Created one second after another. */
async function server(cell: Cell, number: number, columns: Row = {}): Promise<void> {
  const created = `2026-11-25 10:00:${String(number).padStart(2, '0')}`;
  await upsert(cell, 'instances', [
    {
      id: number,
      uuid: uuid(number),
      created_at: created,
      updated_at: created,
      deleted: 0,
      hidden: 0,
      vm_state: 'active',
      project_id: 'project',
      user_id: 'user',
      host: cell.name === 'cell0' ? null : `cmp-${number}`,
      memory_mb: 2048,
      root_gb: 20,
      vcpus: 2,
      ephemeral_gb: 0,
      ...columns,
    },
  ]);
}

const EVER = '&changes-since=1970-01-01T00:00:00Z';

describe('A listing', () => {
  test('holds a server that was never updated in no window of changes, and shows it as changed just now', async () => {
    await server(cell1, 1, { updated_at: null });
    await server(cell1, 2, { updated_at: null, deleted: 2, vm_state: 'deleted' });
    expect(await list(EVER)).toEqual([]);
    expect(await list('&changes-before=2099-01-01')).toEqual([]);
    expect(await list('&deleted=true')).toEqual([2]);
    const [shown] = await listed();
    expect(shown).toMatchObject({ id: uuid(1), updated: '2026-11-25T12:00:00Z' });
  });

  test('counts the servers that await their deletion among the deleted', async () => {
    await server(cell1, 1, { vm_state: 'soft-delete' });
    await server(cell1, 2, { vm_state: null });
    expect(await list()).toEqual([2]);
    expect(await list('&deleted=true')).toEqual([1]);
    expect(await list(EVER)).toEqual([2, 1]);
    expect((await listed('&deleted=true'))[0].status).toBe('SOFT_DELETED');
  });

  test('leaves out hidden servers, and one that is in two cells is there once, on a page that is short of one', async () => {
    await server(cell1, 1, { hidden: 1 });
    for (const cell of [cell1, cell0]) await server(cell, 2);
    await server(cell1, 3);
    await server(cell1, 4);
    expect(await list()).toEqual([4, 3, 2]);
    const { json } = await client.get('/servers?all_tenants=1&limit=4', 93);
    expect(numbers(json.servers)).toEqual([4, 3, 2]);
    expect(json.servers_links).toBeUndefined();
  });

  test('shows nothing of what was archived, whose id is no marker either', async () => {
    await server(cell1, 1, { deleted: 1, vm_state: 'deleted' });
    await server(cell1, 2);
    expect(await list(EVER)).toEqual([2, 1]);
    expect(await list(`&marker=${uuid(1)}`)).toEqual([]);
    await replay([cell1], [{ at: 0, cell: 'cell1', table: 'instances', archive: uuid(1) }]).applyUntil(0);
    expect(await list(EVER)).toEqual([2]);
    expect(await list('&deleted=true')).toEqual([]);
    for (const path of [`/servers?marker=${uuid(1)}`, `/servers/${uuid(1)}/os-instance-actions`])
      expect((await client.get(path, 93)).status).toBe(path.includes('marker') ? 400 : 404);
  });

  test('merges the cells, is cut at max_limit, and goes on after a marker of either', async () => {
    for (const number of [1, 3, 5, 7]) await server(cell1, number);
    for (const number of [2, 4, 6]) await server(cell0, number);
    const { json } = await client.get('/servers/detail?all_tenants=1', 93);
    expect(numbers(json.servers)).toEqual([7, 6, 5, 4]);
    expect(json.servers_links[0].href).toContain(`?all_tenants=1&marker=${uuid(4)}`);
    expect(await list(`&marker=${uuid(4)}`)).toEqual([3, 2, 1]);
    expect(await list(`&marker=${uuid(5)}&limit=2`)).toEqual([4, 3]);
    expect(await list('&limit=100')).toHaveLength(4);
    expect(await list('&sort_key=display_name&sort_key=uuid&sort_dir=asc&host=cmp-5')).toEqual([5]);
  });

  test('is 500 where it has to order servers of two cells by nothing', async () => {
    await server(cell1, 1, { launched_at: '2026-11-25 10:00:00' });
    const sorted = '/servers?all_tenants=1&sort_key=launched_at';
    expect((await client.get(sorted, 93)).status).toBe(200);
    await server(cell0, 2);
    const { status, json } = await client.get(sorted, 93);
    expect(status).toBe(500);
    expect(json.computeFault.message).toMatch(/Unexpected API Error.*\n<class 'TypeError'>$/);
  });

  test('lacks the other cells after a marker that has nothing to order it by', async () => {
    for (const number of [1, 2]) await server(cell1, number, { launched_at: `2026-11-25 10:00:0${number}` });
    for (const number of [3, 4]) await server(cell0, number);
    expect(await list(`&sort_key=launched_at&sort_dir=asc&marker=${uuid(3)}`)).toEqual([4]);
  });

  test('follows what the databases hold at each moment', async () => {
    await server(cell1, 1);
    expect(await list(`&changes-since=2026-11-25T11:00:00Z`)).toEqual([]);
    await server(cell1, 1, { updated_at: '2026-11-25 11:00:00', host: 'cmp-9', memory_mb: 4096 });
    expect(await listed(`&changes-since=2026-11-25T11:00:00Z`)).toMatchObject([
      { 'OS-EXT-SRV-ATTR:host': 'cmp-9', flavor: { ram: 4096 }, updated: '2026-11-25T11:00:00Z' },
    ]);
  });
});

describe('Of a silent cell', () => {
  beforeEach(async () => {
    for (const number of [1, 2]) await server(cell1, number);
    await server(cell1, 3, { deleted: 3, vm_state: 'deleted' });
    await server(cell0, 4, { vm_state: 'error' });
    cloud.silentCells.add('cell1');
  });

  test('a listing without filters shows the live servers as unknown, before the others, from 2.69 on', async () => {
    const servers = await listed();
    expect(numbers(servers)).toEqual([1, 2, 4]);
    expect(servers[0]).toEqual({
      id: uuid(1),
      status: 'UNKNOWN',
      tenant_id: 'project',
      created: '2026-11-25T10:00:01Z',
      links: servers[0].links,
    });
    expect(await list('', 68)).toEqual([4]);
  });

  test('a listing with any filter, order or page says nothing', async () => {
    for (const query of [EVER, '&limit=10', '&sort_key=uuid', '&deleted=false', '&host=cmp-1'])
      expect(await list(query)).not.toContain(1);
    expect(await list(EVER)).toEqual([4]);
  });

  test('there is no room for unknown servers on a page that the others fill', async () => {
    for (const number of [5, 6]) await server(cell0, number);
    expect(await list()).toEqual([1, 6, 5, 4]);
    await server(cell0, 7);
    expect(await list()).toEqual([7, 6, 5, 4]);
  });

  test('actions are 500, and a server is a stub of what its request said', async () => {
    const actions = await client.get(`/servers/${uuid(1)}/os-instance-actions`, 93);
    expect(actions.status).toBe(500);
    expect(actions.json.computeFault.message).toContain('NovaException');
    const { json } = await client.get(`/servers/${uuid(1)}`, 93);
    expect(json.server).toMatchObject({ status: 'UNKNOWN', user_id: 'user', flavor: { vcpus: 2 } });
    expect((await client.get(`/servers/${uuid(1)}`, 68)).status).toBe(500);
    expect((await client.get(`/servers/${uuid(4)}/os-instance-actions`, 93)).status).toBe(200);
  });

  test('the computes are unknown services from 2.69 on, and left out before', async () => {
    const { json } = await client.get('/os-services?binary=nova-compute', 69);
    expect(json.services).toContainEqual({ binary: 'nova-compute', host: 'cmp-1', status: 'UNKNOWN' });
    expect((await client.get('/os-services?binary=nova-compute', 68)).json.services).toEqual([]);
    cloud.silentCells.clear();
    const again = await client.get('/os-services?binary=nova-compute&host=cmp-1', 69);
    expect(again.json.services).toMatchObject([{ status: 'enabled', state: 'up', zone: 'nova' }]);
  });
});

describe('Of a cell that fails', () => {
  beforeEach(async () => {
    await server(cell1, 1);
    await server(cell0, 2);
    cloud.failingCells.add('cell1');
  });

  test('listings, pages and actions are 500 at once', async () => {
    for (const path of ['?all_tenants=1', `?marker=${uuid(1)}`, `/${uuid(1)}/os-instance-actions`])
      expect((await client.get(`/servers${path}`, 93)).status).toBe(500);
    expect((await client.get(`/servers/${uuid(2)}/os-instance-actions`, 93)).status).toBe(200);
  });

  test('listings leave it out at once where Nova is told to, or show its servers as unknown', async () => {
    const lenient = await startOpenStack({ cells: [cell1, cell0], failingCellsAreSkipped: true });
    try {
      lenient.failingCells.add('cell1');
      client = await clientOf(lenient);
      expect(await list()).toEqual([1, 2]);
      expect(await list(EVER)).toEqual([2]);
    } finally {
      await lenient.stop();
    }
  });

  test('a database that is gone is one that fails', async () => {
    const gone = { ...cell1, query: () => db.query('SELECT 1 FROM nova_nowhere.instances') };
    const broken = await startOpenStack({ cells: [gone] });
    try {
      const { status, json } = await (await clientOf(broken)).get('/servers', 93);
      expect(status).toBe(500);
      expect(json.computeFault.message).toContain('TypeError');
    } finally {
      await broken.stop();
    }
  });
});
