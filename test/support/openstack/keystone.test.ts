import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { clientOf, credentialsOf } from './client.ts';
import { type ContractTarget, connect } from './contract.ts';
import type { Json } from './contract-target.ts';
import { type LocalOpenStack, startOpenStack } from './index.ts';

const run = promisify(execFile);
let now = Date.parse('2026-11-25T12:00:00Z') / 1000;
const cloud = await startOpenStack({ cells: [], now: () => now, tokenSeconds: 60 });
let client: ContractTarget;
afterAll(() => cloud.stop());
beforeEach(async () => {
  client = await clientOf(cloud);
});

async function status(token: string | null): Promise<number> {
  return (await client.raw(`${client.nova}/servers`, { 'x-auth-token': token ?? '' })).status;
}

test('a token expires by the cloud’s clock, and all are refused when they are revoked', async () => {
  const { json } = await client.auth({ identity: passwordOf(cloud) });
  expect(json.token.expires_at).toBe('2026-11-25T12:01:00.000000Z');
  expect(await status(client.token)).toBe(200);
  now += 60;
  expect(await status(client.token)).toBe(401);
  const { token } = await clientOf(cloud);
  expect(await status(token)).toBe(200);
  cloud.revokeTokens();
  expect(await status(token)).toBe(401);
});

test('an application credential, by id or by name, brings its project and takes no other', async () => {
  const { applicationCredential, userId, projectId } = cloud.admin;
  const { id, name, secret } = applicationCredential;
  for (const credential of [
    { id, secret },
    { name, secret, user: { id: userId } },
  ]) {
    const identity = { methods: ['application_credential'], application_credential: credential };
    const { status: code, json, headers } = await client.auth({ identity });
    expect(code).toBe(201);
    expect(json.token.project.id).toBe(projectId);
    expect(await status(headers.get('x-subject-token'))).toBe(200);
    const scope = { project: { id: projectId } };
    expect((await client.auth({ identity, scope })).status).toBe(401);
  }
  const wrong = { methods: ['application_credential'], application_credential: { id, secret: 'wrong' } };
  expect((await client.auth({ identity: wrong })).status).toBe(401);
});

test('a token of the system sees the user’s own servers, or all; one without a scope next to nothing', async () => {
  const system = await client.auth({ identity: passwordOf(cloud), scope: { system: { all: true } } });
  const unscoped = await client.auth({ identity: passwordOf(cloud) });
  for (const [reply, all] of [
    [system, 200],
    [unscoped, 403],
  ] as const) {
    const headers = { 'x-auth-token': reply.headers.get('x-subject-token') ?? '' };
    expect((await client.raw(`${client.nova}/servers?all_tenants=1`, headers)).status).toBe(all);
    expect((await client.raw(`${client.nova}/servers`, headers)).status).toBe(200);
  }
  const member = credentialsOf(cloud, cloud.member);
  const identity = { methods: ['password'], password: { user: member.user } };
  expect((await client.auth({ identity, scope: { system: { all: true } } })).status).toBe(401);
});

test('the catalogue has two regions, three interfaces, and a service that is like Nova', async () => {
  const { json } = await client.auth({ identity: passwordOf(cloud), scope: scopeOf(cloud) });
  const services: Json[] = json.token.catalog;
  expect(services.map(({ type }) => type)).toContain('compute_legacy');
  const { endpoints } = services.find(({ type }) => type === 'compute');
  expect(new Set(endpoints.map(({ region }: Json) => region))).toEqual(new Set(['OtherRegion', 'RegionOne']));
  for (const { interface: of, url } of endpoints.filter(({ region }: Json) => region === 'RegionOne')) {
    expect((await client.raw(`${url}/servers`, { 'x-auth-token': client.token })).status).toBe(200);
    expect(url.endsWith(of === 'public' ? '/compute/v2.1' : `/compute-${of}/v2.1`)).toBe(true);
  }
});

test('a URL may end with the id of the project, and links then do as well', async () => {
  const old = await startOpenStack({ cells: [], projectInUrl: true });
  try {
    const reader = await clientOf(old);
    expect(reader.nova.endsWith(`/compute/v2.1/${old.admin.projectId}`)).toBe(true);
    expect((await reader.get('/servers')).status).toBe(200);
    expect((await reader.raw(reader.nova.replace(/\w+$/, 'elsewhere/servers'))).status).toBe(401);
  } finally {
    await old.stop();
  }
});

test('Keystone v2.0 gives tokens by name or id of the user and the tenant, and its own form of catalogue', async () => {
  const { userName, userId, password, projectName, projectId } = cloud.admin;
  for (const auth of [
    { passwordCredentials: { username: userName, password }, tenantName: projectName },
    { passwordCredentials: { userId, password }, tenantId: projectId },
    { token: { id: client.token }, tenantId: projectId },
  ]) {
    const { access, code } = await v2(cloud, auth);
    expect(code).toBe(200);
    expect(access.token.expires).toMatch(/^[\d-]+T[\d:]+Z$/);
    expect(await status(access.token.id)).toBe(200);
    const compute = access.serviceCatalog.find(({ type }: Json) => type === 'compute');
    expect(compute.endpoints.map(({ region }: Json) => region)).toEqual(['OtherRegion', 'RegionOne']);
    expect(compute.endpoints[1].publicURL).toBe(client.nova);
  }
  const unscoped = await v2(cloud, { passwordCredentials: { userId, password } });
  expect(unscoped.access.serviceCatalog).toEqual([]);
  expect((await v2(cloud, { passwordCredentials: { userId, password: 'wrong' } })).code).toBe(401);
  expect((await v2(cloud, { passwordCredentials: { userId, password }, tenantName: 'x' })).code).toBe(401);
});

test('Keystone offers v3 and v2.0, or one of them', async () => {
  for (const [options, ids] of [
    [{}, ['v3.14', 'v2.0']],
    [{ keystoneV2: false }, ['v3.14']],
    [{ keystoneV3: false }, ['v2.0']],
  ] as const) {
    const one = await startOpenStack({ cells: [], ...options });
    try {
      const { json } = await client.raw(one.authUrl);
      expect(json.versions.values.map(({ id }: Json) => id)).toEqual(ids);
      const paths = Object.fromEntries(
        await Promise.all(
          ['v3', 'v2.0'].map(async (id) => [id, (await client.raw(`${one.authUrl}/${id}`)).status]),
        ),
      );
      expect(paths).toEqual({
        v3: 'keystoneV3' in options ? 404 : 200,
        'v2.0': 'keystoneV2' in options ? 404 : 200,
      });
      expect(JSON.parse(one.secret()).OS_IDENTITY_API_VERSION).toBe('keystoneV3' in options ? '2.0' : '3');
    } finally {
      await one.stop();
    }
  }
});

test('its secrets open it, in every form', async () => {
  const { admin } = cloud;
  const json = JSON.parse(cloud.secret());
  const { stdout } = await run('bash', ['-c', `${cloud.secret('openrc')}\nprintf '%s' "$OS_PASSWORD"`]);
  const { auth, region_name: region } = parse(cloud.secret('clouds.yaml')).clouds.openstack;
  for (const password of [json.OS_PASSWORD, stdout, auth.password]) expect(password).toBe(admin.password);
  const target = await connect({
    authUrl: auth.auth_url,
    region,
    user: { name: auth.username, password: auth.password, domain: { name: auth.user_domain_name } },
    project: { name: auth.project_name, domain: { name: auth.user_domain_name } },
  });
  expect((await target.get('/servers?all_tenants=1')).status).toBe(200);
  expect(JSON.parse(cloud.secret('applicationCredential'))).toMatchObject({
    OS_APPLICATION_CREDENTIAL_SECRET: admin.applicationCredential.secret,
  });
  expect(JSON.parse(cloud.secret('system', cloud.member))).toMatchObject({
    OS_SYSTEM_SCOPE: 'all',
    OS_USERNAME: cloud.member.userName,
  });
});

function passwordOf({ admin }: LocalOpenStack): object {
  return { methods: ['password'], password: { user: { id: admin.userId, password: admin.password } } };
}

function scopeOf({ admin }: LocalOpenStack): object {
  return { project: { id: admin.projectId } };
}

async function v2({ authUrl }: LocalOpenStack, auth: object): Promise<{ code: number; access: Json }> {
  const response = await fetch(`${authUrl}/v2.0/tokens`, { method: 'POST', body: JSON.stringify({ auth }) });
  const body: Json = await response.json();
  return { code: response.status, access: body.access };
}
