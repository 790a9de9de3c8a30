import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type DatabaseOptions, connectionToDatabases } from '../../../lib/command/database-connection.ts';

const password = randomBytes(12).toString('hex');
const pem = `-----BEGIN CERTIFICATE-----\n${randomBytes(30).toString('base64')}\n-----END CERTIFICATE-----\n`;

let folder: string;
let told: string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'star-compactor-databases-'));
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(() => {
  told = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => told.push(String(text)) > 0);
  for (const name of ['HOST', 'TCP_PORT', 'UNIX_PORT', 'PWD']) vi.stubEnv(`MYSQL_${name}`, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const file = async (name: string, text: string | Buffer): Promise<string> => {
  await writeFile(join(folder, name), text, { mode: 0o600 });
  return join(folder, name);
};

/** Where the first cell is, with these options and these lines in `[client]`. */
async function found(options: DatabaseOptions, lines: readonly string[] = []) {
  const defaultsFile = await file('my.cnf', ['[client]', ...lines].join('\n'));
  const { cells } = await connectionToDatabases({ defaultsFile, ...options });
  return cells[0];
}

const refused = (options: DatabaseOptions, lines?: readonly string[]): Promise<string> =>
  found(options, lines).then(
    () => expect.unreachable('it was accepted'),
    (error: unknown) => {
      expect(error).toMatchObject({ name: 'InputError' });
      return (error as Error).message;
    },
  );

describe('The server is found as the mysql client finds it: option, then option file, then environment', () => {
  test.each<[string, DatabaseOptions, string[], object]>([
    ['the environment alone', {}, [], { host: 'env.example', port: 3311, password: 'of the environment' }],
    ['an option file before it', {}, ['host=file.example'], { host: 'file.example', port: 3311 }],
    ['an option before both', { host: 'option.example' }, ['host=file.example'], { host: 'option.example' }],
    ['a port of an option file', {}, ['port=3322'], { host: 'env.example', port: 3322 }],
    ['a port of an option', { port: '3333' }, ['port=3322'], { port: 3333 }],
    ['a password of an option file', {}, [`password=${password}`], { password }],
    ['no password of an option file', {}, ['password='], { password: '' }],
  ])('%s', async (_, options, lines, expected) => {
    vi.stubEnv('MYSQL_HOST', 'env.example');
    vi.stubEnv('MYSQL_TCP_PORT', '3311');
    vi.stubEnv('MYSQL_PWD', 'of the environment');
    expect(await found(options, lines)).toMatchObject(expected);
  });

  test('a socket, where the host is this machine', async () => {
    vi.stubEnv('MYSQL_UNIX_PORT', '/run/of-environment.sock');
    expect(await found({})).toMatchObject({ host: 'localhost', socket: '/run/of-environment.sock' });
    expect(await found({}, ['socket=/run/of-file.sock'])).toMatchObject({ socket: '/run/of-file.sock' });
    expect(await found({ socket: '/run/mine.sock' }, ['socket=/run/of-file.sock'])).toMatchObject({
      socket: '/run/mine.sock',
    });
    vi.stubEnv('MYSQL_HOST', 'env.example');
    expect(await found({})).not.toHaveProperty('socket');
  });

  test('what is set to nothing is not set', async () => {
    vi.stubEnv('MYSQL_HOST', '');
    vi.stubEnv('MYSQL_TCP_PORT', '');
    vi.stubEnv('MYSQL_UNIX_PORT', '');
    expect(await found({ port: '3306' })).toMatchObject({ host: 'localhost', port: 3306 });
  });

  test('a port that is none is refused by what says it', async () => {
    vi.stubEnv('MYSQL_TCP_PORT', 'many');
    expect(await refused({})).toBe('MYSQL_TCP_PORT: got "many"; accepted: 1 to 65535');
    expect(await refused({}, ['port=0'])).toBe('port in an option file: got "0"; accepted: 1 to 65535');
    expect(await refused({ port: '70000' })).toBe('--port: got "70000"; accepted: 1 to 65535');
  });
});

describe('TLS on the command line', () => {
  test('is verified by name or address, unless the server is on this machine', async () => {
    expect(await found({ host: 'db.example' })).toMatchObject({ tls: { mode: 'verify' }, byOptions: true });
    expect(await found({ host: '192.0.2.1' })).toMatchObject({ tls: { mode: 'verify' } });
    for (const host of ['localhost', '127.0.0.1', '::1'])
      expect(await found({ host, port: '3306' })).toMatchObject({ tls: { mode: 'off' } });
    expect(await found({ host: '127.0.0.1', sslName: 'db.example' })).toMatchObject({
      tls: { mode: 'verify', name: 'db.example' },
    });
  });

  test('takes a CA, a name, or the CA alone', async () => {
    const sslCa = await file('ca.pem', pem);
    const host = '192.0.2.1';
    expect((await found({ host, sslCa, sslName: 'db.example' }))?.tls).toEqual({
      mode: 'verify',
      ca: pem,
      name: 'db.example',
    });
    const caOnly = { mode: 'verify-ca', ca: pem };
    expect((await found({ host, sslCa, ssl: 'verify-ca' }))?.tls).toEqual(caOnly);
    expect((await found({ host }, [`ssl-ca=${sslCa}`, 'ssl-mode=VERIFY_CA']))?.tls).toEqual(caOnly);
    expect((await found({ host }, [`ssl-ca=${sslCa}`, 'skip-ssl']))?.tls).toEqual({ mode: 'off' });
  });

  test('is done without where the server’s key is pinned, by option or option file', async () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const path = await file('key.pem', key);
    const expected = { mode: 'off', serverKey: key };
    expect((await found({ host: '127.0.0.1', serverPublicKeyPath: path }))?.tls).toEqual(expected);
    const lines = [`server-public-key-path=${path}`];
    expect((await found({ host: 'db.example', ssl: 'off' }, lines))?.tls).toEqual(expected);
    expect((await found({ host: 'db.example' }, lines))?.tls).toEqual({ mode: 'verify' });
  });

  test('is refused in the words of the command line', async () => {
    const sslCa = await file('ca.pem', pem);
    const host = 'db.example';
    expect(await refused({ host, ssl: 'maybe' })).toBe('--ssl: accepted: verify, verify-ca, rds, off');
    expect(await refused({ host, ssl: 'off', sslCa })).toMatch(
      /^--ssl: contradicts the given --ssl-ca; accepted/,
    );
    expect(await refused({ host, ssl: 'verify-ca' })).toMatch(/^--ssl: verify-ca needs --ssl-ca; accepted: /);
    const key = await file('no-key.pem', 'no key');
    expect(await refused({ host, ssl: 'off', serverPublicKeyPath: key })).toMatch(
      /^--server-public-key-path: accepted: the server’s public RSA key as PEM/,
    );
  });
});

describe('A file on the command line', () => {
  test('is read without a byte order mark', async () => {
    const passwordFile = await file('bom', `\uFEFF${password}\n`);
    expect(await found({ passwordFile })).toMatchObject({ password });
    const secret = await file(
      'bom.json',
      `\uFEFF{"cells": {"cell0": "mysql://a:${password}@db/nova_cell0"}}`,
    );
    expect((await connectionToDatabases({ secret })).cells[0]).toMatchObject({ password });
  });

  test.each(['passwordFile', 'secret', 'defaultsFile'] as const)(
    'is refused where it is not UTF-8, for a password would come out as another one (%s)',
    async (option) => {
      const latin1 = await file('latin1', Buffer.from(`[client]\npassword=pässwört-${password}`, 'latin1'));
      const message = await connectionToDatabases({ [option]: latin1 }).then(
        () => '',
        (error: unknown) => (error as Error).message,
      );
      expect(message).toMatch(
        /latin1: is not UTF-8; accepted: text in UTF-8 \(convert it, for example with iconv -f latin1 -t utf-8\)$/,
      );
      expect(message).not.toContain(password);
    },
  );

  test('is found at home where its path begins with ~', async () => {
    vi.stubEnv('HOME', folder);
    await file('at-home', password);
    expect(await found({ passwordFile: '~/at-home' })).toMatchObject({ password });
  });

  test('with options that anybody may write is refused where it is asked for', async () => {
    const defaultsFile = await file('open.cnf', `[client]\npassword=${password}`);
    await chmod(defaultsFile, 0o666);
    await expect(connectionToDatabases({ defaultsFile })).rejects.toThrow(
      `${defaultsFile}: everybody may write to it; accepted: a file that only its owner may change (chmod o-w)`,
    );
  });
});

describe('cell0', () => {
  test('is missed where no cell is it', async () => {
    const secret = await file(
      'one.json',
      JSON.stringify({ cells: { cell1: `mysql://a:${password}@db/nova` } }),
    );
    await connectionToDatabases({ secret });
    expect(told).toEqual([
      expect.stringMatching(/^--secret: none of the cells is cell0, usually nova_cell0: builds/),
    ]);
    told = [];
    await found({ database: ['nova'] });
    expect(told).toEqual([expect.stringMatching(/^--database: none of the cells is cell0/)]);
  });

  test('is not missed where one is', async () => {
    await found({ database: ['nova', 'nova_cell0'] });
    const cells = { a: `mysql://a:${password}@db/nova`, cell0: `mysql://a:${password}@db/other` };
    await connectionToDatabases({ secret: await file('two.json', JSON.stringify({ cells })) });
    expect(told).toEqual([]);
  });
});
