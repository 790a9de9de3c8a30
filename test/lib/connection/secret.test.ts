import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseSecret } from '../../../lib/connection/secret.ts';

const password = randomBytes(12).toString('hex');
const pem = `-----BEGIN CERTIFICATE-----\n${randomBytes(30).toString('base64')}\n-----END CERTIFICATE-----\n`;
const rds = { host: 'db.example', username: 'star', password, dbname: 'nova' };

const only = (secret: string) => {
  const { cells } = parseSecret(secret);
  expect(cells).toHaveLength(1);
  return cells[0];
};

describe('a secret', () => {
  test('may be a DSN', () => {
    expect(only(`mysql://star:${password}@db.example:3307/nova?ssl=off\n`)).toEqual({
      cell: 'cell1',
      host: 'db.example',
      port: 3307,
      user: 'star',
      password,
      database: 'nova',
      tls: { mode: 'off' },
    });
  });

  test('may be a DSN as nova.conf spells it, with an encoded password and an IPv6 host', () => {
    const encoded = encodeURIComponent(`p@ss/${password}#%`);
    expect(only(`mysql+pymysql://nova:${encoded}@[fd00::7]/nova_cell1?charset=utf8&ssl=off`)).toMatchObject({
      host: 'fd00::7',
      port: 3306,
      password: `p@ss/${password}#%`,
      database: 'nova_cell1',
      tls: { mode: 'off' },
    });
  });

  test('may be JSON as AWS writes it for RDS', () => {
    const secret = { ...rds, engine: 'mariadb', port: 3306, dbInstanceIdentifier: 'nova-1', ssl: 'rds' };
    expect(only(JSON.stringify(secret))).toMatchObject({ host: 'db.example', tls: { mode: 'rds' } });
    expect(only(JSON.stringify({ ...rds, port: '3310' }))).toMatchObject({
      port: 3310,
      tls: { mode: 'verify' },
    });
  });

  test('may name several cells, each with a DSN or an object of its own, and a CA for all', () => {
    const { cells } = parseSecret(
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

  test('lets a cell say otherwise about TLS than is said for all', () => {
    const { cells } = parseSecret(
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

  test.each([
    [
      `mysql://a:${password}@192.0.2.7/nova`,
      /^secret: host: an address cannot be verified; accepted: the name/,
    ],
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
    [`mysql://a:${password}@db/nova?ssl=maybe`, /^secret: ssl: accepted: verify, rds, off$/],
    [`mysql://a:${password}@db/nova?ssl_ca=/etc/ca.pem`, /^secret: ssl_ca: accepted: the text of a PEM/],
    [
      `mysql://a:${password}@db/nova?${password}=1`,
      /^secret: DSN: parameters: accepted: ssl, ssl_ca, charset/,
    ],
    [JSON.stringify({ ...rds, password: 7 }), /^secret: password: accepted: a password$/],
    [JSON.stringify({ ...rds, port: 0 }), /^secret: port: accepted: 1 to 65535$/],
    [JSON.stringify({ ...rds, passwd: password }), /^secret: a key: unknown; accepted: host, port, username/],
    [JSON.stringify({ ...rds, engine: 'postgres' }), /^secret: engine: accepted: mysql or mariadb$/],
    [
      JSON.stringify({ cells: { [`mysql://a:${password}@db/nova`]: 'cell1' } }),
      /^secret: cells: a name: accepted: a cell name/,
    ],
    [JSON.stringify({ cells: {} }), /^secret: cells: accepted: at least one cell$/],
    [JSON.stringify({ cells: { cell1: password } }), /^secret: cells: cell1: DSN/],
    [JSON.stringify({ cells: { cell1: 7 } }), /^secret: cells: cell1: accepted/],
    [
      JSON.stringify({
        cells: { a: `mysql://a:${password}@db/nova`, b: `mysql://b:${password}@db:3306/nova` },
      }),
      /^secret: cells: b: names the same database as a/,
    ],
    [
      `export OS_AUTH_URL=https://keystone.example/v3\nexport OS_PASSWORD=${password}`,
      /an openrc file: .*not supported yet/,
    ],
    [`clouds:\n  mine:\n    auth:\n      password: ${password}`, /a clouds.yaml: .*not supported yet/],
    [
      JSON.stringify({ auth: { auth_url: 'https://keystone.example', password } }),
      /OpenStack credentials: .*not supported yet/,
    ],
  ])('is refused in one line without what it holds (%#)', (secret, message) => {
    let thrown: unknown;
    try {
      parseSecret(secret);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ name: 'InputError', message: expect.stringMatching(message) });
    const { message: text } = thrown as Error;
    expect(text).not.toContain('\n');
    expect(text).not.toMatch(new RegExp(password.slice(0, 8)));
  });
});
