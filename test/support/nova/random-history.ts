import type { Change } from './history.ts';
import { seeded } from './prng.ts';
import { MIX } from './random-mix.ts';
import type { Mix } from './random-mix.ts';
import { planServer } from './random-plan.ts';
import type { ServerPlan } from './random-plan.ts';
import { changesOf } from './random-rows.ts';
import type { Visible } from './random-rows.ts';

export interface RandomHistoryOptions {
  seed: number;
  /** Unix seconds; servers are created from then on. */
  start?: number;
  days?: number;
  eventsPerDay?: number;
  /** `cell0` among them takes the builds that find no host. */
  cells?: string[];
  mix?: Partial<Mix>;
  /** By day (0, 1, …): the Unix time when everything deleted before is archived, or none on that day. */
  archiveAt?: (day: number) => number | undefined;
}

export interface RandomHistory {
  seed: number;
  start: number;
  /** The last server is created before; events go on for some days after. */
  end: number;
  /** What the history is made of, before any row: when each server came and went, and what it did. */
  servers: readonly ServerPlan[];
  /** In the order of their times. */
  changes: Change[];
  /** Events whose finish_time is replaced by a later one, with both times and when each shows. */
  rewritten: { cell: string; id: number; finishes: { time: number; shown: number }[] }[];
}

const DAY = 86_400;

/**
 * A month in the life of a cloud, made up from a seed: everything a real Nova does to the three tables (and
 * worse), at a rate that a test can replay. `Mix` says what and how often.
 */
export function randomHistory(options: RandomHistoryOptions): RandomHistory {
  const { seed, start = Date.UTC(2026, 9, 1) / 1000, days = 30, eventsPerDay = 200 } = options;
  const { cells = ['cell1', 'cell0'], archiveAt = () => undefined } = options;
  const random = seeded(seed);
  const mix = { ...MIX, ...options.mix };
  const place = {
    cells,
    users: Array.from({ length: 5 }, () => random.hex(32)),
    projects: Array.from({ length: 3 }, () => random.hex(32)),
    hosts: Array.from({ length: 6 }, (_, at) => `cmp-0${at + 1}.example`),
  };
  const end = start + days * DAY;
  const servers: ServerPlan[] = [];
  for (let events = 0; events < days * eventsPerDay;) {
    const server = planServer(random, mix, place, random.between(start, end - 600));
    events += server.actions.reduce((sum, action) => sum + action.events.length, 0);
    servers.push(server);
  }

  const visible = cells.flatMap((cell) =>
    changesOf(
      cell,
      servers.filter((server) => server.cell === cell),
    ),
  );
  const times = Array.from({ length: days }, (_, day) => archiveAt(day)).filter((at) => at !== undefined);
  const changes = withArchives(visible, servers, times);
  return { seed, start, end, servers, changes, rewritten: rewrittenIn(changes) };
}

/**
 * Archives at the given times what has been deleted before. Nova finds no row to update afterwards, so what
 * would have shown later of an archived tree is lost: such an event stays open in the shadow tables.
 */
function withArchives(visible: Visible[], servers: ServerPlan[], times: number[]): Change[] {
  const archivedAt = new Map<ServerPlan, number>();
  const archives: Change[] = [];
  for (const at of times.toSorted((a, b) => a - b)) {
    for (const server of servers) {
      if (archivedAt.has(server) || (server.deleted ?? Infinity) >= at) continue;
      archivedAt.set(server, at);
      archives.push({ at, cell: server.cell, table: 'instances', archive: server.uuid });
    }
  }
  const kept: Change[] = visible
    .filter(({ at, server }) => at < (archivedAt.get(server) ?? Infinity))
    .map(({ at, cell, table, upsert = {} }) => ({ at, cell, table, upsert }));
  return [...kept, ...archives].toSorted((a, b) => a.at - b.at);
}

function rewrittenIn(changes: Change[]): RandomHistory['rewritten'] {
  const events = new Map<string, RandomHistory['rewritten'][number]>();
  for (const { at, cell, table, upsert } of changes) {
    if (table !== 'instance_actions_events' || typeof upsert?.['finish_time'] !== 'string') continue;
    const id = Number(upsert['id']);
    const event = events.get(`${cell} ${id}`) ?? { cell, id, finishes: [] };
    event.finishes.push({ time: Date.parse(`${upsert['finish_time']}Z`) / 1000, shown: at });
    events.set(`${cell} ${id}`, event);
  }
  return [...events.values()].filter((event) => event.finishes.length > 1);
}
