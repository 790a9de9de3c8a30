import { describe, expect, test } from 'vitest';
import { type Seconds, iso } from '../../../../lib/core/time.ts';
import { compareMachines } from '../../../../lib/source/machines/compare.ts';
import type { FoundMachine, MachinesRead } from '../../../../lib/source/machines/found.ts';
import { type MachinesState, restoreMachines, storeMachines } from '../../../../lib/source/machines/state.ts';
import type { MachineEvent } from '../../../../lib/tables/machine-events/row.ts';
import { type TrueEvent, recordedMachines } from '../../../support/nova/recorded-machines.ts';

/** What Placement records is a moment late, and of the reader's clock whole seconds are known. */
const LATE: Seconds = 3;

interface Replayed {
  /** Without what existed at first. */
  readonly events: readonly MachineEvent[];
  readonly truth: readonly TrueEvent[];
}

/** Reads the recorded hosts every so often, as the schedule would with windows of that length. */
async function replay(step: Seconds, phase: Seconds, settle: Seconds): Promise<Replayed> {
  const recorded = await recordedMachines();
  const start = recorded.start + phase;
  const events: MachineEvent[] = [];
  let before: MachinesState | undefined;
  for (let end = start; end < recorded.end + step; end += step) {
    // The first window is a short one: what was made before it is there from the beginning.
    const window = { start: end - (before === undefined ? 60 : step), end };
    const read = recorded.readAt(end + settle);
    const compared = compareMachines({
      before,
      read,
      window,
      begin: start - 60,
      opens: true,
      bounds: true,
      seal: undefined,
    });
    // Through the checkpoint, as between two runs.
    before = restoreMachines(JSON.parse(JSON.stringify(storeMachines(compared.next))) as object as never);
    events.push(...compared.events.filter(({ basis }) => basis !== 'opening'));
    expect(compared.vanished).toBe(0);
  }
  return { events, truth: recorded.truth };
}

const isTrueOf = (row: MachineEvent, { host, event, time }: TrueEvent): boolean =>
  row.host === host &&
  row.event === event &&
  (row.notBefore === null
    ? Math.abs(time - row.time) <= LATE
    : time >= row.notBefore - LATE && time <= row.time + LATE);

/** Rows that tell of nothing that happened, and how many true events are told, each by a row of its own. */
function judge({ events, truth }: Replayed): {
  wrong: string[];
  seen: number;
  byBasis: Record<string, number>;
} {
  const left = [...truth];
  const wrong: string[] = [];
  const byBasis: Record<string, number> = {};
  for (const row of events.toSorted((a, b) => a.time - b.time)) {
    byBasis[row.basis] = (byBasis[row.basis] ?? 0) + 1;
    // What goes with a CREATE is no event of its own.
    if (row.basis === 'assumed') continue;
    const at = left.findIndex((one) => isTrueOf(row, one));
    if (at < 0) wrong.push(`${iso(row.time)} ${row.host} ${row.event} ${row.basis}`);
    else left.splice(at, 1);
  }
  return { wrong, seen: truth.length - left.length, byBasis };
}

const liveHosts = ({ machines }: MachinesRead): Map<string, FoundMachine> =>
  new Map(machines.filter(({ deleted }) => deleted === null).map((machine) => [machine.host, machine]));

/** By host, the events one of which has to tell of it. */
function netChanges(
  before: ReadonlyMap<string, FoundMachine>,
  after: ReadonlyMap<string, FoundMachine>,
): string[][] {
  return [...after].flatMap(([host, now]) => {
    const was = before.get(host);
    if (was === undefined) return [[host, 'CREATE']];
    const isResized = JSON.stringify(was.capacity) !== JSON.stringify(now.capacity);
    return [
      ...(was.enabled === now.enabled ? [] : [[host, now.enabled === true ? 'ENABLE' : 'DISABLE']]),
      ...(isResized ? [[host, 'UPDATE', 'CREATE']] : []),
    ];
  });
}

describe('Hosts of a real Nova, as recorded, told by comparing two reads', () => {
  test('are twelve true events', async () => {
    const { truth } = await recordedMachines();
    expect(truth).toHaveLength(12);
  });

  test.each([
    [5, 0, 0, 10],
    [30, 0, 0, 6],
    [60, 0, 0, 6],
    [60, 24, 0, 6],
    [60, 20, 0, 6],
    // What was recorded after the window and undone before the next read is in neither state.
    [60, 0, 20, 4],
    [300, 0, 0, 4],
    [600, 0, 0, 3],
  ])(
    'every %i s from second %i on, %i s after the end of the window: no row is wrong, and at least %i are told',
    async (step, phase, settle, least) => {
      const { wrong, seen } = judge(await replay(step, phase, settle));
      expect(wrong).toEqual([]);
      expect(seen).toBeGreaterThanOrEqual(least);
    },
  );

  test('every 15 minutes: every net change is told, with its bounds', async () => {
    const replayed = await replay(900, 0, 0);
    const { wrong, byBasis } = judge(replayed);
    expect(wrong).toEqual([]);
    // The capacity of hosts and whether they are enabled, before and after, by the events and by the reads.
    const recorded = await recordedMachines();
    let before = liveHosts(recorded.readAt(recorded.start));
    for (let at = recorded.start + 900; at < recorded.end + 900; at += 900) {
      const after = liveHosts(recorded.readAt(at));
      const told = replayed.events.filter(({ time }) => time > at - 900 - LATE && time <= at);
      const missing = netChanges(before, after).filter(
        ([host, ...names]) => !told.some((row) => row.host === host && names.includes(row.event)),
      );
      expect(missing).toEqual([]);
      before = after;
    }
    expect(byBasis).toMatchInlineSnapshot(`
      {
        "assumed": 1,
        "bounded": 1,
        "recorded": 2,
      }
    `);
  });
});
