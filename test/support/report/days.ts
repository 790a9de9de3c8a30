import { DAY, HOUR, MINUTE } from '../../../lib/core/time.ts';
import type { Instance, TraceEvent } from '../../../lib/tables/instance-events/row.ts';
import type { Window } from '../../../lib/core/window.ts';
import type { Row } from '../mariadb/index.ts';
import { EVENTS, SERVERS, bulkPattern } from '../nova/bulk-pattern.ts';
import { FLAVOURS } from '../nova/catalogue.ts';
import { type Random, seeded } from '../nova/prng.ts';
import { type Sample, type SampleCell, readSample } from '../nova/sample.ts';

/** A window and what finished in it, in order of start. */
export interface Day {
  readonly window: Window;
  readonly events: readonly TraceEvent[];
}

const HOSTS = 96;
const PROJECTS = 60;

/**
 * A working day of a big cloud: quiet at night, busy at eleven and three; few projects do most, some flavours are
 * rare. 7,600 events a block; some come from the day before, some are late.
 */
export function busyDay(start: number, blocks: number): Day {
  const random = seeded(start);
  const window = { start, end: start + DAY };
  const pattern = bulkPattern();
  const projects = Array.from({ length: PROJECTS }, () => ({
    id: random.hex(32),
    users: Array.from({ length: random.whole(1, 9) }, () => random.hex(32)),
  }));
  const clock = workingHours();
  const events: TraceEvent[] = [];
  for (let block = 0; block < blocks; block++) {
    const servers = Array.from({ length: SERVERS }, () => server(random, projects));
    // The pattern builds in its first half and deletes at its end; here servers come and go all day.
    const shifts = servers.map(() => random.next());
    for (const { position, server: at, event, seconds, error, onController } of pattern.events) {
      const instance = servers[at];
      if (instance === undefined) throw new Error(`no server ${at}`);
      const begun = start + clock((position / EVENTS + (shifts[at] ?? 0)) % 1);
      const finish = Math.min(begun + seconds, window.end - 1);
      const host = onController === 1 ? `ctl-0${1 + (position % 3)}.example` : instance.host;
      const result = error === 1 ? 'Error' : 'Success';
      events.push({ instance, event, start: begun, finish, result, host });
    }
  }
  const early = events.slice(0, Math.ceil(events.length / 200)).map((event, nth): TraceEvent => {
    const finish = nth % 5 === 0 ? start - random.whole(1, HOUR) : event.finish;
    return {
      ...event,
      start: start - random.whole(HOUR, 5 * DAY),
      finish,
      result: nth % 9 ? 'Success' : null,
    };
  });
  return { window, events: [...early, ...events].toSorted((a, b) => a.start - b.start) };
}

function server(random: Random, projects: readonly { id: string; users: string[] }[]): Instance {
  // The square makes the first ones far more likely than the last.
  const project = projects[Math.floor(random.next() ** 2.2 * projects.length)];
  const host = `cmp-${String(random.whole(1, HOSTS)).padStart(3, '0')}.example`;
  const flavour = FLAVOURS[Math.floor(random.next() ** 1.6 * FLAVOURS.length)];
  const odd = random.chance(0.001) ? random.whole(1, 9) * 1000 : undefined;
  return {
    uuid: random.uuid(),
    hostname: `web-${random.hex(4)}`,
    userId: project === undefined ? null : random.pick(project.users),
    projectId: project?.id ?? null,
    host,
    node: host,
    memoryMb: odd ?? flavour?.memory_mb ?? null,
    rootGb: flavour?.root_gb ?? null,
    vcpus: flavour?.vcpus ?? null,
  };
}

/** From a part of the day's events, 0 to 1, to the second of the day by which they have begun. */
function workingHours(): (part: number) => number {
  const rates = [3, 2, 2, 2, 3, 4, 6, 9, 14, 20, 24, 25, 19, 21, 25, 24, 20, 15, 11, 9, 7, 6, 5, 4];
  const total = rates.reduce((sum, rate) => sum + rate, 0);
  return (part) => {
    let left = part * total;
    for (const [hour, rate] of rates.entries()) {
      if (left < rate) return Math.floor((hour + left / rate) * HOUR);
      left -= rate;
    }
    return DAY - 1;
  };
}

/** What a real Nova recorded in the fixture, on one day: an hour of tests, and nothing else. */
export async function recordedDay(): Promise<Day> {
  const sample = await readSample();
  const start = Date.UTC(2026, 10, 23) / 1000;
  const window = { start, end: start + DAY };
  const cells: SampleCell[] = ['cell1', 'cell0'];
  const events = cells.flatMap((cell) => finishedIn(sample[cell]));
  return {
    window,
    events: events
      .filter(({ finish }) => finish >= window.start && finish < window.end)
      .toSorted((a, b) => a.start - b.start),
  };
}

function finishedIn(tables: Sample[SampleCell]): TraceEvent[] {
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  const seconds = (value: unknown): number => Date.parse(`${String(value).replace(' ', 'T')}Z`) / 1000;
  const instances = new Map<unknown, Instance>(
    tables.instances.map((row: Row) => [
      row['uuid'],
      {
        uuid: String(row['uuid']),
        hostname: text(row['hostname']),
        userId: text(row['user_id']),
        projectId: text(row['project_id']),
        host: text(row['host']),
        node: text(row['node']),
        memoryMb: Number(row['memory_mb']),
        rootGb: Number(row['root_gb']),
        vcpus: Number(row['vcpus']),
      },
    ]),
  );
  const actions = new Map(tables.instance_actions.map((row) => [row['id'], row['instance_uuid']]));
  return tables.instance_actions_events.flatMap((row): TraceEvent[] => {
    const instance = instances.get(actions.get(row['action_id']));
    if (instance === undefined || row['finish_time'] === null) return [];
    return [
      {
        instance,
        event: text(row['event']),
        start: seconds(row['start_time']),
        finish: seconds(row['finish_time']),
        result: text(row['result']),
        host: text(row['host']),
      },
    ];
  });
}

/** A Sunday on which hardly anything happened. */
export function quietDay(start: number): Day {
  const random = seeded(7);
  const window = { start, end: start + DAY };
  const projects = [1, 2].map(() => ({ id: random.hex(32), users: [random.hex(32)] }));
  const happened: [hour: number, event: string, seconds: number, result: string][] = [
    [2.2, 'compute_snapshot_instance', 214, 'Success'],
    [9.1, 'compute__do_build_and_run_instance', 12, 'Success'],
    [9.2, 'compute_attach_volume', 3, 'Success'],
    [9.4, 'compute_reboot_instance', 0, 'Success'],
    [14.6, 'compute_stop_instance', 61, 'Error'],
    [14.7, 'compute_stop_instance', 9, 'Success'],
    [22.9, 'compute_terminate_instance', 5, 'Success'],
  ];
  const servers = [1, 2, 3].map(() => server(random, projects));
  const events = happened.map(([hour, event, seconds, result], nth): TraceEvent => {
    const instance = servers[nth % servers.length];
    if (instance === undefined) throw new Error('no server');
    const begun = start + Math.floor(hour * HOUR) + random.whole(0, MINUTE);
    return { instance, event, start: begun, finish: begun + seconds, result, host: instance.host };
  });
  return { window, events };
}

export function emptyDay(start: number): Day {
  return { window: { start, end: start + DAY }, events: [] };
}
