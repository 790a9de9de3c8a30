import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { parseSecret } from '../../../lib/connection/secret.ts';
import { bundle } from '../../../tools/bundle.mjs';
import { cpuSeconds } from '../../support/cpu-seconds.ts';
import { refusal } from './refusal.ts';

// None of them can pass for a number, whichever YAML reads it.
const [password, user, project, id, name] = Array.from({ length: 5 }, () => `x${randomUUID()}`);
const url = `https://${randomUUID()}.example:5000/v3`;
const hidden = [password, user, project, id, name, new URL(url).hostname] as string[];

const auth = { auth_url: url, username: user, password, project_name: project };
const cloud = `
    auth:
      auth_url: ${url}
      username: "${user}"
      password: '${password}'
      project_id: ${id}
      project_name: "${project}"
      user_domain_name: "Default"
    region_name: "RegionOne"
    interface: "internal"
    identity_api_version: 3
`;

const within = (line: string): string => `clouds:\n  a:${cloud}    ${line}\n`;

const expected = {
  kind: 'api',
  authUrl: url,
  identityVersion: 'v3',
  identity: { method: 'password', user: { name: user, domain: { name: 'Default' } }, password },
  scope: { project: { id } },
  region: 'RegionOne',
  interface: 'internal',
  tls: { mode: 'verify' },
};

describe('a clouds.yaml', () => {
  test.each([
    ['of one cloud, as Horizon writes it', `# This is a clouds.yaml file\nclouds:\n  openstack:${cloud}`],
    ['that begins as a document', `%YAML 1.1\n---\nclouds:\n  openstack:${cloud}...\n`],
    ['with the lines of Windows', `clouds:\n  openstack:${cloud}`.replaceAll('\n', '\r\n')],
    ['of several clouds, one of them chosen', `cloud: "2"\nclouds:\n  a:\n    region_name: x\n  2:${cloud}`],
    ['that says the same of its only cloud', `clouds:\n  ${name}:${cloud}cloud: ${name}\n`],
    [
      'with sections beside its clouds',
      `clouds:\n  a:${cloud}cache: {expiration_time: 1}\nclient: {}\nmetrics: {}\n`,
    ],
    [
      'with what other tools keep beside its clouds',
      `clouds:\n  a:${cloud}defaults: &x {a: 1}\n${name}: y\n`,
    ],
    ['with regions, one of them named', within('regions: [RegionTwo, RegionOne]')],
    [
      'with regions, of which the first counts',
      within('regions:\n    - {name: RegionOne, values: {interface: internal}}\n    - RegionTwo').replace(
        /region_name.*\n +interface.*/,
        'interface: public',
      ),
    ],
    ['of the cloud alone', cloud.replaceAll(/^ {4}/gm, '').trim()],
    ['with hyphens in its names', `clouds:\n  a:${cloud.replaceAll(/(?<=\w)_(?=\w+:)/g, '-')}`],
    ['with quoted names', `"clouds":\n  'a':${cloud}`],
    [
      'with an anchor for what its clouds share',
      `clouds:\n  b: &shared${cloud}  a:\n    <<: *shared\n    verify: true\ncloud: a\n`,
    ],
    [
      'with what is for other services and programs',
      `clouds:\n  a:${cloud}    image_api_version: 2\n    networks: [{name: x}]\n    force_ipv4: yes\n    api_timeout: 1\n`,
    ],
  ])('may be one %s', async (_, text) => {
    expect(await parseSecret(text)).toEqual(expected);
  });

  test('is YAML 1.1, as openstacksdk reads it', async () => {
    for (const no of ['no', 'off', 'False', '"false"']) {
      expect(await parseSecret(`clouds:\n  a:${cloud}    verify: ${no}\n`)).toMatchObject({
        tls: { mode: 'off' },
      });
    }
  });

  test('may hold a certificate as a block', async () => {
    const pem = `-----BEGIN CERTIFICATE-----\n${randomUUID()}\n-----END CERTIFICATE-----\n`;
    const block = pem.replaceAll(/^(?=.)/gm, '      ');
    expect(await parseSecret(`clouds:\n  a:${cloud}    cacert: |\n${block}`)).toMatchObject({
      tls: { mode: 'verify', ca: pem },
    });
  });

  test('may be Horizon’s for an application credential', async () => {
    const text = `clouds:
  openstack:
    auth:
      auth_url: ${url}
      application_credential_id: "${id}"
      application_credential_secret: "${password}"
    region_name: "KVM@TACC"
    interface: "public"
    identity_api_version: 3
    auth_type: "v3applicationcredential"
`;
    expect(await parseSecret(text)).toMatchObject({
      identity: { method: 'applicationCredential', credential: { id }, secret: password },
      scope: { ofCredential: true },
      region: 'KVM@TACC',
    });
  });

  test.each([
    ['a cloud', { auth, region_name: 'RegionOne' }],
    ['a cloud whose names are all at the top', { ...auth, region_name: 'RegionOne' }],
    ['a whole file', { clouds: { a: { auth, region_name: 'RegionOne' } } }],
    [
      'a whole file with several clouds',
      { clouds: { b: {}, a: { auth, region_name: 'RegionOne' } }, cloud: 'a' },
    ],
    ['a cloud with OS_ names', { clouds: { a: { OS_AUTH_URL: url, ...auth, OS_REGION_NAME: 'RegionOne' } } }],
  ])('may as well be JSON of %s', async (_, secret) => {
    expect(await parseSecret(JSON.stringify(secret))).toMatchObject({
      authUrl: url,
      identity: { user: { name: user, domain: { id: 'default' } }, password },
      scope: { project: { name: project, domain: { id: 'default' } } },
      region: 'RegionOne',
    });
  });

  test('is read by what is deployed, where the parser is a chunk of its own', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'star-connection-'));
    try {
      await bundle({
        outdir: folder,
        handlers: fileURLToPath(new URL('../../../lib/connection', import.meta.url)),
      });
      const module = pathToFileURL(join(folder, 'handlers/secret.js')).href;
      await writeFile(join(folder, 'clouds.yaml'), `clouds:\n  a:${cloud}`);
      const script = `
        import { readFileSync } from 'node:fs';
        const { parseSecret } = await import(${JSON.stringify(module)});
        console.log(JSON.stringify(await parseSecret(readFileSync('clouds.yaml', 'utf8'))));`;
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
        cwd: folder,
      });
      expect(JSON.parse(stdout)).toEqual(expected);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

/** Nine times nine times nine … maps or lists out of a few lines. */
const bomb = (node: (aliases: string) => string): string =>
  `clouds: {a: {auth: {password: ${password}}}}\nx0: &x0 {k: v}\n` +
  Array.from({ length: 12 }, (_, at) => `x${at + 1}: &x${at + 1} ${node(`*x${at} ,`.repeat(9))}\n`).join('');

const REFUSED: [text: string, message: RegExp][] = [
  [`clouds:\n  a:${cloud}  b:${cloud}`, /^secret: clouds: has several; accepted: one, or cloud: NAME beside/],
  [`cloud: ${name}\nclouds:\n  a:${cloud}`, /^secret: cloud: accepted: the name of one of the clouds/],
  [
    `cloud: 2\nclouds:\n  2:${cloud}`,
    /^secret: cloud: accepted: the name of one of the clouds, in quotes if/,
  ],
  ['clouds:\n', /^secret: clouds: accepted: clouds by their names$/],
  ['clouds: {}', /^secret: clouds: accepted: at least one cloud$/],
  [`clouds:\n  - name: ${name}`, /^secret: clouds: accepted: clouds by their names$/],
  [`clouds: ${password}`, /^secret: clouds: accepted: clouds by their names$/],
  [`clouds:\n  ${name}: ${password}`, /^secret: clouds: accepted: a cloud with auth, region_name and so on$/],
  [`clouds:\n  ${name}:\n`, /^secret: clouds: accepted: a cloud with auth/],
  [`clouds:\n  a:\n    auth:\n`, /^secret: clouds: auth: accepted: auth_url, username and so on within it$/],
  [`clouds:\n  a:\n    auth: ${password}`, /^secret: clouds: auth: accepted: auth_url/],
  [`clouds:\n  a:\n    auth: {}`, /^secret: clouds: auth: password: got nothing; accepted: a password/],
  [`clouds:\n  a:\n    region_name: x`, /^secret: clouds: password: got nothing; accepted: a password/],
  [`clouds:\n  a:${cloud}`.replace(/ +password.*\n/, ''), /^secret: clouds: auth: password: got nothing/],
  [`auth:\n  auth_url: ${url}`, /^secret: auth: password: got nothing/],
  [within('profile: ovh'), /^secret: clouds: profile: it points to what is not in the secret; accepted/],
  [within('cloud: ovh'), /^secret: clouds: cloud: it points to what is not in the secret; accepted/],
  [within('regions: [a, b]'), /^secret: region_name: accepted: one of the names under regions$/],
  [within('regions: []'), /^secret: regions: accepted: a list of names, or of a name and values each$/],
  [within('regions: RegionOne'), /^secret: regions: accepted: a list of names, or of a name and values/],
  [within('regions: [{values: {}}]'), /^secret: regions: accepted: a list of names, or of a name and val/],
  [within('cert: /etc/cert.pem'), /^secret: clouds: cert: client certificates are not supported;/],
  [
    within('cacert: /etc/ca.pem'),
    /^secret: clouds: cacert: accepted: the text of a PEM certificate, not a path$/,
  ],
  [
    within(`username: ${name}`),
    /^secret: clouds: auth: username: contradicts clouds: username; accepted: one/,
  ],
  [within('region: x'), /^secret: clouds: region: unknown; accepted: auth_type, auth_url,/],
  [within(`"${password}": x`), /^secret: clouds: a key: unknown; accepted: auth_type, auth_url,/],
  [within(`? [${password}]\n    : x`), /^secret: line \d+: NON_STRING_KEY; accepted: valid YAML$/],
  ...['0123456789', '1e10', '12_345', '0x1F', '12:30:45', '2026-11-22', 'yes', 'null', '', '.inf', '[a]'].map(
    (value): [string, RegExp] => [
      within('').replace(/(?<=password: ).*/, value),
      /^secret: clouds: auth: password: accepted: a text(,| that is not empty)/,
    ],
  ),
  [
    within('').replace(/(?<=password: )(.*)/, `|\n        ${password}`),
    /password: accepted: a text on one line$/,
  ],
  [within('region_name: y'), /^secret: line 13: DUPLICATE_KEY; accepted: valid YAML$/],
  [within('verify: !secret x'), /^secret: line 13: TAG_RESOLVE_FAILED; accepted: valid YAML$/],
  [within('verify: *nothing'), /^secret: this YAML has an alias of nothing, too many aliases or too deep/],
  [within(`\t${password}: x`), /^secret: line 13: TAB_AS_INDENT; accepted: valid YAML$/],
  [within(`"${password}`), /^secret: line \d+: [A-Z_]+; accepted: valid YAML$/],
  [`clouds: {a: ${password}`, /^secret: line \d+: [A-Z_]+; accepted: valid YAML$/],
  [`clouds:\n  a:${cloud}---\nclouds: {}`, /^secret: line \d+: MULTIPLE_DOCS; accepted: valid YAML$/],
  [`- auth\n- x\nauth: ${password}`, /^secret: line \d+: [A-Z_]+; accepted: valid YAML$/],
  [bomb((aliases) => `[${aliases}]`), /^secret: this YAML has an alias of nothing, too many aliases or too/],
  [bomb((aliases) => `{<<: [${aliases}]}`), /^secret: this YAML has an alias of nothing, too many aliases/],
];

describe('a clouds.yaml that cannot be used', () => {
  test.each(REFUSED)('is refused in one line that names the field (%#)', async (text, message) => {
    const cost = await cpuSeconds(async () => expect(await refusal(text, hidden)).toMatch(message));
    expect(cost).toBeLessThan(5);
  });

  test('is refused as JSON in the same way', async () => {
    const refused = (secret: object) => refusal(JSON.stringify(secret), hidden);
    expect(await refused({ clouds: { a: { auth }, b: { auth } } })).toMatch(/^secret: clouds: has several;/);
    expect(await refused({ clouds: { a: { auth } }, cloud: name })).toMatch(
      /^secret: cloud: accepted: the name/,
    );
    expect(await refused({ clouds: [auth] })).toMatch(/^secret: clouds: accepted: clouds by their names$/);
    expect(await refused({ auth, profile: name })).toMatch(/^secret: profile: it points to/);
    expect(await refused({ auth: [] })).toMatch(/^secret: auth: accepted: auth_url/);
    expect(await refused({ auth: { ...auth, password: undefined } })).toMatch(
      /^secret: auth: password: got noth/,
    );
    expect(await refused({ ...auth, password: undefined })).toMatch(/^secret: password: got nothing/);
    expect(await refused({ auth: { auth: auth } })).toMatch(
      /^secret: auth: auth: unknown; accepted: auth_type/,
    );
  });
});
