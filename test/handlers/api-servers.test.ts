import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../lib/core/time.ts';
import { type Drop, readDrops } from '../support/drops.ts';
import { type MariaDb, type Row, useMariaDb } from '../support/mariadb/index.ts';
import { type BothSources, startBothSources } from '../support/nova/both-sources.ts';
import { comparable } from '../support/nova/existing.ts';
import { randomHistory } from '../support/nova/random-history.ts';
import { plainServer, upsert } from '../support/nova/rows.ts';
import { sqlTime } from '../support/nova/sql-time.ts';

const SEED = Number(process.env['TEST_SEED'] ?? 20_261_130);
const START = Date.UTC(2026, 9, 1) / 1000;

let db: MariaDb;
let both: BothSources;

beforeAll(async () => {
  db = await useMariaDb();
});
afterAll(() => db.stop());
beforeEach(async () => {
  both = await startBothSources(db);
  both.set({ STAR_TABLES: 'instances' });
});
afterEach(() => both.stop());

const serversOf = (drop: Drop | undefined) => comparable(drop?.tables['instances']?.['jsonl']);

async function server(id: number, columns: Row): Promise<string> {
  const uuid = `5c3e0000-0000-4000-a000-${String(id).padStart(12, '0')}`;
  const row = { ...plainServer(id, uuid, START - 7 * DAY), vm_state: 'active', hidden: 0, ...columns };
  await upsert(both.cells[0]!, 'instances', [row]);
  return uuid;
}

describe('Servers over the API', () => {
  test(`equal those of the databases, row for row, day by day (seed ${SEED})`, async () => {
    const { changes } = randomHistory({ seed: SEED, start: START, days: 8, eventsPerDay: 60 });
    const runs = Array.from({ length: 8 }, (_, day) => START + (day + 1) * DAY + 45 * MINUTE);
    await both.live(changes, runs);
    const [database, api] = [await readDrops(both.fromDatabase.client), await readDrops(both.overApi.client)];
    expect(api).toHaveLength(8);
    expect(api.map(serversOf)).toEqual(database.map(serversOf));
    expect(api.reduce((sum, drop) => sum + serversOf(drop).length, 0)).toBeGreaterThan(200);
    expect(api[7]?.manifest.tables['instances']).toMatchObject({
      source: 'api',
      api: { swept: true, unseen: ['archivedServers'] },
    });
    // Lists only.
    expect(both.openstack.requests().filter(({ path }) => path.includes('os-instance-actions'))).toEqual([]);
  }, 120_000);

  test('are those of the window: soft-deleted ones, deleted since its start, and none that came later', async () => {
    const noon = START + 12 * HOUR;
    const soft = await server(1, { vm_state: 'soft-delete', updated_at: sqlTime(noon) });
    const gone = (id: number, time: number): Row => ({
      vm_state: 'deleted',
      deleted: id,
      deleted_at: sqlTime(time),
      updated_at: sqlTime(time),
    });
    const untimed = await server(2, gone(2, noon));
    const later = await server(3, { ...gone(3, START + DAY), terminated_at: sqlTime(START + DAY) });
    await server(4, { ...gone(4, START + HOUR), terminated_at: sqlTime(START - 1) });
    await server(5, { created_at: sqlTime(START + DAY), updated_at: sqlTime(START + DAY) });
    await both.live([], [START + DAY + 45 * MINUTE]);
    const [drop] = await readDrops(both.overApi.client);
    expect(serversOf(drop)).toMatchObject([
      { uuid: soft, state: 'soft-delete', deleted_time: null },
      { uuid: untimed, state: 'deleted', deleted_time: '2026-10-01T12:00:00Z' },
      { uuid: later, state: null, deleted_time: null },
    ]);
    expect(drop?.manifest.tables['instances']?.api?.approximate).toBe(1);
  });
});
