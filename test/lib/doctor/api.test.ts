import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { OpenStackConnection } from '../../../lib/connection/connection.ts';
import { parseSecret } from '../../../lib/connection/secret.ts';
import { tlsFinding } from '../../../lib/doctor/api/endpoint.ts';
import { shownUrl } from '../../../lib/source/nova-api/shown-url.ts';
import type { Finding } from '../../../lib/doctor/doctor.ts';
import { teller } from '../../../lib/doctor/finding.ts';
import { apiSource } from '../../../lib/source/nova-api/nova-api.ts';
import { DAY, HOUR } from '../../../lib/core/time.ts';
import { instanceEvents } from '../../../lib/tables/instance-events/table.ts';
import { type MariaDb, useMariaDb } from '../../support/mariadb/index.ts';
import { type Certificates, createCertificates } from '../../support/mariadb/tls.ts';
import { loadSample } from '../../support/nova/sample.ts';
import { type Cell, createCell } from '../../support/nova/schema.ts';
import {
  type Account,
  type LocalOpenStack,
  type OpenStackOptions,
  type SecretForm,
  startOpenStack,
} from '../../support/openstack/index.ts';
import { SETTLE_SECONDS, examined, only, troubles } from './examined.ts';

let db: MariaDb;
let cells: Cell[];
let openstack: LocalOpenStack;

beforeAll(async () => {
  db = await useMariaDb();
  cells = Object.values(await loadSample(db));
});
afterAll(() => db.stop());
afterEach(() => openstack.stop());

async function start(options: Partial<OpenStackOptions> = {}): Promise<void> {
  openstack = await startOpenStack({ cells, ...options });
}

const hiddenOf = ({ userName, userId, password, applicationCredential }: Account): string[] => [
  userName,
  userId,
  password,
  JSON.stringify(password).slice(1, -1),
  applicationCredential.id,
  applicationCredential.secret,
];

const examinedWith = (secret: string): Promise<Finding[]> =>
  examined(secret, [...hiddenOf(openstack.admin), ...hiddenOf(openstack.member)]);

/** A secret in JSON, changed in some fields. */
function changed(fields: Record<string, string | undefined>, account?: Account): string {
  return JSON.stringify({ ...(JSON.parse(openstack.secret('json', account)) as object), ...fields });
}

/** What a run says that reads a window with that secret; undefined where it reads it. */
async function refusalOfRun(secret: string): Promise<string | undefined> {
  const connection = (await parseSecret(secret)) as OpenStackConnection;
  const source = apiSource(connection, { concurrency: 4, sweepSeconds: 0, allowPartial: false });
  const end = Math.floor(Date.now() / DAY / 1000) * DAY;
  try {
    await using opened = await source.open(new AbortController().signal);
    const reading = opened.read(instanceEvents.name, {
      window: { start: end - DAY, end },
      state: undefined,
      openHorizonSeconds: 30 * DAY,
      settleSeconds: SETTLE_SECONDS,
      begin: end - DAY,
      whole: false,
    });
    while ((await reading.next()).done !== true);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

async function tokenOf({ authUrl, admin }: LocalOpenStack): Promise<string> {
  const user = { id: admin.userId, password: admin.password };
  const asked = await fetch(`${authUrl}/v3/auth/tokens`, {
    method: 'POST',
    body: JSON.stringify({ auth: { identity: { methods: ['password'], password: { user } } } }),
    headers: { 'content-type': 'application/json' },
  });
  return asked.headers.get('x-subject-token') ?? '';
}

const withToken = (token: string): string =>
  changed({
    OS_USERNAME: undefined,
    OS_PASSWORD: undefined,
    OS_USER_DOMAIN_NAME: undefined,
    OS_TOKEN: token,
  });

describe('an administrator of a fake', () => {
  test.each<SecretForm>(['json', 'openrc', 'clouds.yaml', 'applicationCredential'])(
    'finds all fine with %s credentials, and is told what a window costs',
    async (form) => {
      await start();
      const findings = await examinedWith(openstack.secret(form));
      expect(troubles(findings)).toEqual([]);
      expect(only(findings, 'roles').found).toBe(
        `admin, member, reader, in the project ${openstack.admin.projectName}`,
      );
      expect(only(findings, 'microversion').found).toBe('2.69, all that is needed');
      const [live] = await cells[0]!.query('SELECT COUNT(*) AS n FROM instances WHERE deleted = 0');
      const [failed] = await cells[1]!.query('SELECT COUNT(*) AS n FROM instances WHERE deleted = 0');
      const servers = Number(live?.['n']) + Number(failed?.['n']);
      expect(only(findings, 'cost').found).toMatch(
        new RegExp(`^${servers} live servers: a window is about `),
      );
      expect(only(findings, 'deleted servers').found).toMatch(/^are shown/);
      expect(await refusalOfRun(openstack.secret(form))).toBeUndefined();
    },
  );

  test('counts beyond one page, and reads no more than it has to', async () => {
    await start({ maxLimit: 50 });
    const findings = await examinedWith(openstack.secret());
    expect(only(findings, 'cost').found).toMatch(/^\d{3} live servers/);
    expect(openstack.requests().length).toBeLessThan(40);
  });

  test('in the scope of the system is told that newer Novas refuse it', async () => {
    await start();
    const findings = await examinedWith(openstack.secret('system'));
    expect(only(findings, 'roles')).toMatchObject({
      verdict: 'fine',
      found: expect.stringContaining('in the whole system'),
      remedy: expect.stringContaining('2023.1'),
    });
  });

  test('of a cloud without servers learns that what is shown of them cannot be told', async () => {
    const empty = await createCell(db, 'empty');
    await start({ cells: [empty] });
    const findings = await examinedWith(openstack.secret());
    expect(troubles(findings)).toEqual(['lacking: deleted servers', 'lacking: hosts', 'lacking: actions']);
    await db.query(`DROP DATABASE \`${empty.database}\``);
  });

  test('of Keystone v2.0 is examined alike', async () => {
    await start({ keystoneV3: false });
    const findings = await examinedWith(openstack.secret());
    expect(troubles(findings)).toEqual([]);
    expect(only(findings, 'roles').found).toContain(`in the project ${openstack.admin.projectName}`);
  });
});

describe('a user of a fake who is no administrator', () => {
  const policies = {
    services: 'os-services:list',
    'all projects': 'servers:detail:get_all_tenants',
    'deleted servers': 'servers:allow_all_filters',
    hosts: 'os-extended-server-attributes',
    'hosts of events': 'os-instance-actions:events',
  };

  /** A member in whose project all the servers are. */
  async function ownsServers(options: Partial<OpenStackOptions> = {}): Promise<Account> {
    await start(options);
    const { member } = openstack;
    for (const cell of cells) await cell.query('UPDATE instances SET project_id = ?', [member.projectId]);
    return member;
  }

  test('is told of each thing that is not shown, by the policy that shows it', async () => {
    const member = await ownsServers();
    const findings = await examinedWith(openstack.secret('json', member));
    expect(troubles(findings)).toEqual([
      'fatal: services',
      'fatal: all projects',
      'lacking: deleted servers',
      'fatal: hosts',
      'fatal: hosts of events',
    ]);
    for (const [check, policy] of Object.entries(policies)) {
      expect(only(findings, check).remedy).toContain(`os_compute_api:${policy}`);
    }
    expect(only(findings, 'roles')).toMatchObject({
      verdict: 'fine',
      remedy: expect.stringContaining('admin'),
    });
    expect(only(findings, 'events').verdict).toBe('fine');
    expect(await refusalOfRun(openstack.secret('json', member))).toMatch(
      /this user may not see that \(403\)/,
    );
  });

  test('before 2.51 is shown no events at all', async () => {
    const member = await ownsServers({ maxMicroversion: '2.50' });
    const findings = await examinedWith(openstack.secret('json', member));
    expect(only(findings, 'events')).toMatchObject({
      verdict: 'fatal',
      found: 'of actions are not shown to this user',
    });
    expect(findings.some(({ check }) => check === 'services')).toBe(false);
  });
});

describe('a fake is not opened', () => {
  test('with a wrong password: the token is refused, and no password is told', async () => {
    await start();
    const findings = await examinedWith(changed({ OS_PASSWORD: 'certainly wrong' }));
    expect(troubles(findings)).toEqual(['fatal: token']);
    expect(only(findings, 'token')).toMatchObject({
      found: expect.stringContaining('(401)'),
      remedy: expect.stringContaining('check user, password, project'),
    });
    expect(JSON.stringify(findings)).not.toContain('certainly wrong');
  });

  test('with a token that has expired', async () => {
    let now = Math.floor(Date.now() / 1000);
    await start({ now: () => now, tokenSeconds: HOUR });
    const token = await tokenOf(openstack);
    now += HOUR + 1;
    const findings = await examined(withToken(token), [token, ...hiddenOf(openstack.admin)]);
    expect(troubles(findings)).toEqual(['fatal: token']);
    expect(only(findings, 'token')).toMatchObject({
      found: expect.stringMatching(/has expired or was revoked \(404\)/),
      remedy: expect.stringContaining('application credential'),
    });
  });

  test('with an application credential that is gone', async () => {
    await start();
    const secret = JSON.parse(openstack.secret('applicationCredential')) as object;
    const gone = { ...secret, OS_APPLICATION_CREDENTIAL_ID: 'f'.repeat(32) };
    expect(only(await examinedWith(JSON.stringify(gone)), 'token')).toMatchObject({
      verdict: 'fatal',
      found: expect.stringMatching(/the application credential is unknown/),
    });
  });

  test('where nothing listens, at once', async () => {
    await start();
    await openstack.stop();
    const findings = await examinedWith(openstack.secret());
    expect(troubles(findings)).toEqual(['fatal: Keystone']);
    expect(only(findings, 'Keystone').found).toBe(
      `${openstack.authUrl}: nothing listens there (ECONNREFUSED)`,
    );
  });

  test('where the host is not known', async () => {
    await start();
    const findings = await examinedWith(changed({ OS_AUTH_URL: 'http://keystone.invalid:5000/v3' }));
    expect(only(findings, 'Keystone').found).toBe(
      'http://keystone.invalid:5000/v3: the host name is not known here',
    );
  });

  test('where what answers is no Keystone', async () => {
    await start();
    const fields = {
      OS_AUTH_URL: openstack.authUrl.replace('identity', 'else'),
      OS_IDENTITY_API_VERSION: undefined,
    };
    const findings = await examinedWith(changed(fields));
    expect(troubles(findings)).toEqual(['fatal: Keystone']);
  });

  test('in a region that the catalogue does not have, and those that it has are named', async () => {
    await start();
    const findings = await examinedWith(changed({ OS_REGION_NAME: 'Nowhere' }));
    expect(troubles(findings)).toEqual(['fatal: compute endpoint']);
    expect(only(findings, 'compute endpoint').found).toContain(`OtherRegion, ${openstack.region}`);
  });

  test('at an endpoint that cannot be reached from here, at once', async () => {
    await start();
    const findings = await examinedWith(changed({ OS_REGION_NAME: 'OtherRegion' }));
    expect(troubles(findings)).toEqual(['fatal: compute endpoint']);
    expect(only(findings, 'compute endpoint').remedy).toContain('another interface than public');
  });
});

test('a token in a fake’s secret will do, but not for long', async () => {
  await start();
  const token = await tokenOf(openstack);
  const findings = await examined(withToken(token), [token]);
  expect(troubles(findings)).toEqual(['lacking: token']);
  expect(only(findings, 'token').found).toMatch(/valid until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
});

test.each([
  ['2.68', ['2.69']],
  ['2.61', ['2.69', '2.62']],
  ['2.57', ['2.69', '2.62', '2.58']],
  ['2.46', ['2.69', '2.62', '2.58', '2.47']],
])('a fake with microversion %s lacks what came with %j, and is read', async (newest, missing) => {
  await start({ maxMicroversion: newest });
  const findings = await examinedWith(openstack.secret());
  expect(new Set(troubles(findings))).toEqual(new Set(['lacking: microversion']));
  const lacking = findings.filter(({ verdict }) => verdict === 'lacking');
  expect(lacking.map(({ found }) => found.split(' ')[1])).toEqual(missing);
  expect(await refusalOfRun(openstack.secret())).toBeUndefined();
});

test('a fake older than 2.21 is refused', async () => {
  await start({ maxMicroversion: '2.20' });
  const findings = await examinedWith(openstack.secret());
  expect(troubles(findings)).toEqual(['fatal: microversion']);
});

test('a fake whose cell does not answer is no whole cloud, as for a run', async () => {
  await start({ failingCellsAreSkipped: true });
  openstack.failingCells.add('cell1');
  const findings = await examinedWith(openstack.secret());
  expect(only(findings, 'cells')).toMatchObject({
    verdict: 'fatal',
    found: expect.stringMatching(/^a cell does not answer: \d+ services UNKNOWN$/),
  });
  expect(await refusalOfRun(openstack.secret())).toMatch(/a cell does not answer/);
});

describe.each([
  [true, 'Nova'],
  [false, 'Keystone'],
])('the clock of a fake that tells a Date: %s', (tellsDate, whose) => {
  test.each([
    [0, 'fine', /agree to/],
    [-600, 'lacking', /is 10 min behind/],
    [600, 'lacking', /is 10 min ahead/],
  ])('is told by %s s, which is %s', async (by, verdict, found) => {
    await start({ tellsDate, now: () => Math.floor(Date.now() / 1000) + by });
    const clock = only(await examinedWith(openstack.secret()), 'clock');
    expect(clock).toMatchObject({ verdict, found: expect.stringContaining(whose) });
    expect(clock.found).toMatch(found);
  });
});

describe('TLS of a fake', () => {
  let folder: string;
  let certificates: Certificates;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'star-compactor-doctor-'));
    certificates = await createCertificates(folder);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('is verified by the authority in the secret', async () => {
    await start({ tls: certificates.server });
    const findings = await examinedWith(changed({ OS_CACERT: certificates.ca }));
    // The catalogue is as the client came: over TLS.
    expect(troubles(findings)).toEqual([]);
    for (const check of ['TLS', 'TLS to Nova']) {
      expect(only(findings, check).found).toMatch(
        /^on, certificate and name verified by the given authority/,
      );
    }
  });

  test('is fatal without it', async () => {
    await start({ tls: certificates.server });
    const findings = await examinedWith(openstack.secret());
    expect(troubles(findings)).toEqual(['fatal: TLS']);
    expect(only(findings, 'TLS').remedy).toMatch(/cacert/);
  });

  test('that verifies nothing, or none at all, costs secrecy but on the loopback', async () => {
    await start({ tls: certificates.server });
    const findings = await examinedWith(changed({ OS_INSECURE: 'true' }));
    expect(only(findings, 'TLS').found).toBe(
      'on, but no certificate is verified; nothing leaves this machine',
    );
    const elsewhere = (url: string): Finding => tlsFinding('TLS', url, { mode: 'off' }, false, teller());
    expect(elsewhere('https://keystone.example/v3')).toMatchObject({
      verdict: 'lacking',
      found: 'on, but no certificate is verified',
    });
    expect(elsewhere('http://keystone.example:5000/v3')).toMatchObject({
      verdict: 'lacking',
      found: 'none, the URL is http',
    });
  });
});

test('a URL is shown without a user, a password, a query or a project', async () => {
  await start();
  const id = openstack.admin.projectId;
  expect(shownUrl(`https://me:pass@cloud.example:8774/v2.1/${id}?token=x`)).toBe(
    'https://cloud.example:8774/v2.1/…',
  );
});
