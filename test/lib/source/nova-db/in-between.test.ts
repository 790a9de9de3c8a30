import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection } from 'mysql2';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { CellConnection, Tls } from '../../../../lib/connection/connection.ts';
import { openCell } from '../../../../lib/source/nova-db/session.ts';
import { type Certificates, createCertificates } from '../../../support/mariadb/tls.ts';
import {
  type FakeInBetween,
  type FakeOptions,
  startFakeInBetween,
} from '../../../support/mysql/fake-in-between.ts';

const PLUGINS = ['caching_sha2_password', 'sha256_password', 'mysql_clear_password', 'client_ed25519'];
const password = randomBytes(12).toString('hex');

let folder: string;
let theirs: Certificates;
let ours: Certificates;
let fake: FakeInBetween;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'star-compactor-between-'));
  theirs = await createCertificates(folder);
  ours = await createCertificates(folder);
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(() => fake.stop());

async function start(options: FakeOptions): Promise<void> {
  fake = await startFakeInBetween(options);
}

async function refusal(tls: Tls, more: Partial<CellConnection> = {}): Promise<string> {
  const to = { cell: 'cell1', host: '127.0.0.1', port: fake.port, user: 'star', database: 'nova' };
  const opened = openCell({ ...to, password, tls, ...more }, new AbortController().signal);
  return opened.then(
    () => 'opened',
    (error: unknown) => (error as Error).message,
  );
}

function expectNoPassword(): void {
  expect(fake.passwords).toEqual([]);
  expect(fake.received().includes(password)).toBe(false);
}

const serverKey = (): string =>
  generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  }).publicKey;

const LOGIN_FAILED = /\((LOGIN_NEEDS_TLS|AUTH_SWITCH_PLUGIN_ERROR|MYSQL_CLEAR_\w+|ER_ACCESS_DENIED_ERROR)\)/;

describe('A fake server in the middle gets no password', () => {
  const settings: [string, () => Tls][] = [
    ['off', () => ({ mode: 'off' })],
    ['off with the pinned key of the true server', () => ({ mode: 'off', serverKey: serverKey() })],
    ['verify', () => ({ mode: 'verify' })],
    ['verify with a CA', () => ({ mode: 'verify', ca: ours.ca })],
    ['verify with a name', () => ({ mode: 'verify', ca: ours.ca, name: 'localhost' })],
    ['verify-ca', () => ({ mode: 'verify-ca', ca: ours.ca })],
    ['rds', () => ({ mode: 'rds' })],
  ];
  for (const plugin of PLUGINS) {
    test.each(settings)(`that asks by ${plugin}, without TLS, with ssl %s`, async (_, tls) => {
      await start({ plugin });
      const isOff = tls().mode === 'off';
      expect(await refusal(tls())).toMatch(isOff ? LOGIN_FAILED : /\(HANDSHAKE_NO_SSL_SUPPORT\)/);
      expect(fake.asked).toBe(isOff ? 1 : 0);
      expectNoPassword();
    });

    test.each(settings)(
      `that asks by ${plugin}, with a certificate of its own, with ssl %s`,
      async (_, tls) => {
        await start({ plugin, tls: theirs.server });
        const isOff = tls().mode === 'off';
        expect(await refusal(tls())).toMatch(isOff ? LOGIN_FAILED : /\(HANDSHAKE_SSL_ERROR\)/);
        expect(fake.asked).toBe(isOff ? 1 : 0);
        expectNoPassword();
      },
    );
  }

  test('though it reads that of a client which takes any key', async () => {
    for (const plugin of ['caching_sha2_password', 'sha256_password']) {
      await start({ plugin });
      await new Promise((resolve) => {
        const client = createConnection({ host: '127.0.0.1', port: fake.port, user: 'star', password });
        client.on('error', resolve);
      });
      expect(fake.passwords).toEqual([password]);
      await fake.stop();
    }
    await start({ plugin: 'none' });
  });
});

describe('A server that asks for the password itself', () => {
  test('is told it over a socket of this machine', async () => {
    const socket = join(folder, 'socket');
    await start({ plugin: 'caching_sha2_password', socket });
    expect(await refusal({ mode: 'off' }, { socket })).toMatch(/ER_ACCESS_DENIED_ERROR/);
    expect(fake.passwords).toEqual([password]);
  });

  test('is told it in TLS that is verified', async () => {
    await start({ plugin: 'sha256_password', tls: ours.server });
    expect(await refusal({ mode: 'verify', ca: ours.ca })).toMatch(/ER_ACCESS_DENIED_ERROR/);
    expect(fake.passwords).toEqual([password]);
  });

  test.each([
    [undefined, 'ssl=verify', 'server_public_key'],
    [true as const, '--ssl verify', '--server-public-key-path'],
  ])(
    'is refused without TLS, with what helps in the operator’s own words (options: %s)',
    async (byOptions, verify, key) => {
      await start({ plugin: 'sha256_password' });
      const more = byOptions === undefined ? {} : { byOptions };
      expect(await refusal({ mode: 'off' }, more)).toBe(
        `cell cell1: 127.0.0.1:${fake.port}: the server asks for the password itself, and without TLS anybody in ` +
          `between could read it (LOGIN_NEEDS_TLS); take TLS (${verify}), the server’s socket on its own machine, ` +
          `or give the server’s key as ${key}`,
      );
    },
  );

  test.each(['client_ed25519', 'auth_gssapi_client', 'dialog', 'mysql_clear_password'])(
    'by %s is named as not supported, with what helps',
    async (plugin) => {
      await start({ plugin, version: '5.5.5-11.8.3-MariaDB' });
      expect(await refusal({ mode: 'off' })).toMatch(
        new RegExp(
          `logs in by the plugin ${plugin}, which is not supported \\(\\w+\\); make a user for this alone`,
        ),
      );
    },
  );
});

describe('An error of a server is told by its own name', () => {
  test.each([
    [
      4151,
      '5.5.5-10.11.14-MariaDB',
      /the account is locked \(ER_ACCOUNT_HAS_BEEN_LOCKED\); unlock it: ALTER USER/,
    ],
    [4150, '5.5.5-10.11.14-MariaDB', /the account is blocked .* \(ER_USER_IS_BLOCKED\); unblock it/],
    [3118, '8.4.0', /the account is locked \(ER_ACCOUNT_HAS_BEEN_LOCKED\)/],
    [3955, '8.4.0', /the account is blocked after too many failed logins/],
    [1862, '8.4.0', /the password has expired \(ER_MUST_CHANGE_PASSWORD_LOGIN\); set it: ALTER USER/],
    [3159, '8.4.0', /TLS only, and TLS is off here \(ER_SECURE_TRANSPORT_REQUIRED\); say ssl=verify/],
    [1130, '8.4.0', /takes no login from this address \(ER_HOST_NOT_PRIVILEGED\); create the user for it/],
    [1129, '8.4.0', /has blocked this address .* \(ER_HOST_IS_BLOCKED\); unblock it there/],
    [1524, '9.7.0', /\(ER_PLUGIN_IS_NOT_LOADED\); make a user for this alone/],
    [1045, '8.4.0', /refuses the user .* if the user has to use it \(REQUIRE SSL\), say ssl=verify/],
    [4999, '5.5.5-12.1.0-MariaDB', /the server answers with an error \(ER_4999\); look it up/],
    [1968, '5.5.5-12.1.0-MariaDB', /the server answers with an error \(ER_1968\); look it up/],
  ])('%i of %s', async (number, version, message) => {
    await start({ plugin: 'mysql_native_password', version, error: { number, message: 'no matter' } });
    expect(await refusal({ mode: 'off' })).toMatch(message);
  });
});
