import { afterAll, beforeAll, expect, test } from 'vitest';
import { type MariaDb, type Row, useMariaDb } from '../mariadb/index.ts';
import { upsert } from '../nova/rows.ts';
import { type Cell, createCell } from '../nova/schema.ts';
import { clientOf } from './client.ts';
import type { ContractTarget, Json } from './contract-target.ts';
import { type LocalOpenStack, flavorId, startOpenStack } from './index.ts';

let db: MariaDb;
let cell: Cell;
let cloud: LocalOpenStack;
let client: ContractTarget;
let member: ContractTarget;

const SERVER = '5c3e0000-0000-4000-a000-000000000001';
const ACTIONS = `/servers/${SERVER}/os-instance-actions`;

beforeAll(async () => {
  db = await useMariaDb();
  cell = await createCell(db, 'cell1', { instanceHidden: false });
  cloud = await startOpenStack({ cells: [cell] });
  [client, member] = [await clientOf(cloud), await clientOf(cloud, cloud.member)];
  await server(1, { project_id: cloud.member.projectId });
  await server(2, { vcpus: 8 });
  await action(1, 'req-1', { start_time: '2026-11-25 10:00:00' });
  await action(2, 'req-2', { created_at: null, updated_at: null });
  // As a client may send its own request id with two requests.
  await action(3, 'req-1', { start_time: '2026-11-25 10:30:00', project_id: null });
  await event(1, 1, 'lost');
  await event(2, 3, 'first', { host: null, finish_time: '2026-11-25 10:30:05', result: 'Error' });
  await event(3, 3, 'second', { host: 'cmp-2', traceback: 'Traceback', details: 'why' });
});
afterAll(async () => {
  await cloud?.stop();
  await db?.stop();
});

function server(id: number, columns: Row): Promise<void> {
  const uuid = SERVER.slice(0, -1) + String(id);
  const sizes = { vcpus: 2, memory_mb: 2048, root_gb: 20, ephemeral_gb: 0 };
  const created = { created_at: '2026-11-25 10:00:00', updated_at: '2026-11-25 10:00:00' };
  return upsert(cell, 'instances', [
    { id, uuid, project_id: 'project', deleted: 0, vm_state: 'active', ...sizes, ...created, ...columns },
  ]);
}

function action(id: number, request: string, columns: Row): Promise<void> {
  const created = { created_at: `2026-11-25 11:00:0${id}`, updated_at: `2026-11-25 11:00:0${id}` };
  return upsert(cell, 'instance_actions', [
    { id, action: 'act', instance_uuid: SERVER, request_id: request, deleted: 0, ...created, ...columns },
  ]);
}

function event(id: number, of: number, name: string, columns: Row = {}): Promise<void> {
  return upsert(cell, 'instance_actions_events', [
    { id, action_id: of, event: name, created_at: '2026-11-25 11:00:09', deleted: 0, ...columns },
  ]);
}

test('of several actions with one request id the newest is shown, with its events only, newest first', async () => {
  const { json } = await client.get(`${ACTIONS}/req-1`, 93);
  expect(json.instanceAction).toMatchObject({
    start_time: '2026-11-25T10:30:00.000000',
    project_id: null,
    events: [
      {
        event: 'second',
        finish_time: null,
        result: null,
        host: 'cmp-2',
        traceback: 'Traceback',
        details: 'why',
      },
      { event: 'first', finish_time: '2026-11-25T10:30:05.000000', result: 'Error', host: null, hostId: '' },
    ],
  });
  expect(json.instanceAction.events[0].hostId).toMatch(/^[0-9a-f]{56}$/);
});

test('an action without events, and one without times, are shown as they are', async () => {
  const { json } = await client.get(`${ACTIONS}/req-2`, 93);
  expect(json.instanceAction).toMatchObject({ request_id: 'req-2', updated_at: null, events: [] });
  const listed = await client.get(ACTIONS, 93);
  expect(listed.json.instanceActions.map((one: Json) => one.request_id)).toEqual(['req-1', 'req-1', 'req-2']);
  const since = await client.get(`${ACTIONS}?changes-since=1970-01-01`, 93);
  expect(since.json.instanceActions).toHaveLength(2);
});

test('their owner sees the events from 2.51 on, without what is only for administrators', async () => {
  expect((await member.get(`${ACTIONS}/req-1`, 50)).json.instanceAction.events).toBeUndefined();
  const { json } = await member.get(`${ACTIONS}/req-1`, 93);
  expect(Object.keys(json.instanceAction.events[0])).toEqual([
    'event',
    'start_time',
    'finish_time',
    'result',
    'hostId',
  ]);
});

test('who is no administrator sees the servers of his project, and less of them', async () => {
  const { json } = await member.get('/servers/detail', 89);
  expect(json.servers.map(({ id }: Json) => id)).toEqual([SERVER]);
  expect(Object.keys(json.servers[0]).filter((key) => /EXT-SRV|host_status/.test(key))).toEqual([]);
  const later = await member.get(`/servers/${SERVER}`, 90);
  expect(later.json.server).toHaveProperty('OS-EXT-SRV-ATTR:hostname');
  const other = SERVER.replace(/1$/, '2');
  for (const path of [`/servers/${other}`, `/servers/${other}/os-instance-actions`])
    expect((await member.get(path, 93)).status).toBe(404);
  const all = await member.get('/servers/detail?all_tenants=1', 93);
  expect(all.status).toBe(403);
  expect(all.json.forbidden).toEqual({
    code: 403,
    message: "Policy doesn't allow os_compute_api:servers:detail:get_all_tenants to be performed.",
  });
  for (const path of ['/os-services', '/servers?status=deleted', '/servers?sort_key=host'])
    expect((await member.get(path, 93)).status).toBe(403);
  const deleted = await member.get('/servers?deleted=true&host=elsewhere', 93);
  expect(deleted.json.servers).toHaveLength(1);
});

test('without all_tenants an administrator sees his own project, whatever project he asks for', async () => {
  expect((await client.get('/servers', 93)).json.servers).toEqual([]);
  expect((await client.get('/servers?project_id=project', 93)).json.servers).toEqual([]);
  expect((await client.get('/servers?all_tenants=1&project_id=project', 93)).json.servers).toHaveLength(1);
});

test('a flavour may be private, and gone while servers still have it', async () => {
  const two = flavorId({ vcpus: 2, ram: 2048, disk: 20 });
  const eight = flavorId({ vcpus: 8, ram: 2048, disk: 20 });
  const both = two < eight ? [two, eight] : [eight, two];
  const ids = async (query: string): Promise<string[]> =>
    (await client.get(`/flavors/detail${query}`, 46)).json.flavors.map(({ id }: Json) => id);
  expect(await ids('?is_public=None')).toEqual(both);
  expect([...(await ids('')), ...(await ids('?is_public=false'))].toSorted()).toEqual(both);
  const first = await client.get('/flavors/detail?is_public=None&limit=1', 46);
  const [{ href }] = first.json.flavors_links;
  expect(await ids(href.slice(href.indexOf('?')))).toEqual(both.slice(1));
  cloud.deletedFlavors.add(two);
  expect((await client.get(`/flavors/${two}`, 46)).status).toBe(404);
  expect(await ids('?is_public=None')).toEqual([eight]);
  expect((await client.get(`/servers/${SERVER}`, 46)).json.server.flavor.id).toBe(two);
});

test('a cell of an older Nova has neither hosts nor details of events', async () => {
  const old = await createCell(db, 'old', { eventHost: false, eventDetails: false });
  await upsert(old, 'instances', [{ id: 1, uuid: SERVER, deleted: 0, project_id: 'project' }]);
  await upsert(old, 'instance_actions', [{ id: 1, instance_uuid: SERVER, request_id: 'req-1', deleted: 0 }]);
  await upsert(old, 'instance_actions_events', [{ id: 1, action_id: 1, event: 'old', deleted: 0 }]);
  const older = await startOpenStack({ cells: [old], maxMicroversion: '2.58' });
  try {
    const reader = await clientOf(older);
    const { json } = await reader.get(`${ACTIONS}/req-1`, 58);
    expect(json.instanceAction.events).toEqual([
      { event: 'old', start_time: null, finish_time: null, result: null, traceback: null },
    ]);
    expect((await reader.get(ACTIONS, 59)).status).toBe(406);
  } finally {
    await older.stop();
  }
});
