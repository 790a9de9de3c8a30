import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CellConnection, Tls } from '../../../../lib/connection/connection.ts';
import { openCell } from '../../../../lib/source/nova-db/session.ts';
import { listenOnLoopback } from '../../../support/listen-on-loopback.ts';
import { type DatabaseUser, type MariaDb, startMariaDb } from '../../../support/mariadb/index.ts';
import { type CertificateOptions, createCertificates } from '../../../support/mariadb/tls.ts';
import { startFakeInBetween } from '../../../support/mysql/fake-in-between.ts';

let db: MariaDb;
let database: string;
let user: DatabaseUser;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'star-compactor-session-'));
  db = await startMariaDb({ tls: true });
  database = await db.database('nova');
  user = await db.createUser([`SELECT ON \`${database}\`.*`]);
});
afterAll(async () => {
  await db.stop();
  await rm(folder, { recursive: true });
});

const at = (more: Partial<CellConnection> = {}): CellConnection => ({
  cell: 'cell1',
  host: db.host,
  port: db.port,
  ...user,
  database,
  tls: { mode: 'off' },
  ...more,
});

/** What a statement gives in a session of its own. */
async function run(connection: CellConnection, statement = "SHOW SESSION STATUS LIKE 'Ssl_version'") {
  await using session = await openCell(connection, new AbortController().signal);
  return (await session.query(statement))[0]?.[1];
}

const failing = (connection: CellConnection, statement?: string): Promise<unknown> =>
  run(connection, statement).then(
    () => expect.unreachable('it went well'),
    (error: unknown) => error,
  );

const said = async (connection: CellConnection, statement?: string): Promise<string> =>
  ((await failing(connection, statement)) as Error).message;

describe('TLS to a MariaDB', () => {
  const ca = (): string => db.ca ?? '';

  test.each<[string, () => Partial<CellConnection>]>([
    ['by the name in its certificate', () => ({ host: 'localhost', tls: { mode: 'verify', ca: ca() } })],
    ['by the address in its certificate', () => ({ tls: { mode: 'verify', ca: ca() } })],
    ['at another name, by one given apart', () => ({ tls: { mode: 'verify', ca: ca(), name: 'localhost' } })],
    [
      'at a name, by an address given apart',
      () => ({ host: 'localhost', tls: { mode: 'verify', ca: ca(), name: '127.0.0.1' } }),
    ],
    ['by its authority alone', () => ({ tls: { mode: 'verify-ca', ca: ca() } })],
  ])('is verified %s', async (_, more) => {
    expect(await run(at(more()))).toMatch(/^TLSv1\.[23]$/);
  });

  test('by its authority alone takes a certificate for any name', async () => {
    const { ca: authority, server } = await certificates({ names: 'DNS:other.example' });
    const tls = { mode: 'verify-ca', ca: authority } as const;
    expect(await saidBy({ tls: server }, tls)).toMatch(/ER_ACCESS_DENIED_ERROR/);
  });

  const NOT_FOR_IT =
    /the certificate is for other\.example, 192\.0\.2\.9 and not for this name \(ERR_TLS_CERT_ALTNAME_INVALID\); connect to that name, or give it as ssl_name; ssl=verify-ca with ssl_ca /;
  test.each<[string, CertificateOptions, Partial<Tls>, RegExp]>([
    ['for another address', { names: 'DNS:other.example,IP:192.0.2.9' }, {}, NOT_FOR_IT],
    ['for another name', { names: 'DNS:other.example,IP:192.0.2.9' }, { name: 'db.example' }, NOT_FOR_IT],
    [
      'for localhost, where an address was meant',
      { names: 'DNS:localhost' },
      {},
      /is for localhost and not for this name/,
    ],
    ['that has expired', { days: -1 }, {}, /the certificate has expired \(CERT_HAS_EXPIRED\); renew it/],
  ])('is refused with a certificate %s', async (_, options, more, message) => {
    const { ca: authority, server } = await certificates(options);
    const tls = { mode: 'verify', ca: authority, ...more } as Tls;
    expect(await saidBy({ tls: server }, tls)).toMatch(message);
  });

  test('is refused where nobody knows the authority, with how to give it in the operator’s words', async () => {
    const unknown =
      /does not know the authority that signed the certificate \(HANDSHAKE_SSL_ERROR\); give that authority /;
    const tls = { mode: 'verify' } as const;
    expect(await said(at({ tls }))).toMatch(new RegExp(`${unknown.source}as ssl_ca, the text of a PEM$`));
    expect(await said(at({ tls, byOptions: true }))).toMatch(
      new RegExp(`${unknown.source}as --ssl-ca FILE$`),
    );
  });

  test('is refused where another authority was given', async () => {
    const { ca: other } = await certificates({});
    expect(await said(at({ tls: { mode: 'verify', ca: other } }))).toMatch(
      /is not signed by the given authority \(HANDSHAKE_SSL_ERROR\); give the authority that signed it as ssl_ca/,
    );
  });

  test('that the server does not offer is not done without, and what its absence costs is said', async () => {
    const message = await saidBy({}, { mode: 'verify' });
    expect(message).toMatch(
      /offers no TLS \(HANDSHAKE_NO_SSL_SUPPORT\); set it up there; or ssl=off, if that/,
    );
    expect(message).toMatch(
      /in clear text, and a login for which the server needs the password itself \(caching_/,
    );
  });

  test('that the user has to use and that is off is said beside the refused login', async () => {
    const strict = await db.createUser([`SELECT ON \`${database}\`.*`], 'SSL');
    expect(await said(at(strict))).toMatch(
      /ER_ACCESS_DENIED_ERROR.*TLS is off here: if .*REQUIRE SSL\), say ssl=verify$/,
    );
    expect(await said(at({ ...strict, byOptions: true }))).toMatch(/say --ssl verify$/);
    const wrong = { password: 'certainly wrong', tls: { mode: 'verify', ca: ca() } } as const;
    expect(await said(at(wrong))).not.toMatch(/TLS is off/);
  });

  test('that the server requires is asked for', async () => {
    await db.query('SET GLOBAL require_secure_transport = ON');
    try {
      // MariaDB says no more than that it refuses.
      expect(await said(at())).toMatch(/TLS is off here: if the user has to use it .*, say ssl=verify$/);
    } finally {
      // Root's open connection may still do this.
      await db.query('SET GLOBAL require_secure_transport = OFF');
    }
  });

  const certificates = async (options: CertificateOptions) =>
    createCertificates(await mkdtemp(join(folder, 'tls-')), options);

  async function saidBy(options: { tls?: { cert: string; key: string } }, tls: Tls): Promise<string> {
    const fake = await startFakeInBetween({ plugin: 'mysql_clear_password', error: DENIED, ...options });
    try {
      return await said(at({ port: fake.port, tls }));
    } finally {
      await fake.stop();
    }
  }
  const DENIED = { number: 1045, message: 'Access denied' };
});

describe('An error of a MariaDB is told by its own name, with what to do:', () => {
  test('a locked ledger', async () => {
    const locked = await db.createUser([]);
    await db.query(`ALTER USER '${locked.user}'@'%' ACCOUNT LOCK`);
    expect(await said(at(locked))).toBe(
      `cell cell1: ${db.host}:${db.port}: the account is locked (ER_ACCOUNT_HAS_BEEN_LOCKED); ` +
        'unlock it: ALTER USER … ACCOUNT UNLOCK',
    );
  });

  test('an expired password', async () => {
    const expired = await db.createUser([`SELECT ON \`${database}\`.*`]);
    await db.query(`ALTER USER '${expired.user}'@'%' PASSWORD EXPIRE`);
    expect(await said(at(expired))).toMatch(
      /the password has expired \(ER_MUST_CHANGE_PASSWORD\w*\); set it/,
    );
  });

  test('a statement that takes too long', async () => {
    const statement = 'SET STATEMENT max_statement_time = 0.05 FOR SELECT SLEEP(10)';
    expect(await failing(at(), statement)).toMatchObject({
      message: expect.stringMatching(
        /^cell cell1: a statement took longer than 300 seconds \(ER_STATEMENT_TIMEOUT\); run again when/,
      ),
      transient: false,
    });
  });

  test('a connection that somebody kills', async () => {
    const error = await failing(at(), 'KILL CONNECTION_ID()');
    expect(error).toMatchObject({
      message: expect.stringMatching(
        /^cell cell1: somebody ended the connection at the server \(ER_CONNECTION_KILLED\)/,
      ),
      transient: true,
    });
  });

  test('a user without a connection left', async () => {
    const limited = await db.createUser([`SELECT ON \`${database}\`.*`]);
    await db.query(`ALTER USER '${limited.user}'@'%' WITH MAX_USER_CONNECTIONS 1`);
    await using first = await openCell(at(limited), new AbortController().signal);
    expect(first.cell).toBe('cell1');
    expect(await said(at(limited))).toMatch(
      /the user has used up its connections \(ER_\w+\); raise its MAX_USER/,
    );
  });

  test('a database that is not there', async () => {
    const root = { user: db.rootUser, password: db.rootPassword, database: 'nowhere' };
    expect(await said(at(root))).toMatch(
      /^cell cell1: there is no database of that name \(ER_BAD_DB_ERROR\); check/,
    );
  });
});

describe('Where no database server answers', () => {
  test('the place is in the message, and one try is made', async () => {
    const closed = createServer();
    const port = await listenOnLoopback(closed);
    await new Promise((resolve) => closed.close(resolve));
    expect(await said(at({ port }))).toBe(
      `cell cell1: ${db.host}:${port}: nothing listens there (ECONNREFUSED); check host and port, and whether the service is up`,
    );
    expect(await said(at({ host: 'nova-db.invalid' }))).toMatch(
      /^cell cell1: nova-db\.invalid:\d+: (the host name is not known here \(ENOTFOUND\)|the name servers do not)/,
    );
    expect(await said(at({ socket: join(folder, 'none') }))).toMatch(
      /none: there is no such socket \(ENOENT\)/,
    );
  });

  test('what answers instead is said, but never of a database server', async () => {
    let greeted = 0;
    const web = createServer((socket) => {
      greeted++;
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    const port = await listenOnLoopback(web);
    expect(await said(at({ port }))).toMatch(/what answers there is no MariaDB or MySQL, or broke off/);
    expect(greeted).toBe(1);
    web.close();
  });
});
