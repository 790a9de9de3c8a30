import { createConnection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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
});
