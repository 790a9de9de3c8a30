import { describe, expect, test } from 'vitest';
import { csv } from '../../../../lib/format/csv.ts';
import { compareMachines } from '../../../../lib/source/machines/compare.ts';
import type { FoundMachine } from '../../../../lib/source/machines/found.ts';
import { type MachinesState, restoreMachines, storeMachines } from '../../../../lib/source/machines/state.ts';
import { MACHINE_EVENTS, type MachineEvent } from '../../../../lib/tables/machine-events/row.ts';
import { machineEvents } from '../../../../lib/tables/machine-events/table.ts';
import { createMask } from '../../../../lib/transform/mask.ts';
import { openTransform } from '../../../../lib/transform/transform.ts';
import { type Random, seeded } from '../../../support/nova/prng.ts';

const SEED = Number(process.env['TEST_SEED'] ?? Date.now() % 1e6);
const DAY = 86_400;
const SETTLE = 1800;

/** A cloud whose hosts change at random, as its source would show them; times may be recorded or not. */
interface Cloud {
  readonly machines: FoundMachine[];
  /** Lets something happen to it at a time. */
  change(at: number): void;
}

function cloudOf(random: Random, start: number): Cloud {
  const machines: FoundMachine[] = [];
  let last = 0;
  const add = (at: number, host = `cmp-${++last}`): void => {
    const id = machines.length + 1;
    const none = { capacityAt: null, alike: 'same', disabledAt: null, switchedAt: null };
    const capacity = { vcpus: 64, memoryMb: 1024, diskGb: 100 };
    machines.push({
      ...none,
      key: `cell1/${id}`,
      slot: `cell1/${id}`,
      host,
      node: host,
      created: at,
      deleted: null,
      capacity,
      changedBy: at,
      enabled: true,
      up: true,
    });
  };
  for (let nth = 0; nth < 5; nth++) add(start - DAY);
  return {
    machines,
    change(at) {
      const alive = machines.filter(({ deleted }) => deleted === null);
      const one = alive.length === 0 ? undefined : random.pick(alive);
      const what = random.pick(['add', 'remove', 'resize', 'switch', 'switch']);
      const index = one === undefined ? -1 : machines.indexOf(one);
      if (one === undefined || what === 'add') add(at);
      else if (what === 'remove') {
        machines[index] = { ...one, deleted: at, enabled: null, switchedAt: null, disabledAt: null };
        if (random.chance(0.5)) add(at + 40, one.host);
      } else if (what === 'resize') {
        const capacity = { ...one.capacity, vcpus: random.whole(1, 128) };
        machines[index] = {
          ...one,
          capacity,
          capacityAt: random.chance(0.5) ? at : one.capacityAt,
          changedBy: at,
        };
      } else {
        const enabled = !(one.enabled ?? true);
        const disabledAt = !enabled && random.chance(0.5) ? at : null;
        machines[index] = { ...one, enabled, disabledAt, switchedAt: random.chance(0.2) ? at : null };
      }
    },
  };
}

interface Folded {
  readonly enabled: boolean;
  readonly vcpus: number | null;
}

/** Upstream's rules of cleaning; gives what is there in the end. */
function fold(state: Map<string, Folded>, events: readonly MachineEvent[]): string[] {
  const against: string[] = [];
  const order = (event: MachineEvent): number => event.time + MACHINE_EVENTS.indexOf(event.event) / 10;
  for (const event of events.toSorted((a, b) => order(a) - order(b))) {
    const { host, event: name, capacity } = event;
    const before = state.get(host);
    const isFit = {
      CREATE: before === undefined,
      ENABLE: before !== undefined && !before.enabled,
      UPDATE: before !== undefined && before.vcpus !== capacity.vcpus,
      DISABLE: before?.enabled === true,
      DELETE: before !== undefined,
    }[name];
    if (!isFit) against.push(`${name} ${host} at ${event.time}, ${event.basis}`);
    if (name === 'DELETE') state.delete(host);
    else {
      const enabled = name === 'ENABLE' || (name !== 'DISABLE' && before?.enabled === true);
      state.set(host, { enabled, vcpus: capacity.vcpus });
    }
  }
  return against;
}

describe(`Comparing two reads (seed ${SEED})`, () => {
  test('keeps upstream’s rules: a CREATE first, pairs, and no UPDATE without a change; and leads to the machines', () => {
    for (let run = 0; run < 150; run++) {
      const random = seeded(SEED + run);
      const start = 1_750_000_000 - (1_750_000_000 % DAY);
      const cloud = cloudOf(random, start);
      let before: MachinesState | undefined;
      const state = new Map<string, Folded>();
      let now = start + SETTLE;
      for (let day = 0; day < 12; day++) {
        const window = { start: start + day * DAY, end: start + (day + 1) * DAY };
        const readAt = window.end + SETTLE;
        // Hours apart: what happens to one host twice within a day and is not recorded cannot be told apart.
        for (now += random.whole(3600, DAY); now < readAt; now += random.whole(3600, DAY)) cloud.change(now);
        now = readAt;
        const read = { at: readAt, machines: [...cloud.machines], partial: false, parts: [] };
        const compared = compareMachines({
          before,
          read,
          window,
          begin: start,
          opens: true,
          bounds: true,
          seal: undefined,
        });
        before = restoreMachines(storeMachines(compared.next));
        expect(fold(state, compared.events)).toEqual([]);
        const there = compared.machines.filter(({ deleted }) => deleted === null);
        expect(
          new Map(there.map(({ host, enabled, capacity }) => [host, { enabled, vcpus: capacity.vcpus }])),
        ).toEqual(state);
      }
    }
  });

  test('in past windows that share one read, leads from the events of all to the machines of each', () => {
    for (let run = 0; run < 150; run++) {
      const random = seeded(SEED + run);
      const start = 1_750_000_000 - (1_750_000_000 % DAY);
      const cloud = cloudOf(random, start);
      const end = start + 12 * DAY;
      // Some of it has happened before the first window, and some since the last.
      for (let now = start - 2 * DAY; now < end + DAY; now += random.whole(3600, DAY)) cloud.change(now);
      const read = { at: end + 2 * DAY, machines: [...cloud.machines], partial: false, parts: [] };
      const compareUpTo = (until: number) =>
        compareMachines({
          before: undefined,
          read,
          window: { start, end: until },
          begin: start,
          opens: true,
          bounds: false,
          seal: undefined,
        });
      const { events } = compareUpTo(end);
      const state = new Map<string, Folded>();
      for (let day = 1; day <= 12; day++) {
        const isOfDay = ({ belongs }: MachineEvent): boolean =>
          belongs >= start + (day - 1) * DAY && belongs < start + day * DAY;
        expect(fold(state, events.filter(isOfDay))).toEqual([]);
        const there = compareUpTo(start + day * DAY).machines.filter(({ deleted }) => deleted === null);
        expect(
          new Map(there.map(({ host, enabled, capacity }) => [host, { enabled, vcpus: capacity.vcpus }])),
        ).toEqual(state);
      }
    }
  });
});

test('PROPERTIES of CSV 0.3 is JSON also to a reader that replaces quotes and None', () => {
  const event: MachineEvent = {
    host: 'cmp-1',
    node: 'r07-u1',
    event: 'CREATE',
    time: 1_750_000_000,
    notBefore: null,
    basis: 'recorded',
    capacity: { vcpus: 64, memoryMb: null, diskGb: 8192 },
    belongs: 0,
  };
  const settings = {
    hostFrom: 'event',
    excludeUsers: new Set<string>(),
    excludeProjects: new Set<string>(),
    rackPattern: /^\w+/u,
  } as const;
  const transform = openTransform(machineEvents, settings, createMask('sha2-salted', Buffer.alloc(32, 7)));
  const encoder = csv('0.3').encoder({ name: 'machine_events', columns: transform.columns }, 0);
  const [head, line = ''] = [encoder.head, encoder.rows(transform.apply([event]))].join('').split('\n');
  expect(head).toBe('EVENT_TIME,EVENT_TIME_SEC,HOST_NAME (PHYSICAL),EVENT,PROPERTIES');
  const properties = line.slice(line.indexOf('"{') + 1, -1).replaceAll('""', '"');
  const read = JSON.parse(properties.replaceAll("'", '"').replaceAll('None', '"None"')) as object;
  expect(read).toEqual({
    rack: expect.stringMatching(/^[0-9a-f]{32}$/),
    vcpu_capability: 64,
    memory_capability_mb: null,
    disk_capability_gb: 8192,
  });
});
