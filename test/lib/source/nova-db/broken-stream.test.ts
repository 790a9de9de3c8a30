import { connect } from 'node:net';
import type * as Timers from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type * as Session from '../../../../lib/source/nova-db/session.ts';
import type { Query, Row } from '../../../../lib/source/nova-db/session.ts';
import { listKeys } from '../../../support/drops.ts';
import { type DatabaseUser, type MariaDb, startMariaDb } from '../../../support/mariadb/index.ts';
import { compareWithTruth } from '../../../support/nova/compare.ts';
import { type Scene, at, startScene } from '../../../support/nova/scene.ts';
import { finishedEvents } from '../../../support/nova/truth.ts';
import { IS_SLOW } from '../../../support/slow.ts';
import { until } from '../../../support/until.ts';

/** Stands between the source and the driver; a test puts in what goes wrong there. */
const wire = vi.hoisted(() => ({
  afterwards: undefined as ((sql: string, rows: unknown[][]) => unknown[][]) | undefined,
  before: undefined as ((sql: string) => Promise<void>) | undefined,
  opened: 0,
}));

vi.mock('../../../../lib/source/nova-db/session.ts', async (importOriginal) => {
  const original = await importOriginal<typeof Session>();
  const openCell: typeof original.openCell = async (connection, signal) => {
    wire.opened++;
    const session = await original.openCell(connection, signal);
    const query: Query = async (sql, parameters) => {
      await wire.before?.(sql);
      const rows = await session.query(sql, parameters);
      return (wire.afterwards?.(sql, rows) ?? rows) as Row[];
    };
    return {
      cell: session.cell,
      began: session.began,
      query,
      [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
    };
  };
  return { ...original, openCell };
});

vi.mock('node:timers/promises', async (importOriginal) => {
  const original = await importOriginal<typeof Timers>();
  const setTimeout = (ms: number, value?: unknown, options?: object) =>
    original.setTimeout(ms / 50, value, options);
  return { ...original, default: original, setTimeout };
});

let db: MariaDb;
let scene: Scene;

beforeAll(async () => {
  db = await startMariaDb();
});
afterAll(() => db.stop());
beforeEach(async () => {
  wire.opened = 0;
  scene = await startScene(db, ['cell1']);
  const uuid = await scene.server('cell1');
  const old = await scene.server('cell1', { deleted_at: '2025-06-02 12:00:00' });
  for (let n = 0; n < 40; n++) {
    const start = at('02 01:00') + n * 60;
    await scene.event('cell1', n % 4 === 0 ? old : uuid, `compute_${n}`, { start, finish: start + 5 });
  }
  await scene.event('cell1', uuid, 'compute_clone', {
    start: at('02 00:10'),
    finish: at('02 00:11'),
    created: at('02 09:00'),
  });
  await scene.archive('cell1', old);
});
afterEach(async () => {
  wire.afterwards = undefined;
  wire.before = undefined;
  await scene.stop();
});

/** The connection by which a first run asks for the time there. */
const CLOCK = 1;

/** What analysts see. */
const visible = async (): Promise<string[]> =>
  (await listKeys(scene.stage.client)).filter((key) => !key.includes('/state/'));

async function expectComplete(): Promise<void> {
  const truth = await finishedEvents([scene.cell('cell1')], at('03 00:00'));
  expect(truth).toHaveLength(41);
  expect(compareWithTruth(await scene.drops(), truth)).toEqual({ onlyInDrops: [], onlyInDatabase: [] });
}

const isRead = (sql: string): boolean => sql.includes('ORDER BY e.id') && sql.includes('e.result');
const isDisplacedRead = (sql: string): boolean =>
  isRead(sql) && sql.includes('INTERVAL') && !sql.includes('NOT COALESCE');

describe('a stream of rows that is cut', () => {
  const CUTS = [
    {
      of: 'live events',
      cut: (sql: string) =>
        isRead(sql) && sql.includes('FROM instance_actions_events') && !isDisplacedRead(sql),
    },
    {
      of: 'archived events',
      cut: (sql: string) => isRead(sql) && sql.includes('FROM shadow_') && !isDisplacedRead(sql),
    },
    { of: 'events that start long before their rows', cut: isDisplacedRead },
  ];
  test.each(CUTS)('of $of is read again, and the drop is complete', async ({ cut }) => {
    let cuts = 0;
    wire.afterwards = (sql, rows) => {
      if (!cut(sql) || rows.length === 0 || cuts > 0) return rows;
      cuts++;
      return rows.slice(0, -1);
    };
    expect(await scene.run(at('03 00:45'))).toMatchObject({ status: 'published' });
    expect(cuts).toBe(1);
    await expectComplete();
  });

  test.each(CUTS)('of $of every time fails the run, with nothing published', async ({ cut }) => {
    wire.afterwards = (sql, rows) => (cut(sql) ? rows.slice(0, -1) : rows);
    await expect(scene.run(at('03 00:45'))).rejects.toMatchObject({
      name: 'SourceError',
      message: expect.stringMatching(/cell cell1: .*the stream was cut/),
    });
    expect(wire.opened).toBe(CLOCK + 3);
    expect(await visible()).toEqual([]);
    wire.afterwards = undefined;
    await scene.run(at('03 00:45'));
    await expectComplete();
  });

  test('that repeats a row instead fails the run too', async () => {
    wire.afterwards = (sql, rows) => (isRead(sql) ? [...rows, ...rows.slice(-1)] : rows);
    await expect(scene.run(at('03 00:45'))).rejects.toMatchObject({ name: 'SourceError' });
    expect(await visible()).toEqual([]);
  });
});

describe('a connection that is killed', () => {
  const STATEMENTS = 17;
  const STEP = IS_SLOW ? 1 : 4;

  let reader: DatabaseUser;

  beforeEach(async () => {
    const cell = scene.cell('cell1');
    reader = await cell.reader();
    await scene.stage.setSecret(`${cell.dsn(reader)}?ssl=off`);
  });

  /** The reader's connection, once it waits for a table. */
  async function waitingConnection(): Promise<number> {
    for (;;) {
      const [found] = await db.query(
        "SELECT id FROM information_schema.processlist WHERE user = ? AND state LIKE 'Waiting for table%'",
        [reader.user],
      );
      if (found !== undefined) return Number(found['id']);
    }
  }

  const kill = async (): Promise<void> => void (await db.query(`KILL USER '${reader.user}'@'%'`));

  test(`while it is idle, before one of its first ${STATEMENTS} statements is opened again, and the drop is complete`, async () => {
    for (let n = 1; n <= STATEMENTS; n += STEP) {
      scene.stage.env['STAR_PREFIX'] = `kill-${n}`;
      let statements = 0;
      let killed = false;
      wire.opened = 0;
      wire.before = async () => {
        if (++statements !== n) return;
        killed = true;
        await kill();
      };
      expect(await scene.run(at('03 00:45'))).toMatchObject({ status: 'published', rows: 41 });
      expect(killed).toBe(true);
      expect(wire.opened).toBe(CLOCK + 2);
    }
  });

  test('while it is idle, before one of the first statements of a backfill, is opened again, and its drop is complete', async () => {
    for (let n = 1; n <= 12; n += STEP) {
      scene.stage.env['STAR_PREFIX'] = `backfill-${n}`;
      let statements = 0;
      wire.before = async () => {
        if (++statements === n) await kill();
      };
      const summary = await scene.stage.backfill({ start: '2025-06-02', end: '2025-06-03' });
      expect(summary).toMatchObject({ status: 'published', rows: 41 });
      expect(statements).toBeGreaterThan(n);
    }
  });

  test('while it waits for a statement is opened again, and the drop is complete', async () => {
    const locker = await scene.cell('cell1').pool.getConnection();
    await locker.query('LOCK TABLES instances WRITE');
    const waiting = scene.run(at('03 00:45'));
    await db.query(`KILL CONNECTION ${await waitingConnection()}`);
    await locker.query('UNLOCK TABLES');
    locker.release();
    expect(await waiting).toMatchObject({ status: 'published' });
    await expectComplete();
    expect(wire.opened).toBe(CLOCK + 2);
  });

  test('whose statement alone is killed is opened again, and the drop is complete', async () => {
    const locker = await scene.cell('cell1').pool.getConnection();
    await locker.query('LOCK TABLES instances WRITE');
    const waiting = scene.run(at('03 00:45'));
    await db.query(`KILL QUERY ${await waitingConnection()}`);
    await locker.query('UNLOCK TABLES');
    locker.release();
    expect(await waiting).toMatchObject({ status: 'published' });
    await expectComplete();
  });

  test('every time fails the run, with nothing published', async () => {
    wire.before = async (sql) => {
      if (isRead(sql)) await kill();
    };
    await expect(scene.run(at('03 00:45'))).rejects.toMatchObject({ name: 'SourceError', transient: true });
    expect(wire.opened).toBe(CLOCK + 3);
    expect(await visible()).toEqual([]);
  });
});

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

test('a server that goes down while it is read, and stays down, fails the run with nothing published', async () => {
  const own = await startMariaDb();
  const from = await startScene(own, ['cell1']);
  try {
    const uuid = await from.server('cell1');
    await from.event('cell1', uuid, 'compute_a', { start: at('02 05:00'), finish: at('02 05:01') });
    wire.before = async (sql) => {
      if (!isRead(sql)) return;
      await own.query('SHUTDOWN').catch(() => undefined);
      // The server answers first and goes down after.
      await until(async () => !(await listens(own.port)));
    };
    await expect(from.run(at('03 00:45'))).rejects.toMatchObject({ name: 'SourceError', transient: true });
    wire.before = undefined;
    // And it stays down.
    await expect(from.run(at('03 00:45'))).rejects.toMatchObject({
      name: 'SourceError',
      message: expect.stringMatching(/nothing listens there/),
    });
    expect((await listKeys(from.stage.client)).filter((key) => !key.includes('/state/'))).toEqual([]);
  } finally {
    await from.stage.stop();
    await own.stop();
  }
});
