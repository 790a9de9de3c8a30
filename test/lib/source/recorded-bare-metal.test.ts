import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type Seconds, iso } from '../../../lib/core/time.ts';
import { compareLeases } from '../../../lib/source/leases/compare.ts';
import { type LeasesState, restoreLeases, storeLeases } from '../../../lib/source/leases/state.ts';
import { compareMachines } from '../../../lib/source/machines/compare.ts';
import { type MachinesState, restoreMachines, storeMachines } from '../../../lib/source/machines/state.ts';
import { type Seal, sealWith } from '../../../lib/source/seal.ts';
import type { SourceState } from '../../../lib/source/source.ts';
import type { Told } from '../../../lib/tables/told.ts';
import { type TrueEvent, recordedBareMetal } from '../../support/nova/recorded-bare-metal.ts';

/** Rows are read a second after they changed, and a deleted node is missed by Nova within a minute. */
const LATE: Seconds = 3;
const NOTICED: Seconds = 75;

interface Row extends Told {
  readonly of: string;
  readonly event: string;
}

interface Replayed {
  readonly rows: readonly Row[];
  readonly truth: readonly TrueEvent[];
  readonly vanished: number;
}

const through = <S>(state: SourceState, restore: (state: SourceState) => S): S =>
  restore(JSON.parse(JSON.stringify(state)) as SourceState);

/** Reads every so often, as the schedule would with windows of that length. */
async function replay(
  what: 'nodes' | 'leases',
  step: Seconds,
  phase: Seconds = 0,
  seal: Seal | undefined = sealWith(randomBytes(32)),
): Promise<Replayed> {
  const recorded = await recordedBareMetal();
  const start = recorded.start + phase;
  const rows: Row[] = [];
  let [machines, leases]: [MachinesState | undefined, LeasesState | undefined] = [undefined, undefined];
  let vanished = 0;
  for (let end = start; end < recorded.end + step; end += step) {
    const window = { start: end - step, end };
    const request = { window, begin: start - step, opens: true, bounds: true, seal };
    if (what === 'nodes') {
      const compared = compareMachines({ ...request, before: machines, read: recorded.machinesAt(end) });
      machines = through(storeMachines(compared.next), restoreMachines);
      vanished += compared.vanished;
      rows.push(...compared.events.map((row) => ({ ...row, of: row.host })));
    } else {
      const compared = compareLeases({ ...request, before: leases, read: recorded.leasesAt(end) });
      leases = through(storeLeases(compared.next), restoreLeases);
      vanished += compared.vanished;
      rows.push(...compared.events.map((row) => ({ ...row, of: row.id })));
    }
  }
  return { rows, truth: recorded[what], vanished };
}

function isTrueOf(row: Row, { of, event, time }: TrueEvent): boolean {
  if (row.of !== of || row.event !== event) return false;
  // Nova notices a deletion, and Blazar deletes some seconds after it was asked to.
  const late = event === 'DELETE' || event === 'CREATE' ? NOTICED : LATE;
  if (row.notBefore === null) return row.time >= time - LATE && row.time <= time + late;
  return time >= row.notBefore - LATE && time <= row.time + LATE;
}

/** Rows that tell of nothing that happened, and the true events that none tells. */
function judge({ rows, truth }: Replayed): { wrong: string[]; unseen: TrueEvent[] } {
  const left = [...truth];
  const wrong: string[] = [];
  for (const row of rows.toSorted((a, b) => a.time - b.time)) {
    // The ENABLE that goes with the CREATE of a node is no event of its own.
    if (row.basis === 'assumed' && row.event === 'ENABLE') continue;
    const at = left.findIndex((one) => isTrueOf(row, one));
    if (at >= 0) left.splice(at, 1);
    else wrong.push(`${iso(row.time)} ${row.of} ${row.event} ${row.basis}`);
  }
  return { wrong, unseen: left };
}

/** By node or lease, what one of its two states differs in from the other. */
type States = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

async function statesAt(what: 'nodes' | 'leases', times: readonly Seconds[]): Promise<States[]> {
  const recorded = await recordedBareMetal();
  return times.map((time) =>
    what === 'nodes'
      ? new Map(
          recorded
            .machinesAt(time)
            .machines.filter(({ deleted }) => deleted === null)
            .map(({ host, created, capacity, enabled }) => [
              host,
              {
                CREATE: created,
                UPDATE: JSON.stringify(capacity),
                [enabled === true ? 'ENABLE' : 'DISABLE']: 1,
              },
            ]),
        )
      : new Map(
          recorded
            .leasesAt(time)
            .leases.filter(({ phase }) => phase === 'settled')
            .map(({ id, start, end, started, ended, failed, degraded }) => [
              id,
              {
                UPDATE: `${start} ${end}`,
                START: started !== null,
                END: ended !== null,
                ERROR: failed !== null,
                DEGRADE: degraded,
              },
            ]),
        ),
  );
}

function netChanges(before: States, after: States): [of: string, event: string][] {
  const gone = [...before.keys()]
    .filter((of) => !after.has(of))
    .map((of): [string, string] => [of, 'DELETE']);
  const changed = [...after].flatMap(([of, now]): [string, string][] => {
    const was = before.get(of);
    if (was === undefined) return [[of, 'CREATE']];
    // A node that is enrolled again is another one.
    if (was['CREATE'] !== now['CREATE']) return ['DELETE', 'CREATE'].map((event) => [of, event]);
    return Object.keys(now)
      .filter((event) => was[event] !== now[event])
      .map((event) => [of, event]);
  });
  return [...changed, ...gone];
}

/** How far apart reads are, from which second on, and how many of the true events are told of nodes and of leases. */
const STEPS = [
  [60, 0, 11, 28],
  [60, 20, 11, 30],
  [60, 40, 11, 29],
  [300, 0, 8, 18],
  [900, 0, 7, 13],
  [900, 300, 8, 18],
] as const;

describe.each(['nodes', 'leases'] as const)(
  '%s of a real cloud, as recorded, told by comparing two reads',
  (what) => {
    test('are so many true events', async () => {
      const truth = (await recordedBareMetal())[what];
      const counts = Object.fromEntries(
        Object.entries(Object.groupBy(truth, ({ event }) => event)).map(([event, all]) => [
          event,
          all?.length,
        ]),
      );
      expect(counts).toEqual(
        what === 'nodes'
          ? { CREATE: 5, UPDATE: 2, DISABLE: 1, ENABLE: 1, DELETE: 2 }
          : { CREATE: 10, UPDATE: 5, START: 6, DEGRADE: 1, ERROR: 2, END: 3, DELETE: 4 },
      );
    });

    test('every 5 s: every event is told, and no row is wrong', async () => {
      const { wrong, unseen } = judge(await replay(what, 5));
      expect({ wrong, unseen }).toEqual({ wrong: [], unseen: [] });
    });

    test.each(STEPS)(
      'every %i s from second %i on: no row is wrong, and bounds hold',
      async (step, phase, nodes, leases) => {
        const replayed = await replay(what, step, phase);
        const { wrong, unseen } = judge(replayed);
        expect(wrong).toEqual([]);
        expect(replayed.vanished).toBe(0);
        expect(replayed.truth.length - unseen.length).toBe({ nodes, leases }[what]);
      },
    );

    test.each([0, 300, 600])(
      'every 15 minutes from second %i on: every net change is told',
      async (phase) => {
        const { rows } = await replay(what, 900, phase);
        const { start, end } = await recordedBareMetal();
        const times: Seconds[] = [];
        for (let time = start + phase; time < end + 900; time += 900) times.push(time);
        const states = await statesAt(what, times);
        const missing = states.slice(1).flatMap((after, nth) => {
          const [from, until] = [times[nth] ?? 0, times[nth + 1] ?? 0];
          const told = rows.filter(({ time }) => time > from - NOTICED && time <= until);
          return netChanges(states[nth] ?? new Map(), after).filter(
            ([of, event]) => !told.some((row) => row.of === of && row.event === event),
          );
        });
        expect(missing).toEqual([]);
      },
    );
  },
);
