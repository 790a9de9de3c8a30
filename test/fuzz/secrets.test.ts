import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openrcFields } from '../../lib/connection/openrc.ts';
import { parseSecret } from '../../lib/connection/secret.ts';
import { MARK, RUNS, expectOwnErrors, nearly, secretText } from './holds.ts';

const encoded = secretText.map(encodeURIComponent);
/** Mostly what is right, so that what is wrong comes one at a time. */
const mostly = (right: string, ...wrong: string[]): fc.Arbitrary<string> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(right) }, fc.constantFrom(right, ...wrong));

const scheme = mostly('mysql', 'mysql+pymysql', 'mariadb', 'MYSQL', 'postgres', 'mysql+', 'http');
const host = mostly('db.example', '10.0.0.1', '[::1]', '', 'db example', 'db.example:', 'ü.example');
const query = fc.constantFrom(
  '',
  '?ssl=off',
  '?ssl=rds',
  '?ssl=maybe',
  '?ssl_ca=x',
  '?charset=utf8',
  '?x=1',
  '#x',
);

const dsn = fc
  .tuple(
    scheme,
    mostly('nova', '', 'n%zz'),
    fc.oneof(encoded, secretText),
    host,
    mostly(':3306', '', ':0', ':99999', ':x'),
    mostly('/nova', '/', '', '/a/b', '/%zz'),
    query,
  )
  .map(
    ([kind, user, password, at, port, database, rest]) =>
      `${kind}://${user}:${password}@${at}${port}${database}${rest}`,
  );

const NAMES = [
  'OS_AUTH_URL',
  'OS_USERNAME',
  'OS_PASSWORD',
  'OS_TOKEN',
  'OS_PROJECT_NAME',
  'OS_PROJECT_ID',
  'OS_USER_DOMAIN_NAME',
  'OS_REGION_NAME',
  'OS_CACERT',
  'OS_INSECURE',
  'OS_AUTH_TYPE',
  'OS_APPLICATION_CREDENTIAL_ID',
  'OS_APPLICATION_CREDENTIAL_SECRET',
  'OS_IDENTITY_API_VERSION',
  'OS_INTERFACE',
  'OS_SYSTEM_SCOPE',
  'OS_CLOUD',
  'OTHER',
];
const URLS = ['https://keystone.example:5000/v3', 'http://k/v2.0', 'k', '', 'https://u:p@k/'];
const value = fc.oneof(
  secretText,
  fc.constantFrom(
    ...URLS,
    '3',
    '2.0',
    'public',
    'all',
    'true',
    'password',
    'token',
    '$OTHER',
    '$(id)',
    '${OS_PASSWORD}',
  ),
);
const quoted = fc
  .tuple(value, fc.constantFrom('', "'", '"'))
  .map(([text, quote]) => `${quote}${text}${quote}`);
const assignment = fc
  .tuple(
    fc.constantFrom('export ', '', 'declare -x ', 'unset ', 'read -sr '),
    fc.constantFrom(...NAMES),
    quoted,
  )
  .map(([verb, name, text]) => `${verb}${name}=${text}`);
const shell = fc.constantFrom(
  'if [ -z "$OS_X" ]; then',
  'fi',
  '{',
  '}',
  '(',
  ')',
  '# x',
  'echo "Password:"',
  'read -sr OS_PASSWORD_INPUT',
  'export OS_PASSWORD=$OS_PASSWORD_INPUT',
  'cat <<EOF',
  'case x in',
  'esac',
  '&& x',
  "'",
);
/** What grows with every line: a variable that is twice what it was. */
const doubling = fc
  .tuple(fc.constantFrom(...NAMES), fc.integer({ min: 1, max: 64 }))
  .map(([name, times]) => `${name}=${MARK}\n${`${name}=$${name}\${${name}}\n`.repeat(times)}`);
const openrc = fc
  .array(fc.oneof({ weight: 8, arbitrary: assignment }, { weight: 2, arbitrary: shell }, doubling), {
    maxLength: 14,
  })
  .map((lines) => lines.join('\n'));

/** A right one, with some lines put in or taken out, some of them changed. */
const nearlyOpenrc = fc
  .tuple(
    secretText.filter((text) => !/['\n]/.test(text)),
    fc.array(fc.tuple(fc.nat(12), fc.boolean(), fc.oneof(assignment, assignment, shell)), { maxLength: 2 }),
  )
  .map(([password, changes]) => {
    const lines = [
      '#!/usr/bin/env bash',
      'export OS_AUTH_URL=https://keystone.example:5000/v3',
      'export OS_PROJECT_NAME="admin"',
      'export OS_USER_DOMAIN_NAME=Default',
      'if [ -z "$OS_USER_DOMAIN_NAME" ]; then unset OS_USER_DOMAIN_NAME; fi',
      'unset OS_TENANT_ID',
      'export OS_USERNAME=admin',
      'echo "Please enter your password for $OS_PROJECT_NAME: "',
      `export OS_PASSWORD='${password}'`,
      'export OS_REGION_NAME=""',
      'export OS_INTERFACE=public',
      'export OS_IDENTITY_API_VERSION=3',
    ];
    for (const [at, isInstead, line] of changes) lines.splice(at, isInstead ? 1 : 0, line);
    return lines.join('\n');
  });

/** Values that JSON and YAML can hold in the place of another. */
const leaf = fc.oneof(
  secretText,
  fc.constantFrom(...URLS),
  fc.constantFrom(null, true, 3, 3306, -1, 0.5, [], {}),
);
const key = fc.constantFrom(
  'cells',
  'host',
  'port',
  'username',
  'password',
  'dbname',
  'ssl',
  'ssl_ca',
  'engine',
  'clouds',
  'auth',
  'auth_url',
  'project_name',
  'region_name',
  'verify',
  'cacert',
  'application_credential_id',
  'application_credential_secret',
  'token',
  'cloud',
  'profile',
  'cell1',
  'mine',
  '__proto__',
  'constructor',
  ...NAMES,
);
const object = fc.letrec((tie) => ({
  any: fc.oneof({ depthSize: 'small' }, leaf, tie('object')),
  object: fc.dictionary(key, tie('any'), { maxKeys: 7 }),
})).object;

const indented = (input: unknown, depth = 0): string => {
  if (typeof input !== 'object' || input === null) return JSON.stringify(input) ?? '';
  const pad = '  '.repeat(depth);
  return Object.entries(input)
    .map(([name, each]) => {
      const isNested = typeof each === 'object' && each !== null && Object.keys(each as object).length > 0;
      return `\n${pad}${name}: ${isNested ? indented(each, depth + 1) : JSON.stringify(each)}`;
    })
    .join('');
};
/** Texts that ask for much with little, or are nested deeply. */
const steep = fc
  .tuple(
    fc.constantFrom('', 'clouds: ', 'clouds:\n', 'mysql://', 'export OS_PASSWORD=', '{"cells":', 'export '),
    fc.constantFrom(
      '[',
      '{a: ',
      '{"a":',
      '- ',
      '? ',
      '$(',
      '"$(',
      '${',
      '`',
      '@',
      ':@/',
      '%',
      '&a ',
      '\\\n',
      '\t ',
    ),
    fc.integer({ min: 1, max: 3000 }),
    fc.constantFrom('', ']', '}', MARK),
  )
  .map(([head, part, times, end]) => `${head}${part.repeat(times)}${end}`);
const damage = (texts: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(texts, fc.nat(400), fc.constantFrom('', '\t', '"', '{', '&a *a', '!!js', '\u0000', ': '))
    .map(([text, at, put]) => text.slice(0, at) + put + text.slice(at));

const RDS = {
  host: 'db.example',
  port: 3306,
  username: 'nova',
  password: MARK,
  dbname: 'nova',
  engine: 'mariadb',
};
const AUTH = {
  auth_url: 'https://keystone.example:5000/v3',
  username: 'admin',
  password: MARK,
  project_name: 'admin',
  user_domain_name: 'Default',
  project_domain_name: 'Default',
};
const CREDENTIAL = {
  auth_url: AUTH.auth_url,
  application_credential_id: 'id',
  application_credential_secret: MARK,
};
const SECRETS = [
  RDS,
  { cells: { cell1: `mysql://nova:${MARK}@db.example/nova`, cell0: RDS }, ssl: 'rds' },
  { clouds: { mine: { auth: AUTH, region_name: 'RegionOne', verify: true } } },
  {
    clouds: { mine: { auth: CREDENTIAL, auth_type: 'v3applicationcredential' }, other: { auth: AUTH } },
    cloud: 'mine',
  },
  Object.fromEntries(Object.entries(AUTH).map(([name, each]) => [`OS_${name.toUpperCase()}`, each])),
];
const nearlySecret = nearly(SECRETS, leaf);

describe('Whatever is in a secret, it is read or refused, and nothing of it is told:', () => {
  test('a DSN', async () => {
    const { accepted, refused } = await expectOwnErrors('DSN', dsn, parseSecret);
    expect(Math.min(accepted, refused)).toBeGreaterThan(0);
  });

  test('an openrc file', async () => {
    const { accepted, refused } = await expectOwnErrors('openrc, nearly right', nearlyOpenrc, parseSecret);
    expect(Math.min(accepted, refused)).toBeGreaterThan(0);
    await expectOwnErrors('openrc', openrc, parseSecret);
    await expectOwnErrors('openrc by itself', openrc, (text) => openrcFields(text, 'typed'));
  });

  test('JSON', async () => {
    const { accepted, refused } = await expectOwnErrors(
      'JSON, nearly right',
      nearlySecret.map((each) => JSON.stringify(each)),
      parseSecret,
    );
    expect(Math.min(accepted, refused)).toBeGreaterThan(0);
    await expectOwnErrors(
      'JSON',
      object.map((each) => JSON.stringify(each)),
      parseSecret,
    );
    await expectOwnErrors('JSON, damaged', damage(object.map((each) => JSON.stringify(each))), parseSecret);
  });

  test('a clouds.yaml', async () => {
    const clouds = object.map((auth) => `clouds:${indented({ mine: { auth } }, 1)}\n`);
    const almost = nearly(SECRETS.slice(2), leaf).map((each) => indented(each).trimStart());
    const { accepted, refused } = await expectOwnErrors('clouds.yaml, nearly right', almost, parseSecret);
    expect(Math.min(accepted, refused)).toBeGreaterThan(0);
    await expectOwnErrors('clouds.yaml', clouds, parseSecret);
    await expectOwnErrors('clouds.yaml, damaged', damage(clouds), parseSecret);
  });

  test('any text at all', async () => {
    await expectOwnErrors(
      'text',
      fc.oneof(secretText, fc.string({ unit: 'binary' }), fc.json()),
      parseSecret,
    );
  });

  test('what asks for much with little', async () => {
    await expectOwnErrors('steep', steep, parseSecret, Math.min(RUNS, 2000));
  });
});
