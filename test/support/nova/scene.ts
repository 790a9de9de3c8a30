import type { ScheduleSummary } from '../../../lib/schedule/summary.ts';
import { instanceEvents } from '../../../lib/tables/instance-events/table.ts';
import { type Drop, readDrops, readObject } from '../drops.ts';
import type { MariaDb, Row } from '../mariadb/index.ts';
import { type Stage, type StageOptions, startStage } from '../stage.ts';
import { replay } from './history.ts';
import { plainServer, upsert } from './rows.ts';
import { type Cell, type CellOptions, createCell } from './schema.ts';
import { sqlTime } from './sql-time.ts';

export const UNMASKED = {
  STAR_MASKING: 'none',
  STAR_ALLOW_UNSAFE_MASKING: 'true',
  STAR_FORMATS: 'jsonl',
};

/** A report takes a quarter of a run of a few rows. Tests of reports turn it on. */
export const WITHOUT_REPORT = { STAR_REPORT: 'false' };

/** Unix seconds of a day and time of June 2025: `at('02 10:30')`, `at('02 10:30:15')`. */
export function at(text: string): number {
  const [day, time] = text.split(' ');
  return Date.parse(`2025-06-${day}T${time}Z`) / 1000;
}

/** An event written by hand; its name tells it apart from all others of the scene. */
export interface EventSpec {
  start: number;
  /** None: still open. */
  finish?: number | undefined;
  /** The second in which it started, unless told otherwise. */
  created?: number;
  /** The next free one, unless told otherwise. */
  id?: number;
  result?: string;
  host?: string | null;
  /** An action that is there; a new one without. */
  actionId?: number;
}

/**
 * A cloud of a few rows, each put there by the test, and the function beside it, which masks nothing and makes no
 * report.
 */
export interface Scene {
  readonly stage: Stage;
  cell(name: string): Cell;
  addCell(name: string, options?: CellOptions): Promise<Cell>;
  /** Opens these cells by the secret; all without names. */
  open(...names: string[]): Promise<void>;
  /** Adds a server and gives its uuid. */
  server(cell: string, columns?: Row): Promise<string>;
  /** Adds an event of a server; gives its id. */
  event(cell: string, uuid: string, name: string, spec: EventSpec): Promise<number>;
  finish(cell: string, id: number, finish: number): Promise<void>;
  archive(cell: string, ...uuids: string[]): Promise<void>;
  /** Says when the newest heartbeat of a service in the cell was; without one `services` is not there. */
  heartbeat(cell: string, time: number): Promise<void>;
  run(scheduledTime: number): Promise<ScheduleSummary>;
  drops(prefix?: string): Promise<Drop[]>;
  /** Names of the events of each drop, in order, by the drop's start (`2025-06-02T00:00`). */
  published(): Promise<Record<string, string[]>>;
  /** What the checkpoint remembers of a cell. */
  memory(cell: string): Promise<Memory>;
  stop(): Promise<void>;
}

export interface Memory {
  nextEventId: number;
  seenIds: number[];
  open: [id: number, start: number][];
  copiesTo: number;
  copies: [id: number, finish: number][];
  /** First and last id of each range. */
  unarchived: number[];
}

export async function startScene(db: MariaDb, names: string[], options: StageOptions = {}): Promise<Scene> {
  const stage = await startStage({ ...options, env: { ...UNMASKED, ...WITHOUT_REPORT, ...options.env } });
  const cells = new Map<string, Cell>();
  let servers = 0;
  let last = 0;

  const cell = (name: string): Cell => {
    const found = cells.get(name);
    if (found === undefined) throw new Error(`The scene has no cell ${name}`);
    return found;
  };
  const scene: Scene = {
    stage,
    cell,
    async addCell(name, cellOptions) {
      const made = await createCell(db, name, cellOptions);
      cells.set(name, made);
      return made;
    },
    async open(...opened) {
      const dsns = (opened.length === 0 ? [...cells.keys()] : opened).map((name) => [name, cell(name).dsn()]);
      await stage.setSecret(JSON.stringify({ cells: Object.fromEntries(dsns), ssl: 'off' }));
    },
    async server(name, columns = {}) {
      const id = ++servers;
      const uuid = `5c3e0000-0000-4000-a000-${String(id).padStart(12, '0')}`;
      const row = { ...plainServer(id, uuid, at('01 00:00')), ...columns };
      await upsert(cell(name), 'instances', [row]);
      return row.uuid;
    },
    async event(
      name,
      uuid,
      event,
      { start, finish, created = start, result = 'Success', host = 'cmp-1', ...spec },
    ) {
      const id = spec.id ?? ++last;
      last = Math.max(last, id);
      const actionId = spec.actionId ?? id;
      if (spec.actionId === undefined) {
        const times = { created_at: sqlTime(created), start_time: sqlTime(start) };
        await upsert(cell(name), 'instance_actions', [
          { id: actionId, action: 'act', instance_uuid: uuid, request_id: `req-${id}`, deleted: 0, ...times },
        ]);
      }
      await upsert(cell(name), 'instance_actions_events', [
        {
          id,
          event,
          action_id: actionId,
          created_at: sqlTime(created),
          start_time: sqlTime(start),
          finish_time: finish === undefined ? null : sqlTime(finish),
          result: finish === undefined ? null : result,
          host,
          deleted: 0,
        },
      ]);
      return id;
    },
    async finish(name, id, finish) {
      const change = { id, finish_time: sqlTime(finish), updated_at: sqlTime(finish), result: 'Success' };
      await upsert(cell(name), 'instance_actions_events', [change]);
    },
    async archive(name, ...uuids) {
      const changes = uuids.map((uuid) => ({
        at: 0,
        cell: name,
        table: 'instances' as const,
        archive: uuid,
      }));
      await replay([cell(name)], changes).applyUntil(0);
    },
    async heartbeat(name, time) {
      const row = 'REPLACE INTO services (id, report_count, updated_at) VALUES (1, 1, ?)';
      await cell(name).query(row, [sqlTime(time)]);
    },
    run: (scheduledTime) => stage.run(scheduledTime),
    drops: (prefix) => readDrops(stage.client, prefix),
    async published() {
      const drops = await readDrops(stage.client);
      return Object.fromEntries(
        drops.map(({ manifest, rows }) => [
          manifest.window.start.slice(0, 16),
          (rows['jsonl'] ?? []).map((row) => String(row['event'])),
        ]),
      );
    },
    async memory(name) {
      const key = `${stage.env['STAR_PREFIX'] ? `${stage.env['STAR_PREFIX']}/` : ''}cloud=test/state/checkpoint.json`;
      const checkpoint = JSON.parse((await readObject(stage.client, key)).toString('utf8')) as {
        tables: Record<string, { state: Record<string, Memory> }>;
      };
      const memory = checkpoint.tables[instanceEvents.name]?.state[name];
      if (memory === undefined) throw new Error(`The checkpoint has no cell ${name}`);
      return memory;
    },
    async stop() {
      await stage.stop();
      for (const { database } of cells.values()) await db.query(`DROP DATABASE \`${database}\``);
    },
  };
  for (const name of names) await scene.addCell(name);
  await scene.open();
  return scene;
}
