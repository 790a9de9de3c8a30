import { HOUR, MINUTE, type Seconds } from '../../lib/core/time.ts';
import { replay } from '../support/nova/history.ts';
import type { Random } from '../support/nova/prng.ts';
import { plainServer, upsert } from '../support/nova/rows.ts';
import type { Cell } from '../support/nova/schema.ts';
import { sqlTime } from '../support/nova/sql-time.ts';
import { HOST_STEPS, type HostEvent, type HostStep, liveHostsOn } from './hosts.ts';

/** Two cells that live on step by step, each step by what it finds; what is committed late waits for its time. */
export interface LivingCloud {
  now: Seconds;
  readonly do: Readonly<Record<CloudStep, (random: Random) => Promise<void>>>;
  advance(seconds: Seconds): Promise<void>;
  /** Servers that were copied to another cell: their events may come from the copy. */
  readonly cloned: ReadonlySet<string>;
  /** Servers whose rows were in the live and in the shadow tables, where what finishes later finishes in one of them. */
  readonly twice: ReadonlySet<string>;
  /** First finish of events that have been finished again, by name; of those that a restore opened again, none. */
  readonly rewritten: ReadonlyMap<string, Seconds>;
  /** What became of its hosts. */
  readonly hostEvents: readonly HostEvent[];
}

/** Names that a trace contains itself, and one that nobody would guess. */
const NAMES = ['null', 'true', 'active', '1', '-1', '2025-06-01T10', '00Z', 'uuid', 'Success', 'payroll-7'];

export const CLOUD_STEPS = [
  'server',
  'start',
  'finish',
  'reschedule',
  'rewrite',
  'remove',
  'archive',
  'purge',
  'clone',
  'confirm',
  'unarchive',
  'clock',
  'backup',
  'restore',
  ...HOST_STEPS,
] as const;
export type CloudStep = (typeof CLOUD_STEPS)[number];

interface Server {
  readonly uuid: string;
  cell: Cell;
  /** The copied-from cell, until the resize is confirmed. */
  from?: Cell;
  deleted: boolean;
  archived: boolean;
  /** Its rows are in the live tables and in the shadow tables. */
  isTwice?: boolean;
  /** Something of it has been or is to be committed late, or was finished again: a copy would not tell. */
  late: boolean;
}

interface OpenEvent {
  readonly name: string;
  /** Until then a finish is on its way. */
  settled?: Seconds;
  /** The finish that it got first. */
  finished?: Seconds;
  readonly server: Server;
  readonly cell: Cell;
  readonly id: number;
  readonly start: Seconds;
  readonly shown: Seconds;
}

const EVENTS = 'instance_actions_events';

/** @param hasHosts without them, what would become of hosts does not happen */
export function liveOn(cells: readonly Cell[], start: Seconds, hasHosts: boolean): LivingCloud {
  const servers: Server[] = [];
  const open: OpenEvent[] = [];
  const rewritable: OpenEvent[] = [];
  const cloned = new Set<string>();
  const twice = new Set<string>();
  const rewritten = new Map<string, Seconds>();
  let pending: { at: Seconds; commit: () => Promise<unknown> }[] = [];
  let lastId = 0;
  /** By how much one of the two controllers is ahead. */
  let skew = 0;
  /** Until then no clock may be behind: rows that get an id again would look old. */
  let noneBehindUntil = -Infinity;
  let life = 0;
  let kept: Kept | undefined;
  const hosts = liveHostsOn(cells);

  const commit = async (delay: Seconds, change: () => Promise<unknown>): Promise<void> => {
    if (delay === 0) await change();
    else pending.push({ at: cloud.now + delay, commit: change });
  };
  const alive = (): Server[] => servers.filter(({ deleted }) => !deleted);
  const insert = async (random: Random, server: Server, action: number, name: string, delay: Seconds) => {
    const id = ++lastId;
    const at = cloud.now + random.whole(-2, 3) + (random.chance(0.5) ? skew : 0);
    const row = {
      id,
      event: name,
      action_id: action,
      start_time: sqlTime(at),
      created_at: sqlTime(at),
      finish_time: null,
      result: null,
      host: 'cmp-1',
      deleted: 0,
    };
    const { cell } = server;
    if (delay > 0) server.late = true;
    // Behind an archiving there is no action any more that the row could belong to.
    await commit(delay, async () => (server.archived ? undefined : upsert(cell, EVENTS, [row])));
    return { name, server, cell, id, start: at, shown: cloud.now + delay };
  };
  const act = async (server: Server): Promise<number> => {
    const id = ++lastId;
    const times = { created_at: sqlTime(cloud.now), start_time: sqlTime(cloud.now) };
    await upsert(server.cell, 'instance_actions', [
      { id, action: 'act', instance_uuid: server.uuid, request_id: `req-${id}`, deleted: 0, ...times },
    ]);
    return id;
  };
  /** As Nova does it: where the row is gone meanwhile, nothing happens. */
  const finish =
    (cell: Cell, id: number, time: Seconds): (() => Promise<unknown>) =>
    () =>
      cell.query(`UPDATE ${EVENTS} SET finish_time = ?, updated_at = ?, result = 'Success' WHERE id = ?`, [
        sqlTime(time),
        sqlTime(time),
        id,
      ]);
  const lateness = (random: Random, server: Server): Seconds => {
    // A copy that is made of what is not committed yet is beyond what is promised.
    if (server.from !== undefined || cloned.has(server.uuid)) return 0;
    const delay = random.chance(0.2)
      ? random.whole(1, 25) * MINUTE
      : random.chance(0.1)
        ? random.whole(60, 300) * MINUTE
        : 0;
    if (delay > 0) server.late = true;
    return delay;
  };
  const drop = (cell: Cell, uuid: string, shadow = ''): Promise<unknown> => {
    const actions = `SELECT id FROM ${shadow}instance_actions WHERE instance_uuid = '${uuid}'`;
    return cell.query(
      `DELETE FROM ${shadow}${EVENTS} WHERE action_id IN (${actions});
       DELETE FROM ${shadow}instance_actions WHERE instance_uuid = '${uuid}';
       DELETE FROM ${shadow}instances WHERE uuid = '${uuid}'`,
    );
  };

  const stepsOfHosts = Object.fromEntries(
    HOST_STEPS.map((step) => [
      step,
      async (random: Random): Promise<void> => {
        if (!hasHosts) return;
        await hosts.do[step](random, cloud.now);
        await cloud.advance(5);
      },
    ]),
  ) as Record<HostStep, (random: Random) => Promise<void>>;

  const cloud: LivingCloud = {
    now: start,
    cloned,
    twice,
    rewritten,
    hostEvents: hosts.truth,
    async advance(seconds) {
      const until = cloud.now + seconds;
      const due = pending.filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at);
      pending = pending.filter(({ at }) => at > until);
      for (const change of due) await change.commit();
      cloud.now = until;
    },
    do: {
      ...stepsOfHosts,
      async server(random) {
        const cell = random.pick(cells);
        const uuid = random.uuid();
        const id = ++lastId;
        const names = { hostname: random.pick(NAMES), user_id: random.pick(NAMES) };
        await upsert(cell, 'instances', [{ ...plainServer(id, uuid, cloud.now), ...names }]);
        servers.push({ uuid, cell, deleted: false, archived: false, late: false });
      },
      async start(random) {
        if (alive().length === 0) return;
        const server = random.pick(alive());
        const delay = server.from === undefined && random.chance(0.15) ? random.whole(1, 25) * MINUTE : 0;
        open.push(await insert(random, server, await act(server), `compute_${life}_${lastId}`, delay));
      },
      async finish(random) {
        if (open.length === 0) return;
        const at = random.whole(0, open.length - 1);
        const [event] = open.splice(at, 1);
        if (event === undefined) return;
        // By the other controller's clock it may finish before it starts.
        const time = skew > 0 && random.chance(0.5) ? cloud.now : Math.max(event.start, cloud.now);
        const delay = lateness(random, event.server);
        // The row has to be there.
        const wait = event.shown > cloud.now + delay ? event.shown - cloud.now + 1 : delay;
        await commit(wait, finish(event.cell, event.id, time));
      },
      async reschedule(random) {
        if (alive().length === 0) return;
        const server = random.pick(alive());
        const action = await act(server);
        const name = `compute_build_${life}_${lastId}`;
        const first = await insert(random, server, action, name, 0);
        cloud.now += 5;
        await insert(random, server, action, name, 0);
        await finish(first.cell, first.id, cloud.now)();
        rewritable.push({ ...first, finished: cloud.now });
      },
      async rewrite(random) {
        if (rewritable.length === 0) return;
        const event = random.pick(rewritable);
        if (cloned.has(event.server.uuid) || cloud.now <= (event.settled ?? 0)) return;
        event.server.late = true;
        if (!rewritten.has(event.name)) rewritten.set(event.name, event.finished ?? cloud.now);
        const delay = random.chance(0.3) ? random.whole(1, 300) * MINUTE : 0;
        event.settled = cloud.now + delay;
        await commit(delay, finish(event.cell, event.id, cloud.now));
      },
      async remove(random) {
        // The first one stays, so that the history never begins later.
        const some = alive()
          .slice(1)
          .filter(({ from }) => from === undefined);
        if (some.length === 0) return;
        const server = random.pick(some);
        server.deleted = true;
        await server.cell.query(
          'UPDATE instances SET deleted = id, deleted_at = ?, updated_at = ? WHERE uuid = ?',
          [sqlTime(cloud.now), sqlTime(cloud.now), server.uuid],
        );
      },
      async archive() {
        for (const server of servers.filter((one) => one.deleted && !one.archived && one.isTwice !== true)) {
          server.archived = true;
          await replay(
            [server.cell],
            [{ at: 0, cell: server.cell.name, table: 'instances', archive: server.uuid }],
          ).applyUntil(0);
        }
      },
      async purge(random) {
        for (const server of servers.filter(({ archived }) => archived)) {
          if (random.chance(0.5)) continue;
          await drop(server.cell, server.uuid, 'shadow_');
          servers.splice(servers.indexOf(server), 1);
        }
      },
      async clone(random) {
        // A resize takes its time: what has just begun or ended is not copied in the same minutes.
        await cloud.advance(3 * MINUTE);
        const some = alive()
          .slice(1)
          .filter(({ late, uuid }) => !late && !cloned.has(uuid));
        if (some.length === 0) return;
        const server = random.pick(some);
        const to = cells.find((cell) => cell !== server.cell);
        if (to === undefined) return;
        lastId = await copyTree(server.uuid, server.cell, to, cloud.now, lastId);
        for (let at = open.length - 1; at >= 0; at--) if (open[at]?.server === server) open.splice(at, 1);
        cloned.add(server.uuid);
        server.from = server.cell;
        server.cell = to;
      },
      async unarchive(random) {
        const some = servers.filter(({ archived }) => archived);
        if (some.length === 0) return;
        const server = random.pick(some);
        const { cell, uuid } = server;
        const ofServer = {
          instances: `uuid = '${uuid}'`,
          instance_actions: `instance_uuid = '${uuid}'`,
          [EVENTS]: `action_id IN (SELECT id FROM shadow_instance_actions WHERE instance_uuid = '${uuid}')`,
        };
        for (const [table, where] of Object.entries(ofServer))
          await cell.query(`INSERT INTO ${table} SELECT * FROM shadow_${table} WHERE ${where}`);
        await cell.query(`UPDATE instances SET deleted = 0, deleted_at = NULL WHERE uuid = '${uuid}'`);
        Object.assign(server, { archived: false, deleted: false, late: true });
        if (random.chance(0.5)) {
          server.isTwice = true;
          twice.add(uuid);
        } else await drop(cell, uuid, 'shadow_');
      },
      async clock(random) {
        const mayBeBehind = cloud.now > noneBehindUntil;
        skew = random.pick([0, 2 * HOUR, 5 * HOUR, ...(mayBeBehind ? [-2 * HOUR] : [])]);
      },
      async backup() {
        await keepTables(cells);
        kept = { servers: servers.map((one) => ({ ...one })), open: [...open], lastId };
      },
      async restore() {
        if (kept === undefined) return;
        await bringBackTables(cells);
        // Events that had finished since are open again, and may be in a drop already.
        const stillOpen = new Set(open.map(({ name }) => name));
        for (const { name } of kept.open) if (!stillOpen.has(name)) rewritten.set(name, -1);
        const back = kept.servers.map((one) => ({ ...one }));
        const byUuid = new Map(back.map((one) => [one.uuid, one]));
        servers.splice(0, servers.length, ...back);
        open.splice(0, open.length, ...reopened(kept.open, byUuid));
        rewritable.length = 0;
        pending = [];
        lastId = kept.lastId;
        life++;
        skew = Math.max(0, skew);
        noneBehindUntil = cloud.now + 6 * HOUR;
        // What was written since the backup is gone, and copies with it.
        await cloud.advance(MINUTE);
      },
      async confirm() {
        const server = servers.find(({ from }) => from !== undefined);
        if (server?.from === undefined) return;
        await drop(server.from, server.uuid);
        delete server.from;
      },
    },
  };
  return cloud;
}

/** What a backup holds besides the tables. */
interface Kept {
  readonly servers: readonly Server[];
  readonly open: readonly OpenEvent[];
  readonly lastId: number;
}

const TABLES = ['instances', 'instance_actions', EVENTS].flatMap((table) => [table, `shadow_${table}`]);

async function keepTables(cells: readonly Cell[]): Promise<void> {
  for (const cell of cells)
    for (const table of TABLES)
      await cell.query(
        `DROP TABLE IF EXISTS kept_${table}; CREATE TABLE kept_${table} AS SELECT * FROM ${table}`,
      );
}

async function bringBackTables(cells: readonly Cell[]): Promise<void> {
  for (const cell of cells) {
    for (const table of TABLES.toReversed()) await cell.query(`DELETE FROM ${table}`);
    for (const table of TABLES) await cell.query(`INSERT INTO ${table} SELECT * FROM kept_${table}`);
  }
}

function reopened(open: readonly OpenEvent[], servers: ReadonlyMap<string, Server>): OpenEvent[] {
  return open.flatMap((event) => {
    const server = servers.get(event.server.uuid);
    return server === undefined || server.cell !== event.cell ? [] : [{ ...event, server, shown: 0 }];
  });
}

/** The server with its actions and events as new rows of the other cell; gives the last id. */
async function copyTree(uuid: string, from: Cell, to: Cell, time: Seconds, lastId: number): Promise<number> {
  const created = { created_at: sqlTime(time), updated_at: null };
  const [instance = {}] = await from.query('SELECT * FROM instances WHERE uuid = ?', [uuid]);
  let id = lastId;
  await upsert(to, 'instances', [{ ...instance, ...created, id: ++id }]);
  for (const action of await from.query(
    'SELECT * FROM instance_actions WHERE instance_uuid = ? ORDER BY id',
    [uuid],
  )) {
    const actionId = ++id;
    await upsert(to, 'instance_actions', [{ ...action, ...created, id: actionId }]);
    const events = await from.query(`SELECT * FROM ${EVENTS} WHERE action_id = ? ORDER BY id`, [
      action['id'],
    ]);
    await upsert(
      to,
      EVENTS,
      events.map((event) => ({ ...event, ...created, id: ++id, action_id: actionId })),
    );
  }
  return id;
}
