import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openRange } from '../../../../lib/backfill/range.ts';
import { readSettings } from '../../../../lib/config/settings.ts';
import { parseSecret } from '../../../../lib/connection/secret.ts';
import { DAY, HOUR, MINUTE } from '../../../../lib/core/time.ts';
import { databaseSource } from '../../../../lib/source/nova-db/nova-db.ts';
import { instances } from '../../../../lib/tables/instances/table.ts';
import type { AnyTable } from '../../../../lib/tables/table.ts';
import { type Drop, readObject } from '../../../support/drops.ts';
import { type MariaDb, type Row, useMariaDb } from '../../../support/mariadb/index.ts';
import { comparable, existingServers } from '../../../support/nova/existing.ts';
import { replay } from '../../../support/nova/history.ts';
import { randomHistory } from '../../../support/nova/random-history.ts';
import { type Scene, at, startScene } from '../../../support/nova/scene.ts';
import { sqlTime } from '../../../support/nova/sql-time.ts';

const SEED = Number(process.env['TEST_SEED'] ?? 20_261_130);

let db: MariaDb;
let scene: Scene;

beforeAll(async () => {
  db = await useMariaDb();
});
afterAll(() => db.stop());
beforeEach(async () => {
  scene = await startScene(db, ['cell1'], { env: { STAR_TABLES: 'instances' } });
});
afterEach(() => scene.stop());

const RUN = at('03 00:45');
/** A deleted server as Nova leaves it. */
const deletedAt = (time: string): Row => ({ deleted_at: sqlTime(at(time)), deleted: 1, vm_state: 'deleted' });
const created = (time: string): Row => ({ created_at: sqlTime(at(time)), vm_state: 'active' });

const rowsOf = (drop: Drop | undefined) => comparable(drop?.tables['instances']?.['jsonl']);
const uuidsOf = (drop: Drop | undefined) => rowsOf(drop).map(({ uuid }) => uuid);
const stateOf = async (cell: string): Promise<number[]> => {
  const text = (await readObject(scene.stage.client, 'cloud=test/state/checkpoint.json')).toString('utf8');
  const { tables } = JSON.parse(text) as {
    tables: { instances: { state: Record<string, { living: number[] }> } };
  };
  return tables.instances.state[cell]?.living ?? [];
};

describe('The table of servers', () => {
  test('has every server that existed in the window, and knows nothing of what came after it', async () => {
    const alive = await scene.server('cell1', created('01 08:00'));
    const came = await scene.server('cell1', { ...created('02 23:59:59'), vm_state: 'building' });
    const went = await scene.server('cell1', { ...created('01 09:00'), ...deletedAt('02 00:00') });
    const wentLater = await scene.server('cell1', { ...created('01 09:00'), ...deletedAt('03 00:00') });
    await scene.server('cell1', { ...created('01 09:00'), ...deletedAt('01 23:59:59') });
    await scene.server('cell1', created('03 00:00'));
    await scene.server('cell1', { ...created('01 08:00'), hidden: 1 });
    await scene.run(RUN);
    const [drop] = await scene.drops();
    expect(rowsOf(drop)).toMatchObject([
      { uuid: alive, created_time: '2025-06-01T08:00:00Z', deleted_time: null, state: 'active' },
      { uuid: came, created_time: '2025-06-02T23:59:59Z', deleted_time: null, state: 'building' },
      { uuid: went, deleted_time: '2025-06-02T00:00:00Z', state: 'deleted' },
      { uuid: wentLater, deleted_time: null, state: null },
    ]);
    expect(drop?.manifest.tables['instances']).toMatchObject({ kind: 'snapshot', counts: { rows: 4 } });
  });

  test('tells the host where a server is, and Blazar’s reservation by its zone', async () => {
    await scene.server('cell1', { host: 'cmp-7', node: 'node-7', availability_zone: 'blazar_5a3c' });
    await scene.server('cell1', { host: null, node: null, vm_state: 'error', availability_zone: 'nova' });
    await scene.run(RUN);
    expect(rowsOf((await scene.drops())[0])).toMatchObject([
      { host: 'cmp-7', reservation_id: '5a3c' },
      { host: null, reservation_id: null },
    ]);
  });

  test('has one row for a server that two cells show: cell0’s comes last, and a living one first', async () => {
    await scene.addCell('cell2');
    await scene.addCell('cell0');
    await scene.open();
    const failed = await scene.server('cell0', { vm_state: 'error', host: null });
    await scene.server('cell1', { uuid: failed, host: 'cmp-1' });
    const moving = await scene.server('cell1', { host: 'cmp-1', hidden: 1 });
    await scene.server('cell2', { uuid: moving, host: 'cmp-2' });
    const both = await scene.server('cell2', { host: 'cmp-2' });
    await scene.server('cell1', { uuid: both, host: 'cmp-1' });
    const left = await scene.server('cell1', { host: 'cmp-1', ...deletedAt('02 10:00') });
    await scene.server('cell2', { uuid: left, host: 'cmp-2' });
    await scene.server('cell0', { vm_state: 'error', host: null });
    await scene.run(RUN);
    const [drop] = await scene.drops();
    const hosts = Object.fromEntries(rowsOf(drop).map(({ uuid, host }) => [uuid, host]));
    expect(Object.keys(hosts)).toHaveLength(5);
    expect(hosts).toMatchObject({ [failed]: 'cmp-1', [moving]: 'cmp-2', [both]: 'cmp-1', [left]: 'cmp-2' });
    expect(drop?.manifest.tables['instances']?.counts).toMatchObject({ rows: 5, skipped: { copied: 3 } });
  });

  test('finds servers again after they were archived, and looks no more for those that were over', async () => {
    const long = await scene.server('cell1', { ...created('01 08:00'), id: 10 });
    await scene.server('cell1', { ...created('01 08:00'), ...deletedAt('01 09:00'), id: 2000 });
    await scene.server('cell1', { ...created('01 08:00'), id: 9000 });
    await scene.run(RUN);
    // Ids that may belong to rows still to be committed are looked at again.
    expect(await stateOf('cell1')).toEqual([10, 10, 8001, 2 ** 31 - 1]);
    await scene
      .cell('cell1')
      .query(
        `UPDATE instances SET deleted = id, deleted_at = '2025-06-03 12:00:00', vm_state = 'deleted' WHERE id = 10`,
      );
    await scene.archive('cell1', long);
    await scene.run(RUN + DAY);
    await scene.run(RUN + 2 * DAY);
    const [, second, third] = await scene.drops();
    expect(rowsOf(second)).toMatchObject([{ uuid: long, deleted_time: '2025-06-03T12:00:00Z' }, {}]);
    expect(uuidsOf(third)).not.toContain(long);
    expect(await stateOf('cell1')).toEqual([8001, 2 ** 31 - 1]);
  });

  test('cuts times before the window to the day where masks do not join, and mixes the servers of a day', async () => {
    Object.assign(scene.stage.env, { STAR_MASKING: 'sha2-salted', STAR_ALLOW_UNSAFE_MASKING: '' });
    for (let n = 0; n < 40; n++)
      await scene.server('cell1', {
        created_at: sqlTime(at('01 08:00') + n * MINUTE),
        launched_at: sqlTime(at('01 08:01') + n * MINUTE),
        memory_mb: n,
      });
    await scene.server('cell1', created('02 08:15'));
    await scene.run(RUN);
    const rows = (await scene.drops())[0]?.tables['instances']?.['jsonl'] ?? [];
    expect(rows).toHaveLength(41);
    expect(new Set(rows.map((row) => [row['created_time'], row['launched_time']].join(' ')))).toEqual(
      new Set(['2025-06-01T00:00:00Z 2025-06-01T00:00:00Z', '2025-06-02T08:15:00Z ']),
    );
    const ids = rows.slice(0, -1).map((row) => Number(row['memory_mb']));
    expect(ids).not.toEqual(ids.toSorted((a, b) => a - b));
  });

  test('refuses a cell that is missing, which the last window had', async () => {
    await scene.addCell('cell2');
    await scene.open();
    await scene.run(RUN);
    await scene.open('cell1');
    await expect(scene.run(RUN + DAY)).rejects.toThrow('secret: cells: cell2 is missing');
  });

  test(`equals the plainest query on every day of a random history (seed ${SEED})`, async () => {
    const start = at('01 00:00');
    await scene.addCell('cell0');
    await scene.open();
    const days = 12;
    const history = randomHistory({
      seed: SEED,
      start,
      days,
      eventsPerDay: 60,
      archiveAt: (day) => (day % 3 === 2 ? start + day * DAY + 13 * HOUR : undefined),
    });
    const cells = ['cell1', 'cell0'].map((name) => scene.cell(name));
    const replayed = replay(cells, history.changes);
    let rows = 0;
    // One window at a time, and three at once where runs were missed.
    for (const day of [1, 2, 3, 4, 5, 8, 9, 10, 11, 12]) {
      const now = start + day * DAY + 45 * MINUTE;
      await replayed.applyUntil(now);
      await scene.run(now);
      const drops = (await scene.drops()).slice(day === 8 ? -3 : -1);
      for (const drop of drops) {
        const from = Date.parse(drop.manifest.window.start) / 1000;
        const truth = await existingServers(cells, from, from + DAY);
        expect(rowsOf(drop)).toEqual(truth);
        rows += truth.length;
      }
    }
    expect(rows).toBeGreaterThan(300);
  });
});

describe(`A backfill of servers (seed ${SEED})`, () => {
  test('is planned with one scan, and each of its windows equals the plainest query', async () => {
    const start = at('01 00:00');
    await scene.addCell('cell0');
    await scene.open();
    const history = randomHistory({
      seed: SEED,
      start,
      days: 12,
      eventsPerDay: 60,
      archiveAt: () => start + 9 * DAY,
    });
    const cells = ['cell1', 'cell0'].map((name) => scene.cell(name));
    await replay(cells, history.changes).applyUntil(start + 30 * DAY);

    const secret = { cells: Object.fromEntries(cells.map((cell) => [cell.name, cell.dsn()])), ssl: 'off' };
    const connection = await parseSecret(JSON.stringify(secret));
    if (connection.kind !== 'database') throw new Error('not a database');
    const source = databaseSource(connection, {
      retiredCells: new Set(),
      seal: undefined,
      forcedDownDisables: false,
      bareMetal: undefined,
      leaseProperties: [],
    });
    const { signal } = new AbortController();
    const groups = [0, 4, 8].map((day) => ({ start: start + day * DAY, end: start + (day + 4) * DAY }));
    const planned = await source.statesAt(groups, ['instances'], signal);
    const settings = readSettings({ ...scene.stage.env, STAR_TABLES: 'instances' });
    for (const [nth, group] of groups.entries()) {
      await using reader = openRange({ source, settings, signal }, group, async () => planned[nth] ?? {}, {
        sourceFrom: null,
        purged: new Map(),
      });
      // The second window is read twice, as after a failure.
      for (const day of [0, 1, 1, 2, 3]) {
        const window = { start: group.start + day * DAY, end: group.start + (day + 1) * DAY };
        await using rows = await reader.read(window);
        const uuids: string[] = [];
        for await (const some of rows.of(instances as AnyTable))
          for (const { uuid } of some as { uuid: string }[]) uuids.push(uuid);
        const truth = await existingServers(cells, window.start, window.end);
        expect(uuids.toSorted()).toEqual(truth.map(({ uuid }) => uuid));
        expect(truth.length).toBeGreaterThan(0);
      }
    }
    const looked = Object.values(planned[2]?.['instances'] ?? {}) as { living: number[] }[];
    expect(looked.flatMap(({ living }) => living)).not.toContain(2 ** 31 - 1);
  });
});
