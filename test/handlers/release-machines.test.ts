import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DAY, HOUR } from '../../lib/core/time.ts';
import { type Drop, readDrops } from '../support/drops.ts';
import { hostsOf } from '../support/nova/hosts.ts';
import { START, date, usePast } from '../support/past.ts';

const DAYS = 6;
const past = usePast({ days: DAYS, eventsPerDay: 20 });
const at = (day: number, hour: number): number => START + day * DAY + hour * HOUR;

beforeAll(async () => {
  const hosts = hostsOf(past.cells[0]!);
  const add = (host: string, node: string, time: number) =>
    hosts.add(host, time, { hypervisor_hostname: node });
  await add('cmp-1', 'r12-u1', at(-3, 1));
  // Racks that come later stand before the first by name.
  await add('cmp-2', 'r07-u1', at(1, 10));
  await hosts.beat('cmp-2', at(2, 9));
  await hosts.disable('cmp-2', at(2, 10));
  // Removed, and back under the same name.
  await add('cmp-3', 'r12-u2', at(-3, 2));
  await hosts.remove('cmp-3', at(2, 11));
  await add('cmp-3', 'r12-u2', at(3, 11));
  // Gone again before the release is made, and archived.
  await add('cmp-4', 'r03-u1', at(3, 12));
  await hosts.remove('cmp-4', at(4, 12));
  await hosts.archive();
  // Renamed, with another capacity.
  await add('cmp-5', 'r07-u2', at(-2, 1));
  await hosts.rename('cmp-5', 'r07-u9', at(3, 13), { vcpus: 96 });
  // Disabled, nobody knows since when.
  await add('cmp-6', 'r20-u1', at(-1, 1));
  await hosts.disable('cmp-6', at(0, 1));
  await hosts.beat('cmp-6', at(0, 2));
  await add('cmp-7', 'r20-u2', at(2, 1));
  await hosts.disable('cmp-7', at(2, 2));
  await hosts.beat('cmp-7', at(2, 3));
  await add('cmp-8', 'no-rack', at(-1, 2));
});
beforeEach(() => {
  Object.assign(past.stage.env, {
    STAR_TABLES: 'instance_events,instances,machines,machine_events',
    STAR_RACK_PATTERN: '^r[0-9]+',
    STAR_FORMATS: 'csv,jsonl',
  });
});

const RELEASE = { start: date(0), end: date(DAYS), release: 'all' };
const drops = (): Promise<Drop[]> => readDrops(past.stage.client, 'cloud=test-all/');
type Row = Record<string, unknown>;
const rowsIn = (all: readonly Drop[], table: string, format: string): Row[] =>
  all.flatMap(({ tables }) => tables[table]?.[format] ?? []);

/** As its rows tell: all properties, whatever the format calls them. */
interface HostEvent {
  readonly host: string;
  readonly time: string;
  readonly event: string;
  readonly properties: string;
}

/** Upstream's rules of cleaning; a host that is gone is not enabled. Gives the events that do not keep them. */
function againstRules(events: readonly HostEvent[]): HostEvent[] {
  const wrong: HostEvent[] = [];
  for (const ofHost of Map.groupBy(events, ({ host }) => host).values()) {
    let [isCreated, isEnabled] = [false, false];
    let before: HostEvent | undefined;
    // Rows of one second stay in the order in which they are written.
    for (const one of ofHost.toSorted((a, b) => a.time.localeCompare(b.time))) {
      const { event, properties } = one;
      const isFit =
        (event === 'CREATE' && !isCreated) ||
        (isCreated &&
          (event === 'DELETE' ||
            (event === 'ENABLE' && !isEnabled) ||
            (event === 'DISABLE' && isEnabled) ||
            (event === 'UPDATE' && properties !== before?.properties)));
      const isSame = before?.event === event && before.properties === properties;
      if (!isFit || isSame) wrong.push(one);
      if (event === 'CREATE' || event === 'DELETE') [isCreated, isEnabled] = [event === 'CREATE', false];
      if (event === 'ENABLE' || event === 'DISABLE') isEnabled = event === 'ENABLE';
      before = one;
    }
  }
  return wrong;
}

/** As readers of the published traces parse PROPERTIES, which upstream writes as Python. */
const parsed = (properties: unknown): Row =>
  JSON.parse(String(properties).replaceAll("'", '"').replaceAll('None', '"None"')) as Row;

describe('Machines of a release', () => {
  test('have the ranks of their racks by name, in each window, also by a worker that goes on', async () => {
    const broken = await past.ask(RELEASE, past.dyingAfter(3));
    expect(broken.status).toBe('FAILED');
    past.onS3Request = undefined;
    expect((await past.redrive(broken)).status).toBe('SUCCEEDED');

    const all = await drops();
    expect(all).toHaveLength(DAYS);
    const racks = all.map(({ tables }) => [
      ...new Set((tables['machines']?.['jsonl'] ?? []).map(({ rack }) => rack)),
    ]);
    const inOrder = racks.map((some) => some.map(String).toSorted().join());
    // r03, r07, r12 and r20; one host has none.
    expect(inOrder).toEqual([
      '1,2,3,null',
      '1,2,3,null',
      '1,2,3,null',
      '0,1,2,3,null',
      '0,1,2,3,null',
      '1,2,3,null',
    ]);
    const byHost = new Map<unknown, Set<unknown>>();
    for (const table of ['machines', 'machine_events'])
      for (const { host, rack } of rowsIn(all, table, 'jsonl'))
        byHost.set(host, (byHost.get(host) ?? new Set()).add(rack));
    expect(byHost.size).toBe(8);
    expect([...byHost.values()].filter((ranks) => ranks.size > 1)).toEqual([]);
    expect(rowsIn(all, 'machines', 'csv').map((row) => row['RACK'])).toEqual(
      rowsIn(all, 'machines', 'jsonl').map(({ rack }) => rack ?? ''),
    );
  });

  test('have events that keep upstream’s rules, and lead from the opening to the machines of the last window', async () => {
    expect((await past.ask(RELEASE)).status).toBe('SUCCEEDED');
    const all = await drops();
    const events = rowsIn(all, 'machine_events', 'csv').map((row) => ({
      host: String(row['HOST_NAME (PHYSICAL)']),
      time: String(row['EVENT_TIME']),
      event: String(row['EVENT']),
      properties: ['RACK', 'VCPU_CAPACITY', 'MEMORY_CAPACITY_MB', 'DISK_CAPACITY_GB']
        .map((name) => row[name])
        .join(),
    }));
    expect(againstRules(events)).toEqual([]);
    // Of each window, though one read serves several.
    const reads = all.map(({ manifest }) => manifest.tables['machine_events']?.reading);
    expect(reads).toEqual(all.map(() => ({ reads: 1, longestGapSeconds: null })));
    const counts = Map.groupBy(events, ({ event }) => event);
    expect(Object.fromEntries([...counts].map(([event, some]) => [event, some.length]))).toEqual({
      CREATE: 9,
      ENABLE: 9,
      UPDATE: 1,
      DISABLE: 3,
      DELETE: 2,
    });
    const last = new Map(events.map(({ host, event }) => [host, event]));
    const there = [...last].filter(([, event]) => event !== 'DELETE').map(([host]) => host);
    const machines = rowsIn(all.slice(-1), 'machines', 'csv').map((row) => row['HOST_NAME (PHYSICAL)']);
    expect(there.toSorted()).toEqual(machines.map(String).toSorted());
  });

  test('are read in format 0.3 by a reader that replaces quotes and None', async () => {
    past.stage.env['STAR_FORMAT_VERSION'] = '0.3';
    expect((await past.ask(RELEASE)).status).toBe('SUCCEEDED');
    const all = await drops();
    const rows = rowsIn(all, 'machine_events', 'csv');
    const events = rows.map((row) => ({
      host: String(row['HOST_NAME (PHYSICAL)']),
      time: String(row['EVENT_TIME']),
      event: String(row['EVENT']),
      properties: String(row['PROPERTIES']),
    }));
    expect(againstRules(events)).toEqual([]);
    expect(rows.map((row) => parsed(row['PROPERTIES']))).toEqual(
      rowsIn(all, 'machine_events', 'jsonl').map((row) => ({
        rack: row['rack'],
        vcpu_capability: row['vcpus'],
        memory_capability_mb: row['memory_mb'],
        disk_capability_gb: row['local_gb'],
      })),
    );
  });
});
