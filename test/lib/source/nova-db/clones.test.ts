import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventsOf } from '../../../support/drops.ts';
import { type MariaDb, type Row, useMariaDb } from '../../../support/mariadb/index.ts';
import { upsert } from '../../../support/nova/rows.ts';
import { type Scene, at, startScene } from '../../../support/nova/scene.ts';
import { sqlTime } from '../../../support/nova/sql-time.ts';

/*
 * What a cross-cell resize does: the instance is created in the target cell, all its actions and events are
 * created anew there, and confirming destroys the instance in the source cell for good (nova/conductor/tasks/
 * cross_cell_migrate.py, since Ussuri).
 */

let db: MariaDb;
let scene: Scene;
let server: string;
/** Ids of copies, in each cell beyond those of the originals. */
let lastId: number;

beforeAll(async () => {
  db = await useMariaDb();
});
afterAll(() => db.stop());
beforeEach(async () => {
  scene = await startScene(db, ['cell1', 'cell2']);
  server = await scene.server('cell1');
  lastId = 1000;
  // Both cells live on beside it.
  const other = await scene.server('cell2');
  await scene.event('cell2', other, 'compute_other', { start: at('02 03:00'), finish: at('02 03:10') });
});
afterEach(() => scene.stop());

async function copy(uuid: string, from: string, to: string, time: number): Promise<void> {
  const source = scene.cell(from);
  const [instance = {}] = await source.query('SELECT * FROM instances WHERE uuid = ?', [uuid]);
  const created = { created_at: sqlTime(time), updated_at: null };
  await upsert(scene.cell(to), 'instances', [{ ...instance, ...created, id: ++lastId }]);
  const actions = await source.query('SELECT * FROM instance_actions WHERE instance_uuid = ? ORDER BY id', [
    uuid,
  ]);
  for (const action of actions) {
    const actionId = ++lastId;
    await upsert(scene.cell(to), 'instance_actions', [{ ...action, ...created, id: actionId }]);
    const events = await source.query('SELECT * FROM instance_actions_events WHERE action_id = ?', [
      action['id'],
    ]);
    const copies = events.map((event): Row => ({ ...event, ...created, id: ++lastId, action_id: actionId }));
    await upsert(scene.cell(to), 'instance_actions_events', copies);
  }
}

async function destroy(uuid: string, cell: string): Promise<void> {
  const actions = 'SELECT id FROM instance_actions WHERE instance_uuid = ?';
  await scene.cell(cell).query(`DELETE FROM instance_actions_events WHERE action_id IN (${actions})`, [uuid]);
  await scene.cell(cell).query('DELETE FROM instance_actions WHERE instance_uuid = ?', [uuid]);
  await scene.cell(cell).query('DELETE FROM instances WHERE uuid = ?', [uuid]);
}

/** All names in all drops, in order of name: each is to be there once. */
async function delivered(): Promise<string[]> {
  return Object.values(await scene.published())
    .flat()
    .filter((name) => name !== 'compute_other')
    .toSorted();
}

async function skippedAsCloned(): Promise<number> {
  const drops = await scene.drops();
  return drops.reduce((total, { manifest }) => total + (eventsOf(manifest).counts.skipped['cloned'] ?? 0), 0);
}

describe('events copied to another cell by a cross-cell resize are delivered once', () => {
  beforeEach(async () => {
    await scene.event('cell1', server, 'compute_a', { start: at('02 05:00'), finish: at('02 05:01') });
    await scene.event('cell1', server, 'compute_b', { start: at('02 06:00'), finish: at('02 06:01') });
  });

  test('when both are there in the window in which they finished', async () => {
    await copy(server, 'cell1', 'cell2', at('02 12:00'));
    await scene.run(at('03 00:45'));
    expect(await delivered()).toEqual(['compute_a', 'compute_b']);
    expect(await skippedAsCloned()).toBe(2);
  });

  test('when they were copied in the very second in which they finished, or began as well', async () => {
    const noon = at('02 12:00');
    await scene.event('cell1', server, 'compute_c', { start: noon - 60, finish: noon });
    await scene.event('cell1', server, 'compute_d', { start: noon, finish: noon });
    await copy(server, 'cell1', 'cell2', noon);
    await scene.run(at('03 00:45'));
    await scene.run(at('04 00:45'));
    expect(await delivered()).toEqual(['compute_a', 'compute_b', 'compute_c', 'compute_d']);
    expect(await skippedAsCloned()).toBe(4);
  });

  test('when the originals were destroyed before they were published', async () => {
    await copy(server, 'cell1', 'cell2', at('02 12:00'));
    await destroy(server, 'cell1');
    await scene.run(at('03 00:45'));
    await scene.run(at('04 00:45'));
    expect(await delivered()).toEqual(['compute_a', 'compute_b']);
  });

  test('when the originals were published the day before and are still there', async () => {
    await scene.run(at('03 00:45'));
    await copy(server, 'cell1', 'cell2', at('03 12:00'));
    await scene.run(at('04 00:45'));
    await scene.run(at('05 00:45'));
    expect(await delivered()).toEqual(['compute_a', 'compute_b']);
    expect(await skippedAsCloned()).toBe(2);
  });

  test('when the originals were published the day before and then destroyed', async () => {
    await scene.run(at('03 00:45'));
    await copy(server, 'cell1', 'cell2', at('03 12:00'));
    await destroy(server, 'cell1');
    await scene.run(at('04 00:45'));
    await scene.run(at('05 00:45'));
    expect(await delivered()).toEqual(['compute_a', 'compute_b']);
  });

  test('when they were copied after the window’s end and before it was extracted', async () => {
    await copy(server, 'cell1', 'cell2', at('03 00:10'));
    await scene.run(at('03 00:45'));
    await scene.run(at('04 00:45'));
    expect(await delivered()).toEqual(['compute_a', 'compute_b']);
  });

  test('when they were copied and the originals destroyed after the window’s end, before it was extracted', async () => {
    await scene.run(at('02 00:45'));
    await copy(server, 'cell1', 'cell2', at('03 00:10'));
    await destroy(server, 'cell1');
    await scene.run(at('03 00:45'));
    await scene.run(at('04 00:45'));
    expect(await delivered()).toEqual(['compute_a', 'compute_b']);
  });

  test('when they were copied and the originals destroyed while several windows were missed', async () => {
    await scene.run(at('02 00:45'));
    await copy(server, 'cell1', 'cell2', at('04 12:00'));
    await destroy(server, 'cell1');
    await scene.run(at('06 00:45'));
    expect(await delivered()).toEqual(['compute_a', 'compute_b']);
  });

  test('when the server went there and back within a window', async () => {
    await copy(server, 'cell1', 'cell2', at('02 12:00'));
    await destroy(server, 'cell1');
    await copy(server, 'cell2', 'cell1', at('02 18:00'));
    await destroy(server, 'cell2');
    await scene.run(at('03 00:45'));
    expect(await delivered()).toEqual(['compute_a', 'compute_b']);
  });

  test('when the server went there and back within a window and is still in both cells', async () => {
    await copy(server, 'cell1', 'cell2', at('02 12:00'));
    await destroy(server, 'cell1');
    await copy(server, 'cell2', 'cell1', at('02 18:00'));
    await scene.run(at('03 00:45'));
    expect(await delivered()).toEqual(['compute_a', 'compute_b']);
  });

  test('when the server went there and back in the windows that follow', async () => {
    await scene.run(at('03 00:45'));
    await copy(server, 'cell1', 'cell2', at('03 12:00'));
    await scene.run(at('04 00:45'));
    await destroy(server, 'cell1');
    await copy(server, 'cell2', 'cell1', at('04 12:00'));
    await scene.run(at('05 00:45'));
    await destroy(server, 'cell2');
    await scene.run(at('06 00:45'));
    expect(await delivered()).toEqual(['compute_a', 'compute_b']);
  });

  test('when the copy is archived before its window is extracted', async () => {
    await scene.run(at('03 00:45'));
    await copy(server, 'cell1', 'cell2', at('03 12:00'));
    await destroy(server, 'cell1');
    await scene.archive('cell2', server);
    await scene.run(at('04 00:45'));
    expect(await delivered()).toEqual(['compute_a', 'compute_b']);
  });
});

test('an event open while it is copied is delivered once, from the cell in which it finishes', async () => {
  for (const finishesIn of ['cell1', 'cell2']) {
    const moved = await scene.server('cell1');
    const name = `conductor_${finishesIn}`;
    const original = await scene.event('cell1', moved, name, { start: at('02 23:00') });
    await copy(moved, 'cell1', 'cell2', at('02 23:30'));
    const id = finishesIn === 'cell1' ? original : lastId;
    await scene.finish(finishesIn, id, at('03 01:00'));
  }
  await scene.run(at('03 00:45'));
  await scene.run(at('04 00:45'));
  await scene.run(at('05 00:45'));
  expect(await delivered()).toEqual(['conductor_cell1', 'conductor_cell2']);
});

test('an open event whose original is destroyed is counted as gone, and its copy as still open', async () => {
  await scene.heartbeat('cell1', at('03 00:44'));
  await scene.event('cell1', server, 'conductor_a', { start: at('02 23:00') });
  await scene.run(at('03 00:45'));
  await copy(server, 'cell1', 'cell2', at('03 01:00'));
  await destroy(server, 'cell1');
  await scene.heartbeat('cell1', at('04 00:44'));
  await scene.run(at('04 00:45'));
  const [, second] = await scene.drops();
  expect(second && eventsOf(second.manifest).counts).toMatchObject({
    rows: 0,
    stillOpen: 1,
    skipped: { eventGone: 1 },
  });
});

test('servers that look alike in two cells, and are not copies, are all delivered', async () => {
  const twin = await scene.server('cell2', { hostname: 'server-1' });
  const times = { start: at('02 05:00'), finish: at('02 05:01') };
  await scene.event('cell1', server, 'compute_same', times);
  await scene.event('cell2', twin, 'compute_same', times);
  await scene.run(at('03 00:45'));
  expect(await delivered()).toEqual(['compute_same', 'compute_same']);
});

test('copies in a cell that is added later are not taken for events of their own', async () => {
  await scene.open('cell1');
  await scene.event('cell1', server, 'compute_a', { start: at('02 05:00'), finish: at('02 05:01') });
  await scene.event('cell1', server, 'compute_b', { start: at('03 05:00'), finish: at('03 05:01') });
  await scene.run(at('03 00:45'));
  await copy(server, 'cell1', 'cell2', at('03 12:00'));
  await scene.open('cell1', 'cell2');
  await scene.run(at('04 00:45'));
  await destroy(server, 'cell1');
  await scene.run(at('05 00:45'));
  expect(await delivered()).toEqual(['compute_a', 'compute_b']);
});

describe('An event that was inserted after it had finished, by a clock that was ahead', () => {
  const RIGHT = { start: at('02 10:00'), finish: at('02 10:01'), created: at('02 12:00') };

  test('is late, and no clone, where cell0 is read too', async () => {
    await scene.addCell('cell0');
    await scene.open('cell1', 'cell0');
    await scene.run(at('02 00:45'));
    await scene.run(at('03 00:45'));
    await scene.event('cell1', server, 'compute_late', RIGHT);
    const failed = await scene.server('cell0');
    await scene.event('cell0', failed, 'conductor_late', RIGHT);
    await scene.run(at('04 00:45'));
    expect(await delivered()).toEqual(['compute_late', 'conductor_late']);
    expect(await skippedAsCloned()).toBe(0);
  });

  test('is late, and no clone, where no other cell has its original and its server is older', async () => {
    await scene.run(at('02 00:45'));
    await scene.run(at('03 00:45'));
    await scene.event('cell1', server, 'compute_late', RIGHT);
    await scene.run(at('04 00:45'));
    expect(await delivered()).toEqual(['compute_late']);
  });
});

test('cell0 is no place that a server was copied from, though it holds the same event', async () => {
  await scene.addCell('cell0');
  await scene.open();
  const twin = await scene.server('cell0', { uuid: server });
  const times = { start: at('02 05:00'), finish: at('02 05:01') };
  await scene.event('cell0', twin, 'compute_same', times);
  await scene.event('cell1', server, 'compute_same', { ...times, created: at('02 05:01') });
  await scene.run(at('03 00:45'));
  expect(await delivered()).toEqual(['compute_same', 'compute_same']);
});

test('copies in a backlog are looked for once, however many windows wait', async () => {
  await scene.event('cell1', server, 'compute_a', { start: at('02 05:00'), finish: at('02 05:01') });
  await scene.run(at('02 00:45'));
  await copy(server, 'cell1', 'cell2', at('08 12:00'));
  await destroy(server, 'cell1');
  await scene.run(at('03 00:45'));
  const { copiesTo, copies } = await scene.memory('cell2');
  expect({ copiesTo, copies }).toEqual({ copiesTo: lastId + 1, copies: [] });
  await scene.run(at('09 00:45'));
  expect(await delivered()).toEqual(['compute_a']);
});
