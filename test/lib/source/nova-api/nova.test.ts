import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { OpenStackConnection } from '../../../../lib/connection/connection.ts';
import { parseSecret } from '../../../../lib/connection/secret.ts';
import { SourceError } from '../../../../lib/core/errors.ts';
import { openHttp } from '../../../../lib/source/nova-api/http.ts';
import { openNova } from '../../../../lib/source/nova-api/nova.ts';
import { type Certificates, createCertificates } from '../../../support/mariadb/tls.ts';
import {
  type LocalOpenStack,
  type OpenStackOptions,
  type SecretForm,
  startOpenStack,
} from '../../../support/openstack/index.ts';

let openstack: LocalOpenStack;

afterEach(() => openstack.stop());

async function start(options: Partial<OpenStackOptions> = {}): Promise<void> {
  openstack = await startOpenStack({ cells: [], ...options });
}

/** Opens the API as a secret says, and asks for something that only administrators may see. */
async function open(secret: string): Promise<{ microversion: string; status: number; requests: number }> {
  const connection = (await parseSecret(secret)) as OpenStackConnection;
  using nova = await openNova(connection, 4, new AbortController().signal);
  const { status } = await nova.get({
    path: '/servers/detail',
    query: new URLSearchParams({ all_tenants: '1' }),
    what: 'Nova: the list of servers',
  });
  return { microversion: nova.microversion, status, requests: nova.requests };
}

/** An unscoped token of the administrator. */
async function tokenOf({ authUrl, admin }: LocalOpenStack): Promise<string> {
  const user = { id: admin.userId, password: admin.password };
  const identity = { methods: ['password'], password: { user } };
  const asked = await fetch(`${authUrl}/v3/auth/tokens`, {
    method: 'POST',
    body: JSON.stringify({ auth: { identity } }),
    headers: { 'content-type': 'application/json' },
  });
  return asked.headers.get('x-subject-token') ?? '';
}

/** A secret in JSON, changed in some fields. */
function changed(fields: Record<string, string | undefined>): string {
  return JSON.stringify({ ...(JSON.parse(openstack.secret()) as object), ...fields });
}

describe('A fake of an OpenStack cloud is opened', () => {
  test.each<SecretForm>(['json', 'openrc', 'clouds.yaml', 'applicationCredential', 'system'])(
    'by %s credentials, with Keystone v3 found behind an unversioned URL',
    async (form) => {
      await start();
      expect(await open(openstack.secret(form))).toMatchObject({ microversion: '2.69', status: 200 });
    },
  );

  test('by an application credential that is given by name and user', async () => {
    await start();
    const { applicationCredential: credential, userId } = openstack.admin;
    const secret = {
      auth_url: openstack.authUrl,
      application_credential_name: credential.name,
      application_credential_secret: credential.secret,
      user_id: userId,
      region_name: openstack.region,
    };
    expect(await open(JSON.stringify(secret))).toMatchObject({ status: 200 });
  });

  test('by a token, which is exchanged for one of the project', async () => {
    await start();
    const token = await tokenOf(openstack);
    const secret = {
      OS_AUTH_URL: openstack.authUrl,
      OS_TOKEN: token,
      OS_PROJECT_ID: openstack.admin.projectId,
      OS_REGION_NAME: openstack.region,
    };
    expect(await open(JSON.stringify(secret))).toMatchObject({ status: 200 });
  });

  test.each(['/v3', '/v3/', '/'])('with an authentication URL that ends in %s', async (end) => {
    await start();
    expect(await open(changed({ OS_AUTH_URL: `${openstack.authUrl}${end}` }))).toMatchObject({ status: 200 });
  });

  test('over Keystone v2.0 where nothing else is offered, and where it is asked for', async () => {
    await start({ keystoneV3: false });
    expect(await open(changed({ OS_IDENTITY_API_VERSION: undefined }))).toMatchObject({ status: 200 });
    await openstack.stop();
    await start();
    const asked = changed({
      OS_IDENTITY_API_VERSION: '2.0',
      OS_USER_DOMAIN_NAME: undefined,
      OS_PROJECT_DOMAIN_NAME: undefined,
    });
    expect(await open(asked)).toMatchObject({ status: 200 });
    const paths = openstack.requests().map(({ path }) => path);
    expect(paths).toContain('/identity/v2.0/tokens');
    expect(paths).not.toContain('/identity/v3/auth/tokens');
  });

  test('at an endpoint that has the project at its end, as old catalogues do', async () => {
    await start({ projectInUrl: true });
    expect(await open(openstack.secret())).toMatchObject({ status: 200 });
  });

  test('by any of its interfaces', async () => {
    await start();
    for (const face of ['public', 'internal', 'adminURL']) {
      expect(await open(changed({ OS_INTERFACE: face }))).toMatchObject({ status: 200 });
    }
  });

  test('with one request more for the token, one for the versions of each service, and none twice', async () => {
    await start();
    expect((await open(changed({ OS_IDENTITY_API_VERSION: undefined }))).requests).toBe(4);
    expect(openstack.requests().map(({ kind }) => kind)).toEqual([
      'versions',
      'token',
      'versions',
      'servers',
    ]);
  });
});

describe('A fake of an OpenStack cloud is not opened', () => {
  test('without a region where there are several, which the error lists', async () => {
    await start();
    await expect(open(changed({ OS_REGION_NAME: undefined }))).rejects.toThrow(
      /compute endpoints in several regions; accepted: region_name \(OS_REGION_NAME\), one of .*OtherRegion/,
    );
  });

  test('in a region that it does not have', async () => {
    await start();
    await expect(open(changed({ OS_REGION_NAME: 'Nowhere' }))).rejects.toThrow(
      /no compute endpoint in the requested region; accepted: region_name .*RegionOne/,
    );
  });

  test('with a wrong password, which the error does not repeat', async () => {
    await start();
    const error = await open(changed({ OS_PASSWORD: 'wrong and secret' })).catch((thrown: unknown) => thrown);
    expect(String(error)).toMatch(/Keystone: a token: the credentials are refused \(401\)/);
    expect(String(error)).not.toContain('wrong and secret');
    expect(String(error)).not.toContain(openstack.admin.userName);
  });

  test('by a user who is no administrator', async () => {
    await start();
    await expect(open(openstack.secret('json', openstack.member))).rejects.toThrow(
      /the list of servers: this user may not see that \(403\); accepted: .*admin/,
    );
  });

  test('where something else answers than Keystone', async () => {
    await start();
    openstack.onRequest = () => ({ status: 404, body: { error: 'no such page' } });
    await expect(open(changed({ OS_IDENTITY_API_VERSION: undefined }))).rejects.toThrow(
      /identity: what answers there is no Keystone \(404\); accepted: the URL of Keystone/,
    );
    await expect(open(openstack.secret())).rejects.toThrow(
      /Keystone: a token: .*\/v3\/auth\/tokens: what answers there is no Keystone \(404\)/,
    );
  });
});

describe('An error of the connection to a fake', () => {
  test('holds neither password nor token, however deep one looks', async () => {
    await start();
    const token = await tokenOf(openstack);
    openstack.onRequest = ({ kind }) => (kind === 'token' ? { status: 404 } : undefined);
    const refused = await open(openstack.secret()).catch((thrown: unknown) => thrown);
    openstack.onRequest = () => ({ reset: true });
    using http = openHttp({ mode: 'verify' });
    const call = { method: 'POST', url: openstack.authUrl, what: 'Keystone', timeoutSeconds: 300 } as const;
    const body = { password: openstack.admin.password };
    const headers = { 'X-Auth-Token': token };
    const reset = await http
      .send({ ...call, headers, body }, new AbortController().signal)
      .catch((thrown: unknown) => thrown);
    for (const error of [refused, reset]) {
      expect(error).toBeInstanceOf(SourceError);
      const everything = inspect(error, { depth: Infinity, showHidden: true });
      expect(everything).not.toContain(openstack.admin.password);
      expect(everything).not.toContain(token);
    }
  });
});

describe('TLS to a fake of an OpenStack cloud', () => {
  let folder: string;
  let certificates: Certificates;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'star-compactor-tls-'));
    certificates = await createCertificates(folder);
  });
  afterAll(() => rm(folder, { recursive: true }));

  const startTls = (): Promise<void> => start({ tls: certificates.server });

  test('trusts the authority that the secret holds', async () => {
    await startTls();
    expect(await open(changed({ OS_CACERT: certificates.ca }))).toMatchObject({ status: 200 });
  });

  test('refuses an authority that nobody knows, at once, and says what helps', async () => {
    await startTls();
    await expect(open(openstack.secret())).rejects.toThrow(
      /does not know the authority that signed .* \(UNABLE_TO_\w+\); give that authority as cacert \(OS_CACERT\)$/,
    );
  });

  test('is not verified where the secret says so', async () => {
    await startTls();
    expect(await open(changed({ OS_INSECURE: 'true' }))).toMatchObject({ status: 200 });
  });
});
