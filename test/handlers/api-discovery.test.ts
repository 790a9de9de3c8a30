import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { OpenStackConnection } from '../../lib/connection/connection.ts';
import { parseSecret } from '../../lib/connection/secret.ts';
import { apiSource } from '../../lib/source/nova-api/nova-api.ts';
import type { ApiOptions } from '../../lib/source/nova-api/open-api.ts';
import type { Outcome, SourceState } from '../../lib/source/source.ts';
import { DAY, HOUR, MINUTE, type Seconds, iso } from '../../lib/core/time.ts';
import { instanceEvents } from '../../lib/tables/instance-events/table.ts';
import type { TraceEvent } from '../../lib/tables/instance-events/row.ts';
import { type Drop, eventsOf } from '../support/drops.ts';
import { type MariaDb, type Row, useMariaDb } from '../support/mariadb/index.ts';
import { randomHistory } from '../support/nova/random-history.ts';
import { upsert } from '../support/nova/rows.ts';
import { sqlTime } from '../support/nova/sql-time.ts';
import { type BothSources, compareBothSources, startBothSources } from '../support/nova/both-sources.ts';
import { IS_SLOW } from '../support/slow.ts';
import { flavorOf } from '../support/openstack/flavor.ts';
import type { OpenStackOptions } from '../support/openstack/index.ts';

const START = Date.UTC(2026, 9, 1) / 1000;
const CELL_TIMEOUT = 2;

let db: MariaDb;
let both: BothSources;
let ids = 0;

beforeAll(async () => {
  db = await useMariaDb();
});
afterAll(() => db.stop());
beforeEach(() => begin());
afterEach(() => both.stop());

async function begin(options: Partial<OpenStackOptions> = {}): Promise<void> {
  both = await startBothSources(db, { cellTimeoutMs: CELL_TIMEOUT * 1000, ...options });
  both.now = START + 10 * DAY;
}

/** A server of cell1 that was last touched when it was created, a week before the first window. */
async function server(columns: Row = {}, cell = 0): Promise<string> {
  const id = ++ids;
  const uuid = `5c3e0000-0000-4000-a000-${String(id).padStart(12, '0')}`;
  const created = sqlTime(START - 7 * DAY);
  const sizes = { memory_mb: 2048, root_gb: 20, vcpus: 2, ephemeral_gb: 0 };
  const names = {
    hostname: `server-${id}`,
    display_name: `server-${id}`,
    user_id: 'user',
    project_id: 'project',
  };
  const place = { host: 'cmp-1', node: 'cmp-1', vm_state: 'active', deleted: 0, hidden: 0, cleaned: 0 };
  const row = {
    id,
    uuid,
    created_at: created,
    updated_at: created,
    ...names,
    ...sizes,
    ...place,
    ...columns,
  };
  await upsert(both.cells[cell]!, 'instances', [row]);
  return uuid;
}

/** An action with one event, by its times; the server's own row is left as it is. */
async function event(
  uuid: string,
  name: string,
  start: Seconds,
  finish: Seconds | null,
  { cell = 0, updated = finish ?? start }: { cell?: number; updated?: Seconds } = {},
): Promise<number> {
  const id = ++ids;
  const times = { created_at: sqlTime(start), start_time: sqlTime(start), deleted: 0 };
  await upsert(both.cells[cell]!, 'instance_actions', [
    {
      id,
      action: name,
      instance_uuid: uuid,
      request_id: `req-${id}`,
      ...times,
      updated_at: sqlTime(updated),
    },
  ]);
  await finishEvent(id, id, `compute_${name}`, start, finish, cell);
  return id;
}

async function finishEvent(
  id: number,
  action: number,
  name: string,
  start: Seconds,
  finish: Seconds | null,
  cell = 0,
): Promise<void> {
  const result = finish === null ? null : 'Success';
  const times = { created_at: sqlTime(start), start_time: sqlTime(start), deleted: 0 };
  const end = { finish_time: finish === null ? null : sqlTime(finish), result, host: 'cmp-1' };
  await upsert(both.cells[cell]!, 'instance_actions_events', [
    { id, action_id: action, event: name, ...times, ...end },
  ]);
}

interface Read extends Outcome {
  readonly events: readonly string[];
  readonly requests: number;
}

/** Reads an hour by the source alone; the first is 0. */
async function hour(
  nth: number,
  state?: SourceState,
  options: Partial<ApiOptions> = {},
  { whole = false, hasTime = true } = {},
): Promise<Read> {
  const connection = (await parseSecret(both.openstack.secret())) as OpenStackConnection;
  const source = apiSource(connection, {
    concurrency: 8,
    sweepSeconds: 0,
    allowPartial: false,
    cellTimeoutSeconds: CELL_TIMEOUT,
    ...options,
  });
  both.openstack.clearRequests();
  await using open = await source.open(new AbortController().signal);
  const reader = open.read(instanceEvents.name, {
    window: { start: START + nth * HOUR, end: START + (nth + 1) * HOUR },
    state,
    openHorizonSeconds: 30 * DAY,
    settleSeconds: 10 * MINUTE,
    begin: START,
    whole,
    hasTime: () => hasTime,
  });
  const events: string[] = [];
  for (;;) {
    const next = await reader.next();
    if (next.done === true) {
      return { ...next.value, events: events.toSorted(), requests: both.openstack.requests().length };
    }
    events.push(...(next.value.rows as TraceEvent[]).map((one) => String(one.event)));
  }
}

describe('Discovery over a fake of the Nova API', () => {
  test('finds events that leave their server as it was, in the window in which they finished', async () => {
    const uuid = await server();
    await event(uuid, 'attach_volume', START + 50 * MINUTE, START + 70 * MINUTE);
    await event(uuid, 'swap_volume', START + 80 * MINUTE, START + 81 * MINUTE);
    const first = await hour(0);
    expect(first.events).toEqual([]);
    expect((await hour(1, first.state)).events).toEqual(['compute_attach_volume', 'compute_swap_volume']);
  });

  test('finds a build that was still queued when its server was deleted, which never got a time of change', async () => {
    const created = START - HOUR;
    const uuid = await server({
      created_at: sqlTime(created),
      updated_at: null,
      deleted_at: sqlTime(created + MINUTE),
      deleted: ids + 1,
      host: null,
      vm_state: 'building',
    });
    await event(uuid, '_do_build_and_run_instance', START + MINUTE, START + 2 * MINUTE);
    expect((await hour(0)).events).toEqual(['compute__do_build_and_run_instance']);
  });

  test('finds what a restarted compute records under an unfinished action, whose time of change stays', async () => {
    const uuid = await server({ updated_at: sqlTime(START + 90 * MINUTE) });
    const action = await event(uuid, 'stop_instance', START + 10 * MINUTE, null);
    const first = await hour(0);
    await finishEvent(action, action, 'compute_stop_instance', START + 10 * MINUTE, START + 90 * MINUTE);
    await finishEvent(++ids, action, 'compute_stop_instance', START + 89 * MINUTE, null);
    const second = await hour(1, first.state);
    expect(second.events).toEqual(['compute_stop_instance']);
    expect(second.counts).toMatchObject({ stillOpen: 1, late: 0, rewritten: 0 });
  });

  test('finds a build that was queued for days on a server that was deleted meanwhile, as its action is waited for', async () => {
    const created = START + 10 * MINUTE;
    const uuid = await server({
      created_at: sqlTime(created),
      updated_at: null,
      host: null,
      vm_state: 'building',
    });
    const action = ++ids;
    const times = {
      created_at: sqlTime(created),
      start_time: sqlTime(created),
      updated_at: sqlTime(created),
    };
    const row = {
      id: action,
      action: 'create',
      instance_uuid: uuid,
      request_id: `req-${action}`,
      deleted: 0,
      ...times,
    };
    await upsert(both.cells[0]!, 'instance_actions', [row]);
    let { state } = await hour(0);
    await both.cells[0]!.query('UPDATE instances SET deleted = id, deleted_at = ? WHERE uuid = ?', [
      sqlTime(START + HOUR),
      uuid,
    ]);
    const built = START + 4 * DAY + MINUTE;
    await finishEvent(++ids, action, 'compute__do_build_and_run_instance', built, built + MINUTE);
    await both.cells[0]!.query('UPDATE instance_actions SET updated_at = ? WHERE id = ?', [
      sqlTime(built),
      action,
    ]);
    // Newer ones, so that the list has to go back for it.
    const newer = {
      updated_at: null,
      deleted_at: sqlTime(START + 4 * DAY),
      created_at: sqlTime(START + 4 * DAY - HOUR),
    };
    for (let more = 0; more < 5; more++) await server({ ...newer, deleted: ids + 1 });
    for (const nth of [1, 50, 95]) ({ state } = await hour(nth, state));
    expect((await hour(96, state)).events).toEqual(['compute__do_build_and_run_instance']);
  });

  test('finds a finish that was committed hours late, however long ago its event began', async () => {
    const uuid = await server();
    const action = await event(uuid, 'attach_volume', START + MINUTE, null);
    let { state } = await hour(0);
    for (const nth of [30, 59]) ({ state } = await hour(nth, state));
    const finish = START + 50 * HOUR;
    await finishEvent(action, action, 'compute_attach_volume', START + MINUTE, finish);
    await both.cells[0]!.query('UPDATE instance_actions SET updated_at = ? WHERE id = ?', [
      sqlTime(finish),
      action,
    ]);
    const late = await hour(60, state);
    expect(late.events).toEqual(['compute_attach_volume']);
    expect(late.counts).toMatchObject({ late: 1, stillOpen: 0 });
  });

  test('finds what happens to a soft-deleted server, which is in no list of live ones', async () => {
    const uuid = await server({ vm_state: 'soft-delete' });
    await event(uuid, 'detach_volume', START + MINUTE, START + 2 * MINUTE);
    expect((await hour(0)).events).toEqual(['compute_detach_volume']);
  });

  test('lists a month of deleted servers only where one of them is waited for', async () => {
    const open = await server({ created_at: sqlTime(START - 20 * DAY) });
    await event(open, 'attach_volume', START + MINUTE, null);
    const { state } = await hour(0);
    const since = (): string[] =>
      both.openstack
        .requests()
        .filter(({ query }) => query['deleted'] === 'true')
        .map(({ query }) => query['changes-since'] ?? '')
        .filter((time) => time !== '');
    await hour(1, state);
    expect(since()).toEqual([iso(START + HOUR - 11 * MINUTE)]);
    await both.cells[0]!.query('UPDATE instances SET deleted = id WHERE uuid = ?', [open]);
    await hour(1, state);
    expect(since()).toEqual([iso(START)]);
  });

  test('reads all, whatever the settings, where no later window looks for what was left out', async () => {
    const quiet = await server();
    const options = { sweepSeconds: 30 * DAY, allowPartial: true };
    const first = await hour(0, undefined, options);
    await event(quiet, 'attach_volume', START + 70 * MINUTE, START + 71 * MINUTE);
    expect((await hour(1, first.state, options)).events).toEqual([]);
    expect((await hour(1, first.state, options, { whole: true })).events).toEqual(['compute_attach_volume']);
    both.openstack.silentCells.add('cell0');
    await expect(hour(1, first.state, options, { whole: true })).rejects.toThrow(/a cell does not answer/);
  });

  test('does not lose a part of an action that went on after its window: nothing is asked to have ended before', async () => {
    const uuid = await server({ updated_at: sqlTime(START + 3 * HOUR) });
    const action = await event(uuid, 'resize_instance', START + 10 * MINUTE, START + 20 * MINUTE, {
      updated: START + 3 * HOUR,
    });
    await finishEvent(++ids, action, 'compute_finish_resize', START + 20 * MINUTE, START + 3 * HOUR);
    expect((await hour(0)).events).toEqual(['compute_resize_instance']);
    expect(both.openstack.requests().filter(({ query }) => 'changes-before' in query)).toEqual([]);
  });

  test('is told the same of two actions with one request id, and says that one is hidden', async () => {
    const uuid = await server();
    const first = await event(uuid, 'stop_instance', START + MINUTE, START + 2 * MINUTE);
    const second = await event(uuid, 'start_instance', START + 3 * MINUTE, START + 4 * MINUTE);
    await both.cells[0]!.query(`UPDATE instance_actions SET request_id = 'req-same' WHERE id IN (?)`, [
      [first, second],
    ]);
    const read = await hour(0);
    expect(read.events).toEqual(['compute_start_instance']);
    expect(read.counts.skipped).toEqual({ actionHidden: 1 });
  });

  test('between sweeps asks only changed servers, however many there are, and publishes the others late', async () => {
    const quiet = await server();
    const busy = await server({ updated_at: sqlTime(START + 2 * HOUR) });
    const options = { sweepSeconds: 3 * HOUR };
    const first = await hour(0, undefined, options);
    await event(quiet, 'attach_volume', START + 70 * MINUTE, START + 71 * MINUTE);
    await event(busy, 'stop_instance', START + 72 * MINUTE, START + 73 * MINUTE);
    const second = await hour(1, first.state, options);
    expect(second.events).toEqual(['compute_stop_instance']);
    expect(second.api).toMatchObject({ swept: false });
    expect(second.api?.unseen).toContain('quietServers');

    for (let more = 0; more < 50; more++) await server();
    const again = await hour(1, first.state, options);
    expect(again.requests).toBe(second.requests);

    const third = await hour(2, second.state, options);
    expect([third.events, third.api?.swept]).toEqual([[], false]);
    const fourth = await hour(3, third.state, options);
    expect([fourth.events, fourth.api?.swept]).toEqual([['compute_attach_volume'], true]);
    expect(fourth.counts.late).toBe(1);
    expect(fourth.api?.unseen).not.toContain('quietServers');
    expect((await hour(4, fourth.state, options)).events).toEqual([]);
  });

  test('goes on with a sweep in the next window where time is short, and asks no server twice', async () => {
    await both.stop();
    await begin({ maxLimit: 4 });
    const quiet: string[] = [];
    for (let nth = 0; nth < 10; nth++) {
      const uuid = await server();
      await event(uuid, `attach_${nth}`, START + 30 * MINUTE, START + 31 * MINUTE);
      quiet.push(uuid);
    }
    const asked = (): string[] =>
      both.openstack.requests().flatMap(({ kind, path }) => (kind === 'actions' ? [path] : []));
    const options = { sweepSeconds: 3 * HOUR };
    const short = { hasTime: false };
    const found: string[][] = [];
    const all: string[] = [];
    let state: SourceState | undefined;
    for (const nth of [0, 1, 2]) {
      const read = await hour(nth, state, options, short);
      expect(read.api).toMatchObject({ swept: false });
      expect(read.api?.unseen).toContain('quietServers');
      expect(read.counts.late).toBe(nth === 0 ? 0 : read.events.length);
      found.push([...read.events]);
      all.push(...asked());
      ({ state } = read);
      // After it was asked, and of a window that is over.
      const [met] = quiet.filter((_, of) => read.events.includes(`compute_attach_${of}`));
      if (nth === 0) await event(met ?? '', 'detach', START + 50 * MINUTE, START + 51 * MINUTE);
    }
    expect(found.map((events) => events.length)).toEqual([4, 4, 2]);
    expect(new Set(all).size).toBe(10);
    expect(all).toHaveLength(10);
    expect(new Set(found.flat())).toEqual(new Set(quiet.map((_, nth) => `compute_attach_${nth}`)));

    // The sweep is over: the next one is due three hours after this one began.
    const none = await hour(3, state, { sweepSeconds: 4 * HOUR });
    expect([none.events, asked()]).toEqual([[], []]);
    const next = await hour(3, state, options);
    expect([next.events, next.counts.late, next.api?.swept]).toEqual([['compute_detach'], 1, true]);
  });

  test('publishes of the servers that a first sweep asks late what began before the trace', async () => {
    await both.stop();
    await begin({ maxLimit: 4 });
    for (let nth = 0; nth < 10; nth++) {
      const action = await event(await server(), `attach_${nth}`, START - 20 * MINUTE, START + 5 * MINUTE);
      await finishEvent(++ids, action, `compute_attach_${nth}`, START - 10 * MINUTE, START + 6 * MINUTE);
    }
    const found: string[] = [];
    let state: SourceState | undefined;
    for (const nth of [0, 1, 2]) {
      const read = await hour(nth, state, {}, { hasTime: false });
      expect(read.counts.rewritten).toBe(0);
      found.push(...read.events);
      ({ state } = read);
    }
    const twice = Array.from({ length: 10 }, (_, nth) =>
      Array.from({ length: 2 }, () => `compute_attach_${nth}`),
    );
    expect(found.toSorted()).toEqual(twice.flat());
    expect((await hour(3, state)).events).toEqual([]);
  });

  test('asks no server in parts where no later window goes on', async () => {
    await both.stop();
    await begin({ maxLimit: 4 });
    for (let nth = 0; nth < 10; nth++)
      await event(await server(), 'attach', START + 30 * MINUTE, START + 31 * MINUTE);
    const read = await hour(0, undefined, {}, { whole: true, hasTime: false });
    expect([read.events.length, read.api?.swept]).toEqual([10, true]);
  });

  test('asks nothing that another window has to ask: servers and actions that began after it', async () => {
    await server({ created_at: sqlTime(START + 2 * HOUR), updated_at: sqlTime(START + 2 * HOUR) });
    const uuid = await server({ updated_at: sqlTime(START + 2 * HOUR) });
    await event(uuid, 'stop_instance', START + 2 * HOUR, START + 2 * HOUR + MINUTE);
    await hour(0);
    const kinds = both.openstack.requests().map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'actions')).toHaveLength(1);
    expect(kinds.filter((kind) => kind === 'action')).toHaveLength(0);
  });
});

describe('A cell that does not answer over a fake of the Nova API', () => {
  const silence = (): void => void both.openstack.silentCells.add('cell0');

  beforeEach(async () => {
    await event(await server(), 'stop_instance', START + 10 * MINUTE, START + 11 * MINUTE);
    await event(await server({ host: null }, 1), 'late_build', START + 12 * MINUTE, START + 13 * MINUTE, {
      cell: 1,
    });
  });

  test('fails the window, for lists leave it out without a word', async () => {
    silence();
    await expect(hour(0)).rejects.toThrow(/a cell does not answer.*STAR_ALLOW_PARTIAL/);
    both.openstack.silentCells.clear();
    expect((await hour(0)).events).toEqual(['compute_late_build', 'compute_stop_instance']);
  });

  test('fails the window below microversion 2.69 too, where only the time it took tells', async () => {
    await both.stop();
    await begin({ maxMicroversion: '2.60' });
    await event(await server(), 'stop_instance', START + 10 * MINUTE, START + 11 * MINUTE);
    silence();
    await expect(hour(0)).rejects.toThrow(/a cell does not answer/);
  });

  test('fails the window where its servers would not fit on a full first page', async () => {
    await both.stop();
    await begin({ maxLimit: 2 });
    for (let more = 0; more < 5; more++) await server();
    silence();
    await expect(hour(0)).rejects.toThrow(/a cell does not answer/);
  });

  test('fails the window also where it refuses at once and is skipped, as its services tell', async () => {
    await both.stop();
    await begin({ maxLimit: 2, failingCellsAreSkipped: true });
    for (let more = 0; more < 5; more++) await server();
    both.openstack.failingCells.add('cell1');
    await expect(hour(0)).rejects.toThrow(/a cell does not answer/);
  });

  test('is left out where that is allowed, named, and published late when it is back', async () => {
    silence();
    const partial = await hour(0, undefined, { allowPartial: true });
    expect(partial.events).toEqual(['compute_stop_instance']);
    expect(partial.api?.unseen).toContain('silentCells');
    const still = await hour(1, partial.state, { allowPartial: true });
    expect(still.events).toEqual([]);

    both.openstack.silentCells.clear();
    const whole = await hour(2, still.state, { allowPartial: true });
    expect(whole.events).toEqual(['compute_late_build']);
    expect(whole.counts.late).toBe(1);
    expect(whole.api?.unseen).not.toContain('silentCells');
    expect((await hour(3, whole.state)).events).toEqual([]);
  });

  test.runIf(IS_SLOW)('does not keep the quiet servers of other cells waiting for it', async () => {
    const quiet = await server();
    silence();
    const options = { allowPartial: true };
    let { state } = await hour(0, undefined, options);
    for (const nth of [1, 2]) {
      const at = START + nth * HOUR;
      await event(quiet, `attach_${nth}`, at + MINUTE, at + 2 * MINUTE);
      const read = await hour(nth, state, options);
      expect([read.events, read.api?.swept]).toEqual([[`compute_attach_${nth}`], true]);
      ({ state } = read);
    }
    both.openstack.silentCells.clear();
    expect((await hour(3, state, options)).events).toEqual(['compute_late_build']);
  });
});

describe('An older Nova, as a fake', () => {
  const changes = randomHistory({ seed: 7, start: START, days: 2, eventsPerDay: 150 }).changes;
  const mornings = [1, 2].map((day) => START + day * DAY + 45 * MINUTE);
  const expectFields = async (unlike: readonly string[]): Promise<readonly string[]> => {
    const { api, onlyInDatabase, onlyOverApi } = await compareBothSources(both);
    const reduced = (row: string): string => {
      const fields = JSON.parse(row.slice(row.indexOf('{'))) as Record<string, unknown>;
      for (const name of unlike) delete fields[name];
      return JSON.stringify(fields);
    };
    expect(onlyOverApi.map(reduced).toSorted()).toEqual(onlyInDatabase.map(reduced).toSorted());
    return eventsOf(api[0]?.manifest).api?.unseen ?? [];
  };

  const each: [string, string[]][] = [
    ['2.93', []],
    ['2.66', ['refusingCells']],
    ['2.57', ['eventHosts', 'refusingCells']],
    ['2.21', ['deletedFlavours', 'eventHosts', 'refusingCells']],
  ];
  const edges: typeof each = [
    ['2.69', []],
    ['2.62', ['refusingCells']],
    ['2.61', ['eventHosts', 'refusingCells']],
    ['2.46', ['deletedFlavours', 'eventHosts', 'refusingCells']],
  ];
  test.each(IS_SLOW ? [...each, ...edges] : each)(
    'up to microversion %s gives all events, and the manifest says what it cannot give',
    async (version, unseen) => {
      await both.stop();
      await begin({ maxMicroversion: version });
      await both.live(changes, mornings);
      const unlike = unseen.includes('eventHosts') ? ['host'] : [];
      expect(await expectFields(unlike)).toEqual([
        'archivedServers',
        'recoveriesOfFinishedActions',
        ...unseen,
      ]);
    },
  );

  test('below 2.47 knows no sizes of a flavour that was deleted, and says so', async () => {
    await both.stop();
    await begin({ maxMicroversion: '2.40' });
    const gone = changes.find(({ table, upsert: row }) => table === 'instances' && row !== undefined)?.upsert;
    both.openstack.deletedFlavors.add(flavorOf(gone ?? {}).id);
    await both.live(changes, mornings.slice(0, 1));
    const { api, database } = await compareBothSources(both);
    // The host is what such a Nova does not tell either.
    const rowsOf = (drops: readonly Drop[]) =>
      drops
        .flatMap(({ rows }) => rows['jsonl'] ?? [])
        .map((row) => {
          const { host: _, ...rest } = row;
          return rest;
        });
    const sizes = ['memory_mb', 'root_gb', 'vcpus'] as const;
    const isGone = (row: Row): boolean => sizes.every((size) => row[size] === gone?.[size]);
    const known = rowsOf(database);
    const expected = known.map((row) =>
      isGone(row) ? { ...row, memory_mb: null, root_gb: null, vcpus: null } : row,
    );
    const sorted = (rows: readonly object[]): string[] => rows.map((row) => JSON.stringify(row)).toSorted();
    expect(sorted(rowsOf(api))).toEqual(sorted(expected));
    expect(known.filter(isGone).length).toBeGreaterThan(0);
    expect(known.filter(isGone).length).toBeLessThan(known.length);
    expect(eventsOf(api[0]?.manifest).api?.unseen).toContain('deletedFlavours');
  });

  test('below 2.21 is refused, because it shows nothing of deleted servers', async () => {
    await both.stop();
    await begin({ maxMicroversion: '2.20' });
    await expect(hour(0)).rejects.toThrow('Nova: its versions: up to 2.20; accepted: 2.21 or newer (Mitaka)');
  });
});
