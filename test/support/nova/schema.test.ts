import { createConnection } from 'mysql2/promise';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useMariaDb } from '../mariadb/index.ts';
import type { MariaDb } from '../mariadb/index.ts';
import { loadSample } from './sample.ts';
import { createCell } from './schema.ts';

let server: MariaDb;
beforeAll(async () => {
  server = await useMariaDb();
});
afterAll(() => server.stop());

test('a cell has the three tables, those of hosts, their shadow twins and a reader of its own', async () => {
  const cell = await createCell(server, 'whole');
  expect(await cell.query('SHOW TABLES')).toHaveLength(10);
  const reader = await createConnection(cell.dsn(await cell.reader()));
  try {
    await expect(reader.query('SELECT * FROM shadow_instances')).resolves.toMatchObject([[], {}]);
  } finally {
    await reader.end();
  }
});

test('an old cell lacks the columns of later releases, and takes the sample without them', async () => {
  const old = { shadow: false, eventHost: false, eventDetails: false, instanceHidden: false };
  const { cell1, cell0 } = await loadSample(server, old);
  expect(await cell1.query('SHOW TABLES')).toHaveLength(5);
  expect(cell1.columns.instance_actions_events).not.toContain('host');
  expect(cell1.columns.instance_actions_events).not.toContain('details');
  expect(cell1.columns.instances).not.toContain('hidden');
  const count = 'SELECT COUNT(*) AS events FROM instance_actions_events';
  expect([await cell1.query(count), await cell0.query(count)]).toEqual([
    [{ events: 1521 }],
    [{ events: 10 }],
  ]);
});
