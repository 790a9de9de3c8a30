import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { rowsOf } from '../support/mariadb/client.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/index.ts';
import { performAll, SEED, share } from './suite.ts';
import { type World, startWorld } from './world.ts';

vi.mock('node:timers/promises', async (original) => (await import('./quick-retries.ts')).quickly(original));

const COUNT = share(0.02);

let folder: string;
let db: MariaDb;
let world: World;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'star-compactor-restart-'));
  db = await startMariaDb({ folder });
  world = await startWorld(db, 'database');
});
afterAll(async () => {
  await world.stop();
  await db.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Stops the server and starts it on the same files. The proxy goes on where it has been, as a fixed address does. */
async function restart(): Promise<void> {
  await db.stop();
  db = await startMariaDb({ folder });
  world.server = db;
  for (const [nth, cell] of world.cells.entries()) {
    const pool = db.pool(cell.database);
    world.cells[nth] = { ...cell, server: db, pool, query: (sql, params) => rowsOf(pool, sql, params) };
  }
}

test.skipIf((process.env['TEST_MARIADB_DSN'] ?? '') !== '')(
  `MariaDB may stop and start while it is read (${COUNT} schedules from seed ${SEED})`,
  async () => {
    // Two connections may reach their byte together.
    let under: Promise<void> | undefined;
    const once = (): Promise<void> => {
      under ??= restart().finally(() => {
        under = undefined;
      });
      return under;
    };
    world.ready = async () => under;
    const calls = { 'stopped and started': once };
    const wrong = await performAll(world, {
      title: 'MariaDB restarted',
      count: COUNT,
      source: 'database',
      onlyCalls: true,
      calls,
    });
    expect(wrong).toEqual([]);
  },
);
