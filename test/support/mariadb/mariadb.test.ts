import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { until } from '../until.ts';
import { startMariaDb } from './index.ts';
import type { MariaDb } from './index.ts';

const given = (process.env['TEST_MARIADB_DSN'] ?? '') !== '';

describe('a MariaDB for tests', () => {
  let server: MariaDb;
  beforeAll(async () => {
    server = await startMariaDb({ tls: true });
  });
  afterAll(() => server.stop());

  test('answers root with the rows of the last statement', async () => {
    expect(await server.query('DO 1; SELECT ? AS one', [1])).toEqual([{ one: 1 }]);
    expect(await server.query('SELECT 1 AS one; DO 1')).toEqual([]);
  });

  test('has users who may do what they were granted and no more', async () => {
    const database = await server.database('mine');
    await server.pool(database).query('CREATE TABLE numbers (number INT)');
    const user = await server.createUser([`SELECT ON \`${database}\`.*`]);
    const connection = await createConnection(server.dsn(database, user));
    try {
      await expect(connection.query('SELECT * FROM numbers')).resolves.toMatchObject([[], {}]);
      await expect(connection.query('INSERT INTO numbers VALUES (1)')).rejects.toThrow('denied');
    } finally {
      await connection.end();
    }
  });

  test.skipIf(given)('speaks TLS with a certificate that its authority vouches for', async () => {
    const user = await server.createUser(['USAGE ON *.*'], 'SSL');
    await expect(createConnection(server.dsn('', user))).rejects.toThrow('denied');
    const connection = await createConnection({ uri: server.dsn('', user), ssl: { ca: server.ca ?? '' } });
    const [rows] = await connection.query("SHOW STATUS LIKE 'Ssl_cipher'");
    await connection.end();
    expect(rows).toMatchObject([{ Value: expect.stringMatching(/^TLS/) }]);
  });

  test.skipIf(given)('is gone once stopped', async () => {
    const other = await startMariaDb();
    await other.stop();
    await expect(createConnection(other.dsn())).rejects.toThrow('ECONNREFUSED');
  });

  test.skipIf(given)('is gone once stopped in the middle of a query', async () => {
    const other = await startMariaDb();
    const broken = other.query('SELECT SLEEP(3600)').catch(String);
    const sleepers = "SELECT 1 FROM information_schema.processlist WHERE info = 'SELECT SLEEP(3600)'";
    await until(async () => (await other.query(sleepers)).length === 1);
    await other.stop();
    expect(await broken).toMatch(/lost|ECONNRESET/i);
    await expect(createConnection(other.dsn())).rejects.toThrow('ECONNREFUSED');
  });

  describe.skipIf(given)('whose start is broken off', () => {
    let folder: string;
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'star-compactor-broken-off-'));
      vi.stubEnv('TMPDIR', folder);
    });
    afterEach(async () => {
      vi.unstubAllEnvs();
      await rm(folder, { recursive: true });
    });

    // The socket comes just before the server is ready: one that is asked to end now hangs more often than not.
    test.each(['data', 'error.log', 'socket', 'pid'])('once there is %s leaves nothing', async (file) => {
      const controller = new AbortController();
      const starting = startMariaDb({ signal: controller.signal });
      // A start that is over by then is no start to break off.
      const gone = starting.then(
        (own) => own.stop(),
        (error: unknown) => String(error),
      );
      await until(() => readdirSync(folder).some((own) => existsSync(join(folder, own, file))), 1);
      controller.abort(new Error('not wanted'));
      expect([undefined, 'Error: not wanted']).toContain(await gone);
      expect(readdirSync(folder)).toEqual([]);
    });
  });
});
