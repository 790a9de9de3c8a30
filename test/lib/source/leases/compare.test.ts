import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { compareLeases } from '../../../../lib/source/leases/compare.ts';
import type { FoundLease } from '../../../../lib/source/leases/found.ts';
import { type LeasesState, restoreLeases, storeLeases } from '../../../../lib/source/leases/state.ts';
import { sealWith } from '../../../../lib/source/seal.ts';
import type { LeaseEvent } from '../../../../lib/tables/lease-events/row.ts';
import { type Random, seeded } from '../../../support/nova/prng.ts';

const SEED = Number(process.env['TEST_SEED'] ?? Date.now() % 1e6);
const HOUR = 3600;
const DAY = 86_400;
const SETTLE = 1800;

/** Leases that change at random, as a Blazar would show them that deletes rows, or keeps them. */
class Leases {
  readonly found = new Map<string, FoundLease>();
  /** `CREATE lease-1 1750000000`: what has a recorded time. */
  readonly truth: string[] = [];
  private last = 0;
  private readonly keeps: boolean;

  constructor(keeps: boolean) {
    this.keeps = keeps;
  }

  change(random: Random, at: number): void {
    const alive = [...this.found.values()].filter(({ deleted }) => deleted === null);
    const one = alive.length === 0 ? undefined : random.pick(alive);
    const what = random.pick(['create', 'go on', 'go on', 'plan', 'hosts', 'delete']);
    if (one === undefined || what === 'create') this.create(at);
    else if (what === 'go on') this.goOn(one, at);
    else if (one.ended === null && what === 'plan') this.set(one, at, { end: one.end + HOUR, endSet: at });
    else if (one.ended === null && what === 'hosts')
      this.set(one, at, { hostsSet: at, reservations: reservationsOf(one.id, `cmp-${random.whole(1, 99)}`) });
    else if (what === 'delete') this.delete(one, at);
  }

  private create(at: number): void {
    const id = `lease-${++this.last}`;
    this.truth.push(`CREATE ${id} ${at}`);
    this.found.set(id, {
      id,
      userId: 'u',
      projectId: 'p',
      created: at,
      updated: at,
      deleted: null,
      start: at,
      end: at + DAY,
      phase: 'settled',
      started: null,
      ended: null,
      failed: null,
      startSet: null,
      endSet: null,
      hostsSet: at,
      degraded: false,
      degradedBy: null,
      reservations: reservationsOf(id, 'cmp-1'),
    });
  }

  private goOn(one: FoundLease, at: number): void {
    if (one.started === null) {
      this.truth.push(`START ${one.id} ${at}`);
      this.set(one, at, { started: { time: at, assumed: false } });
    } else if (one.ended === null) {
      this.truth.push(`END ${one.id} ${at}`);
      this.set(one, at, {
        ended: { time: at, assumed: false },
        endSet: null,
        reservations: reservationsOf(one.id),
      });
    }
  }

  private delete(one: FoundLease, at: number): void {
    if (this.keeps) {
      this.truth.push(`DELETE ${one.id} ${at}`);
      this.set(one, at, { deleted: at });
    } else this.found.delete(one.id);
  }

  private set(one: FoundLease, at: number, change: Partial<FoundLease>): void {
    this.found.set(one.id, { ...one, updated: at, ...change });
  }
}

function reservationsOf(id: string, ...hosts: string[]): FoundLease['reservations'] {
  const named = hosts.map((host) => ({ host, node: null }));
  return [{ id: `of ${id}`, type: 'physical:host', min: 1, max: 1, properties: null, hosts: named }];
}

/** The state of each lease that is not deleted, after its rows in order. */
function fold(state: Map<string, string>, rows: readonly LeaseEvent[]): string[] {
  const against: string[] = [];
  for (const row of rows.toSorted((a, b) => a.time - b.time)) {
    const was = state.get(row.id);
    const isFit = {
      CREATE: was === undefined,
      START: was === 'PENDING',
      END: was === 'ACTIVE',
      DELETE: was !== undefined,
      UPDATE: was === 'PENDING' || was === 'ACTIVE',
      DEGRADE: false,
      ERROR: false,
    }[row.event];
    if (!isFit) against.push(`${row.event} ${row.id} ${row.time} ${row.basis}, of one that is ${was}`);
    if (row.event === 'DELETE') state.delete(row.id);
    else state.set(row.id, row.status);
  }
  return against;
}

describe(`Comparing two reads of leases (seed ${SEED})`, () => {
  test.each([
    ['keeps deleted rows', true],
    ['deletes rows', false],
  ])('of a Blazar that %s tells each event once, in its window, and leads to the leases', (_, keeps) => {
    const seal = sealWith(randomBytes(32));
    for (let run = 0; run < 60; run++) {
      const random = seeded(SEED + run);
      const begin = 1_750_000_000 - (1_750_000_000 % DAY);
      const leases = new Leases(keeps);
      let now = begin - 2 * DAY;
      for (; now < begin; now += random.whole(HOUR, DAY)) leases.change(random, now);
      const state = new Map<string, string>();
      const told: string[] = [];
      let before: LeasesState | undefined;
      let end = begin;
      /** Of leases that were never read nothing can be told. */
      const read = new Set<string>();
      for (let day = 0; day < 10; day++) {
        const window = { start: begin + day * DAY, end: begin + (day + 1) * DAY };
        const at = window.end + SETTLE;
        for (; now < at; now += random.whole(600, DAY / 3)) leases.change(random, now);
        const shown = [...leases.found.values()];
        for (const { id } of shown) read.add(id);
        const compared = compareLeases({
          before,
          read: { at, leases: shown },
          window,
          begin,
          opens: true,
          bounds: true,
          seal,
        });
        before = restoreLeases(JSON.parse(JSON.stringify(storeLeases(compared.next))) as never);
        expect(compared.vanished).toBe(0);
        expect(fold(state, compared.events)).toEqual([]);
        const recorded = compared.events.filter(
          ({ basis, event }) => basis === 'recorded' && event !== 'UPDATE',
        );
        told.push(...recorded.map(({ event, id, time }) => `${event} ${id} ${time}`));
        expect(recorded.filter(({ time }) => time < window.start || time >= window.end)).toEqual([]);
        const there = compared.leases.filter(({ deleted }) => deleted === null);
        for (const { id, status } of there) expect([id, state.get(id)]).toEqual([id, status]);
        end = window.end;
      }
      const times = (line: string): number => Number(line.split(' ').at(-1));
      const ofLease = (line: string): string => line.split(' ')[1] ?? '';
      // What had ended when the trace began is no part of it.
      const past = leases.truth.filter((line) => line.startsWith('END') && times(line) < begin).map(ofLease);
      const due = leases.truth.filter(
        (line) =>
          times(line) >= begin &&
          times(line) < end &&
          read.has(ofLease(line)) &&
          !past.includes(ofLease(line)),
      );
      expect(new Set(told).size).toBe(told.length);
      // What a lease did between the last read and its deletion is gone with its rows.
      const missing = due.filter((line) => !told.includes(line));
      expect(missing.filter((line) => keeps || leases.found.has(ofLease(line)))).toEqual([]);
      expect(told.filter((line) => !leases.truth.includes(line))).toEqual([]);
    }
  });
});
