import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../lib/core/time.ts';
import { type Drop, readDrops } from '../support/drops.ts';
import { type MariaDb, useMariaDb } from '../support/mariadb/index.ts';
import { type BothSources, startBothSources } from '../support/nova/both-sources.ts';
import { type Hosts, hostsOf } from '../support/nova/hosts.ts';

const START = Date.UTC(2026, 9, 1) / 1000;

let db: MariaDb;
let both: BothSources;
let hosts: Hosts;

beforeAll(async () => {
  db = await useMariaDb();
});
afterAll(() => db.stop());
beforeEach(async () => {
  both = await startBothSources(db, { maxLimit: 2, cellTimeoutMs: 400 });
  both.set({ STAR_TABLES: 'machines,machine_events' });
  hosts = hostsOf(both.cells[0]!);
  for (const host of ['cmp-1', 'cmp-2', 'cmp-3']) await hosts.add(host, START - DAY);
  await hosts.disable('cmp-3', START - HOUR);
});
afterEach(() => both.stop());

const run = (day: number): Promise<void> => both.live([], [START + day * DAY + 45 * MINUTE]);
const last = async (): Promise<Drop | undefined> => (await readDrops(both.overApi.client)).at(-1);
const rowsOf = (drop: Drop | undefined, table: string) => drop?.tables[table]?.['jsonl'] ?? [];
const told = (drop: Drop | undefined): string[] =>
  rowsOf(drop, 'machine_events').map((row) =>
    [row['event'], row['host'], row['basis']].map(String).join(' '),
  );

describe('Machines over the API', () => {
  test('are those of the databases, but for their times', async () => {
    await run(1);
    const [database, api] = [(await readDrops(both.fromDatabase.client)).at(-1), await last()];
    const comparable = (drop: Drop | undefined) =>
      rowsOf(drop, 'machines')
        .map(({ host, enabled, vcpus, memory_mb: memory, local_gb: disk }) => [
          host,
          enabled,
          vcpus,
          memory,
          disk,
        ])
        .toSorted(([a], [b]) => String(a).localeCompare(String(b)));
    expect(comparable(api)).toEqual(comparable(database));
    expect(comparable(api)).toHaveLength(3);
    expect(told(api).toSorted()).toEqual(told(database).toSorted());
    expect(api?.manifest.tables['machines']?.api).toMatchObject({
      unseen: ['removedMachines', 'machineTimes'],
    });
  });

  test('change within bounds, and vanish where their names were not kept', async () => {
    await run(1);
    await hosts.disable('cmp-1', START + DAY + HOUR);
    await hosts.resize('cmp-2', 128, START + DAY + HOUR);
    await hosts.remove('cmp-3', START + DAY + HOUR);
    await run(2);
    const drop = await last();
    expect(told(drop)).toEqual(['UPDATE cmp-2 bounded', 'DISABLE cmp-1 bounded']);
    expect(drop?.manifest.tables['machine_events']?.counts.skipped).toEqual({ vanished: 1 });
    expect(rowsOf(drop, 'machines')).toHaveLength(2);
  });

  test('are named in their DELETE with a stateKey', async () => {
    await both.overApi.createSecret('state', new Uint8Array(randomBytes(32)));
    Object.assign(both.overApi.env, { STAR_STATE_KEY: 'state' });
    await run(1);
    await hosts.remove('cmp-3', START + DAY + HOUR);
    await run(2);
    expect(told(await last())).toEqual(['DELETE cmp-3 bounded']);
  });

  test('are not taken for gone while their cell does not answer', async () => {
    await run(1);
    both.openstack.failingCells.add('cell1');
    both.now = START + 2 * DAY + 45 * MINUTE;
    await expect(both.overApi.run(both.now)).rejects.toThrow('a cell does not answer');
    Object.assign(both.overApi.env, { STAR_ALLOW_PARTIAL: 'true' });
    await both.overApi.run(both.now);
    expect(told(await last())).toEqual([]);
    both.openstack.failingCells.clear();
    await run(3);
    expect(told(await last())).toEqual([]);
  });
});
