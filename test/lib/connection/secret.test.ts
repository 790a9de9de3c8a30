import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseSecret } from '../../../lib/connection/secret.ts';
import { refusal } from './refusal.ts';

const password = randomBytes(12).toString('hex');
const pem = `-----BEGIN CERTIFICATE-----\n${randomBytes(30).toString('base64')}\n-----END CERTIFICATE-----\n`;
const rsaKey = generateKeyPairSync('rsa', { modulusLength: 2048 })
  .publicKey.export({ type: 'spki', format: 'pem' })
  .toString();
const rds = { host: 'db.example', username: 'star', password, dbname: 'nova' };

const cellsOf = async (secret: string) => {
  const connection = await parseSecret(secret);
  return connection.kind === 'database' ? connection.cells : [];
};
const only = async (secret: string) => {
  const cells = await cellsOf(secret);
  expect(cells).toHaveLength(1);
  return cells[0];
};

describe('a secret', () => {
  test('may be a DSN', async () => {
    expect(await only(`mysql://star:${password}@db.example:3307/nova?ssl=off\n`)).toEqual({
      cell: 'cell1',
      host: 'db.example',
      port: 3307,
      user: 'star',
      password,
      database: 'nova',
      tls: { mode: 'off' },
    });
  });

  test('may be a DSN as nova.conf spells it, with an encoded password and an IPv6 host', async () => {
    const encoded = encodeURIComponent(`p@ss/${password}#%`);
    expect(
      await only(`mysql+pymysql://nova:${encoded}@[fd00::7]/nova_cell1?charset=utf8&ssl=off`),
    ).toMatchObject({
      host: 'fd00::7',
      port: 3306,
      password: `p@ss/${password}#%`,
      database: 'nova_cell1',
      tls: { mode: 'off' },
    });
  });

  test('may be JSON as AWS writes it for RDS', async () => {
    const secret = { ...rds, engine: 'mariadb', port: 3306, dbInstanceIdentifier: 'nova-1', ssl: 'rds' };
    expect(await only(JSON.stringify(secret))).toMatchObject({ host: 'db.example', tls: { mode: 'rds' } });
    expect(await only(JSON.stringify({ ...rds, port: '3310' }))).toMatchObject({
      port: 3310,
      tls: { mode: 'verify' },
    });
  });

  test('may name several cells, each with a DSN or an object of its own, and a CA for all', async () => {
    const cells = await cellsOf(
      JSON.stringify({
        cells: {
          cell1: `mysql://a:${password}@one.example/nova`,
          cell0: { ...rds, dbname: 'nova_cell0', ssl: 'verify' },
        },
        ssl_ca: pem,
      }),
    );
    expect(cells.map(({ cell, host, tls }) => ({ cell, host, tls }))).toEqual([
      { cell: 'cell1', host: 'one.example', tls: { mode: 'verify', ca: pem } },
      { cell: 'cell0', host: 'db.example', tls: { mode: 'verify', ca: pem } },
    ]);
  });

  test('may name the databases of Placement, Ironic and Blazar beside the cells', async () => {
    const connection = await parseSecret(
      JSON.stringify({
        cells: { cell1: `mysql://a:${password}@one.example/nova` },
        ironic: `mysql://a:${password}@one.example/ironic`,
        blazar: { ...rds, dbname: 'blazar', ssl: 'verify' },
        ssl_ca: pem,
      }),
    );
    const services = connection.kind === 'database' ? Object.values(connection.services) : [];
    expect(services.map(({ cell, database, tls }) => ({ cell, database, tls }))).toEqual([
      { cell: 'ironic', database: 'ironic', tls: { mode: 'verify', ca: pem } },
      { cell: 'blazar', database: 'blazar', tls: { mode: 'verify', ca: pem } },
    ]);
  });

  test('lets a cell say otherwise about TLS than is said for all', async () => {
    const cells = await cellsOf(
      JSON.stringify({
        cells: {
          cell1: `mysql://a:${password}@one.example/nova`,
          cell2: `mysql://a:${password}@two.example/nova?ssl=off`,
          cell3: `mysql://a:${password}@three.example/nova?ssl=verify`,
          cell4: { ...rds, ssl: 'rds' },
        },
        ssl_ca: pem,
      }),
    );
    expect(cells.map(({ tls }) => tls)).toEqual([
      { mode: 'verify', ca: pem },
      { mode: 'off' },
      { mode: 'verify', ca: pem },
      { mode: 'rds' },
    ]);
  });

  test('says by true and false in JSON what it says by verify and off', async () => {
    const tlsOf = async (ssl: unknown) => (await only(JSON.stringify({ ...rds, ssl })))?.tls;
    for (const ssl of [true, 'true', 'verify']) expect(await tlsOf(ssl)).toEqual({ mode: 'verify' });
    for (const ssl of [false, 'false', 'off']) expect(await tlsOf(ssl)).toEqual({ mode: 'off' });
    const cells = { cell1: `mysql://a:${password}@one.example/nova` };
    const [cell] = await cellsOf(JSON.stringify({ cells, ssl: false }));
    expect(cell?.tls).toEqual({ mode: 'off' });
  });

  test('may name what the certificate is for, or verify the authority alone', async () => {
    const address = `mysql://a:${password}@192.0.2.7/nova`;
    const ca = encodeURIComponent(pem);
    expect(await only(address)).toMatchObject({ host: '192.0.2.7', tls: { mode: 'verify' } });
    expect((await only(`${address}?ssl_name=db.example&ssl_ca=${ca}`))?.tls).toEqual({
      mode: 'verify',
      ca: pem,
      name: 'db.example',
    });
    expect((await only(`${address}?ssl=verify-ca&ssl_ca=${ca}`))?.tls).toEqual({
      mode: 'verify-ca',
      ca: pem,
    });
    expect((await only(JSON.stringify({ ...rds, ssl: 'rds', ssl_name: 'proxied.example' })))?.tls).toEqual({
      mode: 'rds',
      name: 'proxied.example',
    });
  });

  test('may pin the key of a server without TLS', async () => {
    const secret = { ...rds, ssl: 'off', server_public_key: rsaKey };
    const expected = { mode: 'off', serverKey: rsaKey };
    expect((await only(JSON.stringify(secret)))?.tls).toEqual(expected);
    const dsn = `mysql://a:${password}@db.example/nova?ssl=off&server_public_key=${encodeURIComponent(rsaKey)}`;
    expect((await only(dsn))?.tls).toEqual(expected);
  });

  test('hands down to a cell what its own mode has a place for', async () => {
    const dsn = `mysql://a:${password}@one.example/nova`;
    const tlsOf = async (common: object, own: string) =>
      (await cellsOf(JSON.stringify({ cells: { cell1: `${dsn}${own}` }, ...common })))[0]?.tls;
    const ca = { ssl_ca: pem, ssl_name: 'db.example' };
    expect(await tlsOf(ca, '')).toEqual({ mode: 'verify', ca: pem, name: 'db.example' });
    expect(await tlsOf(ca, '?ssl=rds')).toEqual({ mode: 'rds', name: 'db.example' });
    expect(await tlsOf(ca, '?ssl=verify-ca')).toEqual({ mode: 'verify-ca', ca: pem });
    expect(await tlsOf(ca, '?ssl=off')).toEqual({ mode: 'off' });
    const off = { ssl: 'off', server_public_key: rsaKey };
    expect(await tlsOf(off, '')).toEqual({ mode: 'off', serverKey: rsaKey });
    expect(await tlsOf(off, '?ssl=verify')).toEqual({ mode: 'verify' });
    expect(await tlsOf(off, '?ssl_name=db.example')).toEqual({ mode: 'verify', name: 'db.example' });
  });

  test('may be OpenStack credentials, in any of their forms', async () => {
    const expected = { kind: 'api', authUrl: 'http://keystone.example', identity: { password } };
    for (const secret of [
      `export OS_AUTH_URL=http://keystone.example OS_USERNAME=star OS_PASSWORD=${password} OS_PROJECT_NAME=a`,
      `clouds: {a: {auth: {auth_url: "http://keystone.example", username: star, password: "${password}", project_name: a}}}`,
      `# with a value that looks like an openrc file\nauth:\n  auth_url: http://keystone.example\n  username: "\nOS_X=1"\n  user_id: a\n  password: "${password}"\n  project_id: a\n`.replace(
        '\nOS_X=1',
        'OS_X=1',
      ),
      JSON.stringify({
        OS_AUTH_URL: 'http://keystone.example',
        OS_USERNAME: 'star',
        OS_PASSWORD: password,
        OS_PROJECT_NAME: 'a',
      }),
    ]) {
      expect(await parseSecret(`\n${secret}\n`)).toMatchObject(expected);
    }
  });

  test.each([
    ['', /^secret: neither a DSN nor JSON/],
    [password, /^secret: neither a DSN nor JSON/],
    [`{"host": "${password}`, /^secret: neither a DSN nor JSON/],
    ['[]', /^secret: accepted: a mysql:\/\/ DSN/],
    [`postgresql://a:${password}@db/nova`, /^secret: neither a DSN nor JSON/],
    [`mysql+odd://a:${password}@db/nova`, /^secret: DSN: scheme: accepted: mysql:\/\//],
    [`mysql://a:${password}#x@db/nova`, /^secret: DSN/],
    [`mysql://a:${password}%zz@db/nova`, /^secret: DSN: password: accepted: valid percent-encoding/],
    [`mysql://a:${password}@db:99999/nova`, /^secret: DSN: accepted: mysql:\/\/USER/],
    [`mysql://a:${password}@db/`, /^secret: DSN: database: accepted: one database/],
    [`mysql://:${password}@db/nova`, /^secret: DSN: user: accepted/],
    [`mysql://a:${password}@db/nova?ssl=maybe`, /^secret: ssl: accepted: verify, verify-ca, rds, off$/],
    [`mysql://a:${password}@db/nova?ssl_ca=/etc/ca.pem`, /^secret: ssl_ca: accepted: the text of a PEM/],
    [
      `mysql://a:${password}@db/nova?${password}=1`,
      /^secret: DSN: parameters: accepted: ssl, ssl_ca, ssl_name, server_public_key, charset;/,
    ],
    [
      `mysql://a:${password}@db/nova?ssl=verify-ca`,
      /^secret: ssl: verify-ca needs ssl_ca; accepted: the authority that signs the server alone$/,
    ],
    [
      `mysql://a:${password}@db/nova?ssl=off&ssl_name=db`,
      /^secret: ssl: contradicts the given ssl_name; acc/,
    ],
    [
      `mysql://a:${password}@db/nova?ssl_name=a%20b`,
      /^secret: ssl_name: accepted: the name or address in the/,
    ],
    [
      `mysql://a:${password}@db/nova?server_public_key=${encodeURIComponent(rsaKey)}`,
      /^secret: server_public_key: is for ssl=off alone; accepted: one of TLS and a pinned key$/,
    ],
    [
      `mysql://a:${password}@db/nova?ssl=off&server_public_key=/etc/key.pem`,
      /^secret: server_public_key: accepted: the server’s public RSA key as PEM/,
    ],
    [
      `mysql+pymysql://a:${password}@/nova?unix_socket=/run/mysqld/mysqld.sock`,
      /^secret: DSN: unix_socket: is a socket of one machine; accepted: a host, or .* db-dump --socket PATH$/,
    ],
    [
      `mysql+pymysql://a:${password}@one.example:3306,two.example:3306/nova`,
      /^secret: DSN: host: accepted: one host: a server of the cluster/,
    ],
    [`mysql://a:${password}@one.example,two.example/nova`, /^secret: DSN: host: accepted: one host:/],
    [`mysql://a:x,${password}/@db/nova`, /^secret: DSN: accepted: mysql:\/\/USER/],
    [
      `mysql://a:${password}@db/nova?ssl_cert=/etc/c.pem`,
      /^secret: DSN: ssl_cert: is for client certificates/,
    ],
    [
      `mysql://a:${password}@db/nova?ssl_verify_cert=true`,
      /^secret: DSN: ssl_verify_cert: is set by ssl here;/,
    ],
    [
      `mysql://a:${password}@db/nova?charset=utf8&plugin=dbcounter`,
      /^secret: DSN: plugin: has no use here; acc/,
    ],
    [
      `mysql://a:${password}@db/nova?read_timeout=30`,
      /^secret: DSN: read_timeout: has no use here; accepted/,
    ],
    [`mysql://a:${password}@db/nova?toString=30`, /^secret: DSN: parameters: accepted: ssl, ssl_ca/],
    [JSON.stringify({ ...rds, password: 7 }), /^secret: password: accepted: a password$/],
    [JSON.stringify({ ...rds, port: 0 }), /^secret: port: accepted: 1 to 65535$/],
    [JSON.stringify({ ...rds, passwd: password }), /^secret: a key: unknown; accepted: host, port, username/],
    [JSON.stringify({ ...rds, engine: 'postgres' }), /^secret: engine: accepted: mysql or mariadb$/],
    [
      JSON.stringify({ cells: { [`mysql://a:${password}@db/nova`]: 'cell1' } }),
      /^secret: cells: a name: accepted: a cell name/,
    ],
    [JSON.stringify({ cells: {} }), /^secret: cells: accepted: at least one cell$/],
    [
      JSON.stringify({
        cells: { cell1: `mysql://a:${password}@db/nova` },
        ironic: `mysql://b:${password}@db:3306/nova`,
      }),
      /^secret: ironic: names the same database as cell1/,
    ],
    [
      JSON.stringify({ cells: { cell1: `mysql://a:${password}@db/nova` }, blazar: password }),
      /^secret: blazar: DSN/,
    ],
    [JSON.stringify({ cells: { cell1: password } }), /^secret: cells: cell1: DSN/],
    [JSON.stringify({ cells: { cell1: 7 } }), /^secret: cells: cell1: accepted/],
    [
      JSON.stringify({
        cells: { a: `mysql://a:${password}@db/nova`, b: `mysql://b:${password}@db:3306/nova` },
      }),
      /^secret: cells: b: names the same database as a/,
    ],
    [
      `novareader:${password}@db`,
      /^secret: neither a DSN nor JSON, nor an openrc file or a clouds.yaml; acc/,
    ],
    [`set OS_PASSWORD=${password}`, /^secret: neither a DSN nor JSON, nor an openrc file or a clouds.yaml;/],
    [
      `$env:OS_PASSWORD = "${password}"`,
      /^secret: neither a DSN nor JSON, nor an openrc file or a clouds.yaml;/,
    ],
    [
      `{"auth": {"password": "${password}"`,
      /^secret: neither a DSN nor JSON, nor an openrc file or a clouds/,
    ],
    [
      JSON.stringify([{ auth: { password } }]),
      /^secret: accepted: a mysql:\/\/ DSN, .* or OpenStack credentials/,
    ],
  ])('is refused in one line without what it holds (%#)', async (secret, message) => {
    expect(await refusal(secret, [password])).toMatch(message);
  });
});
