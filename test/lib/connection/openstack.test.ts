import { randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseSecret } from '../../../lib/connection/secret.ts';
import { cpuSeconds } from '../../support/cpu-seconds.ts';
import { refusal } from './refusal.ts';

const [password, user, project, domain, id, secret, token] = Array.from({ length: 7 }, () => randomUUID());
const host = `${randomUUID()}.example`;
const url = `https://${host}:5000/v3`;
const hidden = [password, user, project, domain, id, secret, token, host] as string[];
const pem = `-----BEGIN CERTIFICATE-----\n${randomUUID()}\n-----END CERTIFICATE-----\n`;

/** By name, as python-openstackclient's users have it. */
const byName = { OS_AUTH_URL: url, OS_USERNAME: user, OS_PASSWORD: password, OS_PROJECT_NAME: project };
const credential = {
  OS_AUTH_URL: url,
  OS_APPLICATION_CREDENTIAL_ID: id,
  OS_APPLICATION_CREDENTIAL_SECRET: secret,
};
const inDefault = { domain: { id: 'default' } };

const parse = (fields: object) => parseSecret(JSON.stringify(fields));

describe('OpenStack credentials', () => {
  test('may be a user’s, by name, in the default domain where none is said', async () => {
    expect(await parse(byName)).toEqual({
      kind: 'api',
      authUrl: url,
      identityVersion: 'v3',
      identity: { method: 'password', user: { name: user, ...inDefault }, password },
      scope: { project: { name: project, ...inDefault } },
      region: undefined,
      interface: 'public',
      tls: { mode: 'verify' },
    });
  });

  test.each([
    {
      of: 'the domains of user and project',
      fields: { ...byName, OS_USER_DOMAIN_NAME: domain, OS_PROJECT_DOMAIN_ID: id },
      user: { name: user, domain: { name: domain } },
      project: { name: project, domain: { id } },
    },
    {
      of: 'one domain for both, as openstacksdk takes it',
      fields: { ...byName, OS_DOMAIN_NAME: domain },
      user: { name: user, domain: { name: domain } },
      project: { name: project, domain: { name: domain } },
    },
    {
      of: 'a default domain, which is an id to python-openstackclient',
      fields: { ...byName, OS_DEFAULT_DOMAIN: domain, OS_USER_DOMAIN_ID: id },
      user: { name: user, domain: { id } },
      project: { name: project, domain: { id: domain } },
    },
    {
      of: 'a default domain by name',
      fields: { ...byName, OS_DEFAULT_DOMAIN_NAME: domain },
      user: { name: user, domain: { name: domain } },
      project: { name: project, domain: { name: domain } },
    },
    {
      of: 'ids, which count before names',
      fields: { ...byName, OS_USER_ID: id, OS_PROJECT_ID: secret, OS_USER_DOMAIN_NAME: domain },
      user: { id },
      project: { id: secret },
    },
    {
      of: 'a tenant for a project, and both if they agree',
      fields: { ...byName, OS_TENANT_NAME: project },
      user: { name: user, ...inDefault },
      project: { name: project, ...inDefault },
    },
  ])('may have $of', async (expected) => {
    expect(await parse(expected.fields)).toMatchObject({
      identity: { method: 'password', user: expected.user, password },
      scope: { project: expected.project },
    });
  });

  test.each([
    { of: 'by its id', fields: credential, credential: { id } },
    {
      of: 'whose type is said',
      fields: { ...credential, OS_AUTH_TYPE: 'v3applicationcredential' },
      credential: { id },
    },
    {
      of: 'by its name and user',
      fields: {
        OS_AUTH_URL: `https://${host}`,
        OS_APPLICATION_CREDENTIAL_NAME: project,
        OS_APPLICATION_CREDENTIAL_SECRET: secret,
        OS_USERNAME: user,
        OS_USER_DOMAIN_ID: domain,
      },
      credential: { name: project, user: { name: user, domain: { id: domain } } },
    },
    {
      of: 'beside a password that the type puts aside',
      fields: {
        ...credential,
        OS_AUTH_TYPE: 'v3applicationcredential',
        OS_USERNAME: user,
        OS_PASSWORD: password,
      },
      credential: { id },
    },
  ])('may be an application credential $of, for Keystone v3', async (expected) => {
    expect(await parse(expected.fields)).toMatchObject({
      identityVersion: 'v3',
      identity: { method: 'applicationCredential', credential: expected.credential, secret },
      scope: { ofCredential: true },
    });
  });

  test('may be a token', async () => {
    const fields = { OS_AUTH_URL: url, OS_TOKEN: token, OS_PROJECT_ID: id };
    const expected = { identity: { method: 'token', token }, scope: { project: { id } } };
    expect(await parse(fields)).toMatchObject(expected);
    expect(await parse({ ...fields, OS_AUTH_TYPE: 'v3token', OS_PASSWORD: password })).toMatchObject(
      expected,
    );
  });

  test('may be for the system, which Keystone v3 alone has', async () => {
    const { OS_PROJECT_NAME: _, ...unscoped } = byName;
    const fields = { ...unscoped, OS_AUTH_URL: `http://${host}/identity`, OS_SYSTEM_SCOPE: 'all' };
    expect(await parse(fields)).toMatchObject({ identityVersion: 'v3', scope: { system: true } });
  });

  test.each([
    [{ OS_AUTH_URL: `http://${host}:5000` }, undefined],
    [{ OS_AUTH_URL: `http://${host}:5000/v3/` }, 'v3'],
    [{ OS_AUTH_URL: `http://${host}:5000`, OS_IDENTITY_API_VERSION: 3 }, 'v3'],
    [{ OS_AUTH_URL: `http://${host}:5000`, OS_IDENTITY_API_VERSION: '3.14' }, 'v3'],
    [{ OS_AUTH_URL: `http://${host}:5000`, OS_AUTH_VERSION: '3', OS_IDENTITY_API_VERSION: 3 }, 'v3'],
    [{ OS_AUTH_URL: `http://${host}:5000`, OS_AUTH_TYPE: 'v3password' }, 'v3'],
    [{ OS_AUTH_URL: `http://${host}:5000/v2.0` }, 'v2.0'],
    [{ OS_AUTH_URL: `http://${host}:5000`, OS_IDENTITY_API_VERSION: '2.0' }, 'v2.0'],
    [{ OS_AUTH_URL: `http://${host}:5000`, OS_IDENTITY_API_VERSION: 2 }, 'v2.0'],
    [{ OS_AUTH_URL: `http://${host}:5000`, OS_AUTH_PLUGIN: 'v2password', OS_DEFAULT_DOMAIN: domain }, 'v2.0'],
    [{ OS_AUTH_URL: `http://${host}:5000/v2.0`, OS_USER_DOMAIN_NAME: 'Default' }, 'v2.0'],
  ])('ask for a version of Keystone in several places (%#)', async (fields, identityVersion) => {
    expect(await parse({ ...byName, ...fields })).toMatchObject({
      identityVersion,
      identity: { user: { name: user, ...inDefault } },
    });
  });

  test.each([
    [{}, 'public'],
    [{ OS_INTERFACE: 'internal', OS_ENDPOINT_TYPE: 'internalURL' }, 'internal'],
    [{ OS_ENDPOINT_TYPE: 'adminURL' }, 'admin'],
    [{ OS_INTERFACE: 'internal', OS_COMPUTE_ENDPOINT_TYPE: 'public', OS_IMAGE_INTERFACE: 'admin' }, 'public'],
  ])('name the interface (%#)', async (fields, expected) => {
    expect(await parse({ ...byName, ...fields })).toMatchObject({ interface: expected });
  });

  test('name the region', async () => {
    expect(await parse({ ...byName, OS_REGION_NAME: domain })).toMatchObject({ region: domain });
  });

  test.each([
    [{ OS_CACERT: pem }, { mode: 'verify', ca: pem }],
    [{ OS_CACERT: pem.replaceAll('\n', '\\n') }, { mode: 'verify', ca: pem }],
    [
      { OS_CACERT: pem, OS_INSECURE: 'false' },
      { mode: 'verify', ca: pem },
    ],
    [{ OS_INSECURE: 'True' }, { mode: 'off' }],
    [{ OS_INSECURE: 1 }, { mode: 'off' }],
    [{ OS_INSECURE: 'yes' }, { mode: 'off' }],
    [{ verify: false }, { mode: 'off' }],
    [{ insecure: false, verify: true }, { mode: 'verify' }],
  ])('say how TLS is verified (%#)', async (fields, tls) => {
    expect(await parse({ ...byName, ...fields })).toMatchObject({ tls });
  });

  test('may carry what is for other services and programs', async () => {
    const others = {
      OS_AUTH_STRATEGY: 'keystone',
      availability_zone: 'nova',
      OS_COMPUTE_API_VERSION: 2.1,
      OS_VOLUME_API_VERSION: '3',
      OS_MANILA_ENDPOINT_TYPE: 'internalURL',
      OS_NO_CACHE: 1,
      OS_CLOUDNAME: 'overcloud',
      OS_AUTH_PROTOCOL: 'https',
      OS_LOG_CAPTURE: '',
      networks: [{ name: 'public', routes_externally: true }],
      floating_ip_source: null,
      image_format: 'raw',
      api_timeout: 30,
    };
    expect(await parse({ ...byName, ...others })).toEqual(await parse(byName));
  });
});

const without = (name: keyof typeof byName) => ({ ...byName, [name]: undefined });

const REFUSED: [fields: object, message: RegExp][] = [
  [without('OS_AUTH_URL'), /^secret: OS_AUTH_URL: got nothing; accepted: the URL of Keystone$/],
  [without('OS_USERNAME'), /^secret: OS_USERNAME: got nothing; accepted: a user, by name or id$/],
  [without('OS_PASSWORD'), /^secret: OS_PASSWORD: got nothing; accepted: a password, an application cred/],
  [without('OS_PROJECT_NAME'), /^secret: OS_PROJECT_NAME: got nothing; .* or "all" as OS_SYSTEM_SCOPE$/],
  [{ ...byName, OS_PASSWORD: '' }, /^secret: OS_PASSWORD: accepted: a text that is not empty$/],
  [{ ...byName, OS_PASSWORD: null }, /^secret: OS_PASSWORD: accepted: a text that is not empty$/],
  [{ ...byName, OS_PASSWORD: 12_345_678 }, /^secret: OS_PASSWORD: accepted: a text, in quotes/],
  [{ ...byName, OS_PASSWORD: true }, /^secret: OS_PASSWORD: accepted: a text/],
  [{ ...byName, OS_PASSWORD: [password] }, /^secret: OS_PASSWORD: accepted: a text/],
  [{ ...byName, OS_PASSWORD: { toString: 1 } }, /^secret: OS_PASSWORD: accepted: a text/],
  [{ ...byName, OS_PASSWORD: `${password}\n` }, /^secret: OS_PASSWORD: accepted: a text on one line$/],
  [{ ...byName, OS_AUTH_URL: host }, /^secret: OS_AUTH_URL: accepted: the http:\/\/ or https:\/\/ URL/],
  [{ ...byName, OS_AUTH_URL: `ftp://${host}` }, /^secret: OS_AUTH_URL: accepted: the http/],
  [{ ...byName, OS_AUTH_URL: `https:${host}` }, /^secret: OS_AUTH_URL: accepted: the http/],
  [{ ...byName, OS_AUTH_URL: 'https:///v3' }, /^secret: OS_AUTH_URL: accepted: the http/],
  [{ ...byName, OS_AUTH_URL: `https://${user}:${password}@${host}` }, /^secret: OS_AUTH_URL: .*without user/],
  [{ ...byName, OS_AUTH_URL: `https://${host}/v3?p=${password}` }, /^secret: OS_AUTH_URL: .*without user/],
  [{ ...byName, OS_AUTH_URL: `https://${host}:99999/v3` }, /^secret: OS_AUTH_URL: accepted/],
  [{ ...byName, OS_AUTH_TYPE: `v3${secret}` }, /^secret: OS_AUTH_TYPE: accepted: password, v3password,/],
  [{ ...byName, OS_AUTH_TYPE: 'v3oidcpassword' }, /^secret: OS_AUTH_TYPE: accepted: password, v3password,/],
  [{ ...byName, OS_AUTH_PLUGIN: 'none' }, /^secret: OS_AUTH_PLUGIN: accepted: password, v3password,/],
  [{ ...byName, OS_AUTH_TYPE: 'token' }, /^secret: OS_TOKEN: got nothing; accepted: a token$/],
  [
    { ...byName, OS_AUTH_TYPE: 'v3applicationcredential', OS_PROJECT_NAME: undefined },
    /^secret: OS_APPLICATION_CREDENTIAL_SECRET: got nothing; accepted: the secret of/,
  ],
  [
    { ...credential, OS_APPLICATION_CREDENTIAL_ID: undefined },
    /^secret: OS_APPLICATION_CREDENTIAL_ID: got nothing; accepted: the id of .* or its name and user$/,
  ],
  [
    { ...credential, OS_APPLICATION_CREDENTIAL_ID: undefined, OS_APPLICATION_CREDENTIAL_NAME: project },
    /^secret: OS_USERNAME: got nothing; accepted: a user/,
  ],
  [
    { ...credential, OS_APPLICATION_CREDENTIAL_SECRET: undefined },
    /^secret: OS_APPLICATION_CREDENTIAL_SECRET: got nothing/,
  ],
  [
    { ...credential, OS_PASSWORD: password },
    /^secret: OS_APPLICATION_CREDENTIAL_ID: contradicts OS_PASSWORD; accepted: one of them, or OS_AUTH_TYPE/,
  ],
  [{ ...byName, OS_TOKEN: token }, /^secret: OS_TOKEN: contradicts OS_PASSWORD; accepted: one of them/],
  [
    { ...credential, OS_PROJECT_NAME: project },
    /^secret: OS_PROJECT_NAME: contradicts OS_APPLICATION_CREDENTIAL_ID; accepted: .*it has its project$/,
  ],
  [
    { ...credential, OS_SYSTEM_SCOPE: 'all' },
    /^secret: OS_SYSTEM_SCOPE: contradicts OS_APPLICATION_CREDENTIAL_ID/,
  ],
  [{ ...byName, OS_SYSTEM_SCOPE: 'all' }, /^secret: OS_SYSTEM_SCOPE: contradicts OS_PROJECT_NAME/],
  [{ ...byName, OS_SYSTEM_SCOPE: domain }, /^secret: OS_SYSTEM_SCOPE: accepted: all$/],
  [
    { ...without('OS_PROJECT_NAME'), OS_DOMAIN_NAME: domain },
    /^secret: OS_DOMAIN_NAME: alone it asks for a token of a domain, which Nova does not accept; accepted: a project/,
  ],
  [{ ...without('OS_PROJECT_NAME'), OS_DOMAIN_ID: domain }, /^secret: OS_DOMAIN_ID: alone/],
  [
    { ...without('OS_PROJECT_NAME'), OS_DOMAIN_ID: domain, OS_SYSTEM_SCOPE: 'all' },
    /^secret: OS_SYSTEM_SCOPE: contradicts OS_DOMAIN_ID/,
  ],
  [{ ...byName, OS_IDENTITY_API_VERSION: '4' }, /^secret: OS_IDENTITY_API_VERSION: accepted: 3, or 2.0$/],
  [{ ...byName, OS_IDENTITY_API_VERSION: { toString: 3 } }, /^secret: OS_IDENTITY_API_VERSION: accepted/],
  [{ ...byName, OS_IDENTITY_API_VERSION: 2 }, /^secret: OS_AUTH_URL: contradicts OS_IDENTITY_API_VERSION;/],
  [{ ...byName, OS_AUTH_TYPE: 'v2password' }, /^secret: OS_AUTH_TYPE: contradicts OS_AUTH_URL; accepted/],
  [
    { ...credential, OS_AUTH_URL: `https://${host}/v2.0` },
    /^secret: OS_APPLICATION_CREDENTIAL_ID: contradicts OS_AUTH_URL; accepted: Keystone v3, or v2.0 with/,
  ],
  [
    { ...without('OS_PROJECT_NAME'), OS_AUTH_URL: `https://${host}/v2.0`, OS_SYSTEM_SCOPE: 'all' },
    /^secret: OS_SYSTEM_SCOPE: contradicts OS_AUTH_URL/,
  ],
  [
    { ...byName, OS_AUTH_URL: `https://${host}/v2.0`, OS_USER_DOMAIN_NAME: domain },
    /^secret: OS_USER_DOMAIN_NAME: contradicts OS_AUTH_URL; accepted: no domain with Keystone v2.0/,
  ],
  [{ ...byName, OS_TENANT_NAME: domain }, /^secret: OS_TENANT_NAME: contradicts OS_PROJECT_NAME/],
  [{ ...byName, OS_INTERFACE: 'private' }, /^secret: OS_INTERFACE: accepted: public, internal, admin$/],
  [
    { ...byName, OS_INTERFACE: 'public', OS_ENDPOINT_TYPE: 'adminURL' },
    /^secret: OS_ENDPOINT_TYPE: contradicts OS_INTERFACE/,
  ],
  [{ ...byName, OS_REGION_NAME: '' }, /^secret: OS_REGION_NAME: accepted: a text that is not empty$/],
  [
    { ...byName, OS_CACERT: '/etc/ssl/ca.pem' },
    /^secret: OS_CACERT: accepted: the text of a PEM cert.*path$/,
  ],
  [{ ...byName, OS_CACERT: pem, OS_INSECURE: true }, /^secret: OS_INSECURE: contradicts OS_CACERT/],
  [{ ...byName, cacert: pem, verify: false }, /^secret: verify: contradicts cacert/],
  [{ ...byName, insecure: true, verify: true }, /^secret: insecure: contradicts verify/],
  [{ ...byName, OS_INSECURE: 'maybe' }, /^secret: OS_INSECURE: accepted: true or false$/],
  [{ ...byName, OS_CERT: pem, OS_KEY: secret }, /^secret: OS_CERT: client certificates are not supported;/],
  [{ ...byName, OS_KEY: secret }, /^secret: OS_KEY: client certificates are not supported;/],
  [{ ...byName, OS_CLOUD: project }, /^secret: OS_CLOUD: it points to what is not in the secret;/],
  [{ ...byName, OS_TRUST_ID: id }, /^secret: OS_TRUST_ID: trusts are not supported;/],
  [{ ...byName, OS_PASSCODE: '123456' }, /^secret: OS_PASSCODE: one-time passcodes are not supported;/],
  [
    { ...byName, OS_COMPUTE_ENDPOINT_OVERRIDE: host },
    /^secret: OS_COMPUTE_ENDPOINT_OVERRIDE: accepted: the http:\/\/ or https:\/\/ URL, without user/,
  ],
  [
    { ...byName, OS_AUTH_TYPE: 'v3oidcpassword' },
    /^secret: OS_AUTH_TYPE: accepted: password, .*; single sign-on \(OIDC, SAML\) is not supported, so make one/,
  ],
  [{ ...byName, OS_AUTH_TYPE: 'v3kerberos' }, /^secret: OS_AUTH_TYPE: accepted: password, .*credential$/],
  [
    { ...byName, OS_DISCOVERY_ENDPOINT: url },
    /^secret: OS_DISCOVERY_ENDPOINT: single sign-on .*; accepted: an application credential/,
  ],
  [{ ...byName, OS_PASSWRD: password }, /^secret: OS_PASSWRD: unknown; accepted: OS_AUTH_TYPE, OS_AUTH_URL,/],
  [{ ...byName, [`OS_${password}`]: 'x' }, /^secret: a key: unknown; accepted: OS_AUTH_TYPE/],
  [{ ...byName, __proto__x: 1, constructor: 1 }, /^secret: a key: unknown; accepted/],
  [{ ...byName, host, dbname: 'nova' }, /^secret: host: unknown; accepted: OS_AUTH_TYPE/],
];

describe('OpenStack credentials that cannot be used', () => {
  test.each(REFUSED)('are refused in one line that names the field (%#)', async (fields, message) => {
    expect(await refusal(JSON.stringify(fields), hidden)).toMatch(message);
  });
});

/** Any eight characters of it hold a digit, so that it cannot pass for a name that may be said. */
const marker = randomUUID().replaceAll(/[a-f]/g, '$&7');
const VALID = [
  JSON.stringify({ ...byName, OS_PASSWORD: marker }, undefined, 2),
  JSON.stringify({ auth: { auth_url: url, username: user, password: marker, project_name: project } }),
  JSON.stringify({ clouds: { a: { auth: { ...credential, OS_APPLICATION_CREDENTIAL_SECRET: marker } } } }),
  `export OS_AUTH_URL=${url}\nexport OS_USERNAME="${user}" OS_PASSWORD='${marker}'\nOS_PROJECT_NAME=a; export OS_PROJECT_NAME\n`,
  `for k in $( set | awk '/^OS_/' ); do unset $k ; done\nif [ -z "$OS_X" ]; then unset OS_X; fi\ndeclare -x OS_PASSWORD="${marker}"\ndeclare -x OS_AUTH_URL="${url}" # \`it\n`,
  `clouds:\n  a: &a\n    auth:\n      auth_url: ${url}\n      username: ${user}\n      password: ${marker}\n      project_name: x\n  b:\n    <<: *a\n    verify: no\ncloud: b\n`,
  `clouds: {a: {auth: {auth_url: "${url}", token: '${marker}', project_id: x}, verify: true}}\n`,
];
const PIECES = [
  'export ¦OS_PASSWORD¦OS_AUTH_URL¦=¦"¦\'¦`¦$(¦)¦${¦}¦$¦\\¦\n¦\r\n¦ ¦\t¦;¦&&¦|¦<<¦#¦~¦if ¦fi¦read ¦unset ¦{¦[¦]¦,¦:¦: ',
  'clouds:¦auth:¦password: ¦- ¦&a ¦*a¦<<: ¦!!set ¦!x ¦---\n¦|\n ¦%¦@¦"clouds":¦"auth":¦"OS_PASSWORD":¦__proto__',
  `\0¦\u{feff}¦\u{1F511}¦\u{d800}¦${marker}¦'${marker}'`,
].flatMap((pieces) => pieces.split('¦'));

const piece = fc.constantFrom(...PIECES);
const garbage = fc
  .tuple(fc.constantFrom('', 'OS_PASSWORD=', 'clouds:\n', '{"clouds":'), fc.array(piece, { maxLength: 40 }))
  .map(([head, pieces]) => head + pieces.join(''));
const change = fc.record({ at: fc.nat(600), cut: fc.nat(30), put: fc.array(piece, { maxLength: 3 }) });
const mutation = fc
  .tuple(fc.constantFrom(...VALID), fc.array(change, { minLength: 1, maxLength: 4 }))
  .map(([valid, changes]) =>
    changes.reduce((text, { at, cut, put }) => {
      const from = at % (text.length + 1);
      return text.slice(0, from) + put.join('') + text.slice(from + cut);
    }, valid),
  );

describe('whatever a secret holds', () => {
  test('unchanged, those that are changed below are accepted', async () => {
    const accepted = VALID.filter((_, at) => at !== 4);
    for (const text of accepted) expect(await parseSecret(text)).toMatchObject({ kind: 'api' });
    expect(await refusal(VALID[4]!, hidden)).toMatch(/^secret: OS_PROJECT_NAME: got nothing/);
  });

  test.each([
    ['garbage', garbage],
    ['a secret with changes', mutation],
  ])('%s is read or refused, soon, and its password is in no message', async (_, texts) => {
    const property = fc.asyncProperty(texts, async (text) => {
      let error: unknown;
      const cost = await cpuSeconds(async () => {
        error = await parseSecret(text).then(
          () => undefined,
          (reason: unknown) => reason,
        );
      });
      expect(cost).toBeLessThan(5);
      if (error === undefined) return;
      expect(error).toMatchObject({ name: 'InputError' });
      const { message } = error as Error;
      expect(message).not.toMatch(/[\r\n]/);
      for (let at = 0; at + 8 <= marker.length; at++) {
        expect(message).not.toContain(marker.slice(at, at + 8));
      }
    });
    await fc.assert(property, { numRuns: 3000 });
  });

  test.each([
    ['blank lines', `x${'\n'.repeat(60_000)}OS_`],
    ['opened brackets', `OS_PASSWORD=${'$('.repeat(30_000)}`],
    ['opened brackets within quotes', `OS_PASSWORD=${'"$('.repeat(20_000)}`],
    ['backticks', `OS_PASSWORD=${'`'.repeat(60_001)}`],
    ['backslashes', `OS_PASSWORD="${'\\'.repeat(60_000)}`],
    ['words', `export OS_PASSWORD=${'a '.repeat(30_000)}`],
    ['options', `export ${'-x '.repeat(20_000)}`],
    ['lists', `clouds: ${'['.repeat(60_000)}`],
    ['objects', `clouds: ${'{a: '.repeat(15_000)}`],
    ['lists in JSON', `{"clouds":${'['.repeat(60_000)}`],
    ['keys', `clouds:\n${Array.from({ length: 5000 }, (_, at) => `  a${at}: {}\n`).join('')}`],
  ])('%s without end are refused soon', async (_, text) => {
    expect(await cpuSeconds(() => refusal(text, []))).toBeLessThan(5);
  });

  test('a password comes out as it was put in, in every form', async () => {
    const printable = fc
      .string({ unit: 'binary', minLength: 1 })
      .filter((text) => !/[\p{C}\p{Zl}\p{Zp}]/u.test(text));
    const risky = fc
      .array(fc.constantFrom(...Array.from('\'"\\$`#&;|<>(){}[]!~*?:=,%@- \u00e9\u{1F511}ab01')), {
        minLength: 1,
      })
      .map((characters) => characters.join(''));
    const property = fc.asyncProperty(fc.oneof(printable, risky), async (any) => {
      const others = `OS_AUTH_URL=${url} OS_USERNAME=${user} OS_PROJECT_ID=${id}`;
      const yaml = (quoted: string) =>
        `clouds:\n  a:\n    auth:\n      password: ${quoted}\n      auth_url: ${url}\n      user_id: a\n      project_id: b\n`;
      const texts = [
        `export OS_PASSWORD='${any.replaceAll("'", String.raw`'\''`)}' ${others}`,
        `export OS_PASSWORD="${any.replaceAll(/["$`\\]/g, String.raw`\$&`)}" ${others}`,
        `export OS_PASSWORD=${any.replaceAll(/[^\p{L}\d]/gu, String.raw`\$&`)} ${others}`,
        JSON.stringify({ ...byName, OS_PASSWORD: any }),
        JSON.stringify({ clouds: { a: { auth: { ...byName, OS_PASSWORD: any } } } }),
        yaml(JSON.stringify(any)),
        yaml(`'${any.replaceAll("'", "''")}'`),
      ];
      for (const text of texts) {
        expect(await parseSecret(text)).toMatchObject({ identity: { method: 'password', password: any } });
      }
    });
    await fc.assert(property, { numRuns: 500 });
  });
});
