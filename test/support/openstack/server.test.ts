import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type MariaDb, useMariaDb } from '../mariadb/index.ts';
import { loadSample } from '../nova/sample.ts';
import { clientOf } from './client.ts';
import { type ContractTarget, contract } from './contract.ts';
import { type LocalOpenStack, startOpenStack } from './index.ts';

let db: MariaDb;
let cloud: LocalOpenStack;
let client: ContractTarget;

beforeAll(async () => {
  db = await useMariaDb();
  const { cell1, cell0 } = await loadSample(db);
  cloud = await startOpenStack({ cells: [cell0, cell1] });
  client = await clientOf(cloud);
});
afterAll(async () => {
  await cloud?.stop();
  await db?.stop();
});

describe('As of a real cloud, it holds that', () => {
  test.each(Object.entries(contract))('%s', async (_, check) => {
    await expect(check(client)).resolves.toBeUndefined();
  });
});

test('every server and action that a real cloud left in its databases is shown, with its events', async () => {
  const servers = [];
  for (const query of ['', '&deleted=true']) {
    const { json } = await client.get(`/servers/detail?all_tenants=1${query}`, 93);
    servers.push(...json.servers);
  }
  expect(servers).toHaveLength(210);
  let [actions, events] = [0, 0];
  for (const { id } of servers) {
    const { json } = await client.get(`/servers/${id}/os-instance-actions`, 93);
    actions += json.instanceActions.length;
    for (const { request_id: request } of json.instanceActions) {
      const shown = await client.get(`/servers/${id}/os-instance-actions/${request}`, 93);
      events += shown.json.instanceAction.events.length;
    }
  }
  expect({ actions, events }).toEqual({ actions: 1040, events: 1531 });
});

test('max_limit cuts a page even where no limit is asked for', async () => {
  const small = await startOpenStack({ cells: [], maxLimit: 10 });
  try {
    expect((await (await clientOf(small)).get('/servers?limit=50', 93)).json).toEqual({ servers: [] });
  } finally {
    await small.stop();
  }
});
