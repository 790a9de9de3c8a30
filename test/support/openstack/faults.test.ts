import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createCertificates } from '../mariadb/tls.ts';
import { until } from '../until.ts';
import { clientOf } from './client.ts';
import type { ContractTarget } from './contract.ts';
import { startOpenStack } from './index.ts';

const cloud = await startOpenStack({ cells: [] });
let client: ContractTarget;
afterAll(() => cloud.stop());
beforeEach(async () => {
  cloud.onRequest = undefined;
  client = await clientOf(cloud);
  cloud.clearRequests();
});

test('a request is recorded with all but what its sender authenticates himself with', async () => {
  const before = Math.floor(Date.now() / 1000);
  await client.get('/servers/detail?all_tenants=1&limit=2', 93);
  const [record] = cloud.requests();
  expect(record).toEqual({
    method: 'GET',
    path: '/compute/v2.1/servers/detail',
    query: { all_tenants: '1', limit: '2' },
    microversion: '2.93',
    kind: 'servers',
    at: record?.at,
    status: 200,
  });
  expect(record?.at).toBeGreaterThanOrEqual(before);
  for (const path of [
    '/servers/a',
    '/servers/a/os-instance-actions',
    '/servers/a/os-instance-actions/b',
    '/flavors/detail',
    '/os-services',
    '/',
  ])
    await client.get(path);
  await clientOf(cloud);
  await client.raw(cloud.authUrl);
  const kinds = cloud.requests().map(({ kind }) => kind);
  expect(kinds).toEqual('servers server actions action flavors services versions token versions'.split(' '));
  expect(JSON.stringify(cloud.requests())).not.toContain(client.token);
});

test('a test can have a request answered with any status, headers and body', async () => {
  cloud.onRequest = ({ kind }) =>
    kind === 'servers'
      ? { status: 429, headers: { 'retry-after': '1' }, body: { overLimit: {} } }
      : undefined;
  const { status, headers, json } = await client.get('/servers');
  expect([status, headers.get('retry-after'), json]).toEqual([429, '1', { overLimit: {} }]);
  expect((await client.get('/flavors')).status).toBe(200);
  cloud.onRequest = undefined;
  expect((await client.get('/servers')).status).toBe(200);
});

test('a connection can be reset, and a body cut short of its length', async () => {
  cloud.onRequest = () => ({ reset: true });
  await expect(client.get('/servers')).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });
  cloud.onRequest = () => ({ truncate: 5 });
  await expect(client.get('/servers')).rejects.toThrow(/terminated/);
  expect(cloud.requests().map(({ status }) => status)).toEqual([undefined, 200]);
});

test('a proxy can answer in its own way, and late', async () => {
  const gate = Promise.withResolvers<void>();
  cloud.onRequest = async () => {
    await gate.promise;
    return { garbage: true };
  };
  let isAnswered = false;
  const answer = client.get('/servers').finally(() => (isAnswered = true));
  await until(() => cloud.requests().length === 1);
  expect(isAnswered).toBe(false);
  gate.resolve();
  const { status, headers, json } = await answer;
  expect([status, json]).toEqual([200, undefined]);
  expect(headers.get('content-type')).toMatch(/^text\/html/);
});

test('it can be served over TLS, and says so in its links', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'star-compactor-openstack-'));
  const { ca, server } = await createCertificates(folder);
  const encrypted = await startOpenStack({ cells: [], tls: server });
  try {
    expect(encrypted.authUrl).toMatch(/^https:/);
    const body = await new Promise<string>((resolve, reject) => {
      request(`${encrypted.authUrl}/v3`, { ca }, (response) => {
        response.setEncoding('utf8').on('data', resolve);
      })
        .on('error', reject)
        .end();
    });
    expect(body).toContain(`${encrypted.authUrl}/v3/`);
    encrypted.onRequest = () => ({ reset: true });
    await expect(
      new Promise((resolve, reject) => {
        request(encrypted.authUrl, { ca }, resolve).on('error', reject).end();
      }),
    ).rejects.toThrow(/hang up|ECONNRESET/);
  } finally {
    await encrypted.stop();
    await rm(folder, { recursive: true, force: true });
  }
});

test('it stops while requests wait', async () => {
  const waiting = await startOpenStack({ cells: [] });
  waiting.onRequest = () => new Promise(() => undefined);
  const answer = fetch(waiting.authUrl);
  await until(() => waiting.requests().length === 1);
  const [settled] = await Promise.allSettled([answer, waiting.stop()]);
  expect(settled.status).toBe('rejected');
});
