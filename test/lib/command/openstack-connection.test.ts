import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type OpenStackOptions, connectionToOpenStack } from '../../../lib/command/openstack-connection.ts';

const password = randomBytes(12).toString('hex');
const pem = `-----BEGIN CERTIFICATE-----\n${randomBytes(30).toString('base64')}\n-----END CERTIFICATE-----\n`;
const BY_NAME = {
  OS_AUTH_URL: 'https://keystone.example:5000/v3',
  OS_USERNAME: 'star',
  OS_PASSWORD: password,
  OS_PROJECT_NAME: 'traces',
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'star-compactor-openstack-'));
  await mkdir(join(folder, '.config', 'openstack'), { recursive: true });
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('OS_')) vi.stubEnv(name, undefined);
  vi.stubEnv('HOME', folder);
});
afterEach(() => vi.unstubAllEnvs());

const file = async (name: string, text: string | Buffer): Promise<string> => {
  await writeFile(join(folder, name), text);
  return join(folder, name);
};

const environment = (fields: Readonly<Record<string, string>>): void => {
  for (const [name, value] of Object.entries(fields)) vi.stubEnv(name, value);
};

const refused = (options: OpenStackOptions): Promise<string> =>
  connectionToOpenStack(options).then(
    () => expect.unreachable('it was accepted'),
    (error: unknown) => {
      expect(error).toMatchObject({ name: 'InputError' });
      expect((error as Error).message).not.toContain(password);
      return (error as Error).message;
    },
  );

const cloud = (name: string, more = ''): string =>
  `  ${name}:\n    auth: {auth_url: "https://${name}.example/v3", username: star, project_name: traces, password: "${password}"}\n${more}`;

describe('The environment', () => {
  test('may hold OS_ variables of other tools', async () => {
    environment({
      ...BY_NAME,
      OS_AUTH_STRATEGY: 'keystone',
      OS_DISTRIBUTION: 'x',
      OS_SOMETHING_ELSE: 'y',
      OS_BASE_CLOUD: 'z',
    });
    expect(await connectionToOpenStack({})).toMatchObject({ authUrl: BY_NAME.OS_AUTH_URL });
  });

  test('without any says what may be given', async () => {
    expect(await refused({})).toBe(
      'OS_AUTH_URL: got nothing; accepted: the OS_ variables that an openrc file sets, OS_CLOUD, --os-cloud NAME or --osrc FILE',
    );
  });

  test('is refused by name where it asks for single sign-on', async () => {
    for (const type of ['v3oidcpassword', 'v3samlpassword', 'v3adfspassword', 'v3oidcdeviceauthz']) {
      environment({ ...BY_NAME, OS_AUTH_TYPE: type });
      expect(await refused({})).toMatch(
        /^environment: OS_AUTH_TYPE: .*single sign-on \(OIDC, SAML\) is not supported/,
      );
    }
    environment({ ...BY_NAME, OS_AUTH_TYPE: 'password', OS_IDENTITY_PROVIDER: 'keycloak' });
    expect(await refused({})).toMatch(
      /^environment: OS_IDENTITY_PROVIDER: single sign-on .* accepted: an application credential \(openstack app/,
    );
  });
});

describe('A cloud of a clouds.yaml', () => {
  test('is found by OS_CLOUD or --os-cloud, where openstacksdk looks', async () => {
    await file('.config/openstack/clouds.yaml', `clouds:\n${cloud('one')}${cloud('two')}`);
    vi.stubEnv('OS_CLOUD', 'two');
    expect(await connectionToOpenStack({})).toMatchObject({ authUrl: 'https://two.example/v3' });
    expect(await connectionToOpenStack({ osCloud: 'one' })).toMatchObject({
      authUrl: 'https://one.example/v3',
    });
    vi.stubEnv(
      'OS_CLIENT_CONFIG_FILE',
      await file('elsewhere.yaml', `clouds:\n${cloud('one', '    region_name: far\n')}`),
    );
    expect(await connectionToOpenStack({ osCloud: 'one' })).toMatchObject({ region: 'far' });
  });

  test('is chosen in the file that --osrc names', async () => {
    const osrc = await file('several.yaml', `clouds:\n${cloud('one')}${cloud('two')}`);
    expect(await connectionToOpenStack({ osrc, osCloud: 'two' })).toMatchObject({
      authUrl: 'https://two.example/v3',
    });
    expect(await refused({ osrc })).toMatch(
      /clouds: has several; accepted: one, .*OS_CLOUD or --os-cloud on the command/,
    );
    expect(await refused({ osrc, osCloud: 'three' })).toMatch(
      /cloud: accepted: the name of one of the clouds/,
    );
    vi.stubEnv('OS_CLOUD', 'one');
    expect(await connectionToOpenStack({ osrc })).toMatchObject({ authUrl: 'https://one.example/v3' });
  });

  test('has its password in a secure.yaml', async () => {
    const secret = cloud('one').replace(`, password: "${password}"`, '');
    await mkdir(join(folder, 'parted'), { recursive: true });
    const osrc = await file('parted/clouds.yaml', `clouds:\n${secret}`);
    expect(await refused({ osrc })).toMatch(/password: got nothing/);
    await file('parted/secure.yaml', `clouds:\n  one:\n    auth:\n      password: "${password}"\n`);
    expect(await connectionToOpenStack({ osrc })).toMatchObject({
      authUrl: 'https://one.example/v3',
      identity: { user: { name: 'star' }, password },
    });
  });

  test('that is not there is said, with where it was looked for', async () => {
    await rm(join(folder, '.config/openstack/clouds.yaml'), { force: true });
    expect(await refused({ osCloud: 'one' })).toMatch(
      /^OS_CLOUD: there is no clouds\.yaml; accepted: one in \., .*\.config/,
    );
    const osrc = await file('admin.rc', `export OS_PASSWORD=${password}`);
    expect(await refused({ osrc, osCloud: 'one' })).toMatch(
      /--os-cloud: .* is an openrc file; accepted: a clouds\.yaml/,
    );
  });
});

describe('A CA of OpenStack’s credentials', () => {
  test.each(['openrc', 'clouds.yaml', 'JSON', 'environment'])(
    'may be a path in %s, at home too',
    async (form) => {
      await file('ca.pem', `\uFEFF${pem}`);
      const fields = { ...BY_NAME, OS_CACERT: '~/ca.pem' };
      const texts: Record<string, string> = {
        openrc: Object.entries(fields)
          .map(([name, value]) => `export ${name}='${value}'\n`)
          .join(''),
        'clouds.yaml': `clouds:\n${cloud('one', '    cacert: ~/ca.pem\n')}`,
        JSON: JSON.stringify(fields),
      };
      const text = texts[form];
      if (text === undefined) environment(fields);
      const osrc = text === undefined ? {} : { osrc: await file('with-ca', text) };
      expect((await connectionToOpenStack(osrc)).tls).toEqual({ mode: 'verify', ca: pem });
    },
  );
});

test('A file of OpenStack’s credentials is refused where it is not UTF-8', async () => {
  const latin1 = Buffer.from(`export OS_PASSWORD=pässwört-${password}`, 'latin1');
  expect(await refused({ osrc: await file('latin1.rc', latin1) })).toMatch(
    /^--osrc: .*latin1\.rc: is not UTF-8/,
  );
});
