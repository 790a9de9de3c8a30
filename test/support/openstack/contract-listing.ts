import assert from 'node:assert/strict';
import type { Check } from './contract.ts';
import { NO_SERVER, aDeletedServer } from './contract-samples.ts';
import type { ContractTarget, Json } from './contract-target.ts';

const EVER = 'changes-since=1970-01-01T00:00:00Z';

export const listingChecks: Readonly<Record<string, Check>> = {
  async 'a listing holds live servers, deleted ones, or both'(cloud) {
    const statuses = async (query: string): Promise<Set<string>> =>
      new Set((await list(cloud, query)).map(({ status }) => status));
    assert.equal((await statuses('')).has('DELETED'), false);
    assert.deepEqual([...(await statuses('&deleted=true'))], ['DELETED']);
    assert.deepEqual([...(await statuses('&status=deleted'))], ['DELETED']);
    const both = await statuses(`&${EVER}`);
    assert.ok(both.has('DELETED') && both.size > 1);
    assert.equal((await statuses(`&${EVER}&deleted=false`)).has('DELETED'), false);
    assert.deepEqual([...(await statuses(`&${EVER}&deleted=true`))], ['DELETED']);
  },
  async 'changes-since and changes-before include the second they name'(cloud) {
    const [{ id, updated }] = await cloud.settled();
    const holds = async (query: string, minor?: number): Promise<boolean> =>
      (await list(cloud, `&uuid=${id}&${query}`, minor)).length === 1;
    const later = new Date(Date.parse(updated) + 1000).toISOString().replace('.000Z', 'Z');
    const earlier = new Date(Date.parse(updated) - 1000).toISOString().replace('.000Z', 'Z');
    assert.equal(await holds(`changes-since=${updated}`), true);
    assert.equal(await holds(`changes-since=${later}`), false);
    assert.equal(await holds(`changes-since=${updated.replace('Z', '.5Z')}`), false);
    assert.equal(await holds(`changes-before=${updated}`), true);
    assert.equal(await holds(`changes-before=${earlier}`), false);
    assert.equal(await holds(`changes-since=${updated}&changes-before=${updated}`), true);
    assert.equal(await holds(`changes-since=${updated.slice(0, -1)}`), true);
  },
  async 'changes-before is passed over before 2.66'(cloud) {
    const query = '/servers?all_tenants=1&limit=1&changes-before=1970-01-01T00:00:00Z';
    assert.equal((await cloud.get(query, 65)).json.servers.length, 1);
    assert.equal((await cloud.get(query, 66)).json.servers.length, 0);
  },
  async 'servers come newest first, and those of one second by uuid'(cloud) {
    const servers = await list(cloud, `&${EVER}`);
    const sorted = servers.toSorted((a, b) =>
      a.created === b.created ? (a.id < b.id ? -1 : 1) : a.created < b.created ? 1 : -1,
    );
    assert.deepEqual(
      servers.map(({ id }) => id),
      sorted.map(({ id }) => id),
    );
  },
  async 'a page that is full links to the next; the pages hold each server once'(cloud) {
    const all = (await list(cloud, '&deleted=true')).map(({ id }) => id);
    const limit = Math.ceil(all.length / 4);
    const paged: string[] = [];
    let path: string | undefined = `/servers/detail?zzz=1&limit=${limit}&deleted=true&all_tenants=1`;
    while (path !== undefined) {
      const { status, json }: { status: number; json: Json } = await cloud.get(path, 74);
      assert.equal(status, 200);
      paged.push(...json.servers.map(({ id }: Json) => id));
      const [next] = json.servers_links ?? [];
      assert.equal(next !== undefined, json.servers.length === limit);
      if (next !== undefined) {
        const query = `all_tenants=1&deleted=true&limit=${limit}&marker=${json.servers.at(-1).id}`;
        assert.equal(next.rel, 'next');
        assert.equal(next.href.slice(next.href.indexOf('/servers')), `/servers/detail?${query}`);
      }
      path = next?.href.slice(next.href.indexOf('/servers'));
    }
    assert.deepEqual(paged, all);
  },
  async 'a limit that is no number is 400, zero is an empty page, and too much is cut'({ get }) {
    for (const [limit, problem] of [
      ['-1', "'-1' does not match '^[0-9]*$'"],
      ['x', "'x' does not match '^[0-9]*$'"],
      ['', "'' is too short"],
    ]) {
      const { status, json } = await get(`/servers/detail?limit=${limit}`, 93);
      assert.equal(status, 400);
      assert.equal(
        json.badRequest.message,
        `Invalid input for query parameters limit. Value: ${limit}. ${problem}`,
      );
    }
    assert.deepEqual((await get('/servers/detail?all_tenants=1&limit=0', 93)).json, { servers: [] });
    assert.equal((await get('/servers/detail?all_tenants=1&limit=1000000', 93)).status, 200);
  },
  async 'a marker may be a deleted server; an unknown one is 400, an empty one is none'(cloud) {
    const { id } = await aDeletedServer(cloud);
    assert.equal((await cloud.get(`/servers?all_tenants=1&marker=${id}`, 93)).status, 200);
    assert.equal((await cloud.get('/servers?all_tenants=1&marker=', 93)).status, 200);
    const { status, json } = await cloud.get(`/servers?all_tenants=1&marker=${NO_SERVER}`, 93);
    assert.equal(status, 400);
    assert.deepEqual(json.badRequest, { code: 400, message: `marker [${NO_SERVER}] not found` });
  },
  async 'what it does not know in a query is passed over before 2.75, and 400 from there on'({ get }) {
    assert.equal((await get('/servers?unknown=1&limit=1', 74)).status, 200);
    const { status, json } = await get('/servers?unknown=1&limit=1', 75);
    assert.equal(status, 400);
    assert.equal(json.badRequest.message, "'unknown' does not match any of the regexes: '^_'");
    assert.equal((await get('/servers?sort_key=unknown', 1)).status, 400);
    assert.equal((await get('/servers?sort_key=deleted_at&limit=1', 74)).status, 200);
    assert.equal((await get('/servers?sort_key=deleted_at&limit=1', 75)).status, 400);
    assert.equal((await get('/servers?status=unknown', 37)).status, 200);
    assert.equal((await get('/servers?status=unknown', 38)).status, 400);
  },
  async 'a time that is none is 400, and one that ends before it begins'({ get }) {
    const wrong = await get('/servers?changes-since=yesterday', 93);
    assert.equal(wrong.status, 400);
    assert.equal(
      wrong.json.badRequest.message,
      "Invalid input for query parameters changes-since. Value: yesterday. 'yesterday' is not a 'date-time'",
    );
    const turned = await get(
      '/servers?changes-since=2026-02-01T00:00:00Z&changes-before=2026-01-01T00:00:00Z',
      93,
    );
    assert.equal(turned.status, 400);
    for (const time of ['2026', '2026-01', '20260101', '2026-01-01 00:00', '2026-01-01T00:00:00%2B0200']) {
      assert.equal((await get(`/servers?changes-since=${time}`, 93)).status, 200, time);
    }
  },
};

async function list(cloud: ContractTarget, query: string, minor = 93): Promise<Json[]> {
  const { status, json } = await cloud.get(`/servers/detail?all_tenants=1${query}`, minor);
  assert.equal(status, 200);
  return json.servers;
}
