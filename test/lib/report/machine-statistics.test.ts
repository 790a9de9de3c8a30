import { describe, expect, test } from 'vitest';
import { DAY, HOUR } from '../../../lib/core/time.ts';
import { collectMachines } from '../../../lib/report/machine-statistics.ts';
import type { MaskedMachineEvent } from '../../../lib/tables/machine-events/row.ts';
import type { MaskedMachine } from '../../../lib/tables/machines/row.ts';
import type { Masked } from '../../../lib/tables/table.ts';

const START = Date.UTC(2026, 10, 20) / 1000;
const capacity = { vcpus: 10, memoryMb: 1024, diskGb: 100 };
const host = (name: string, more: Partial<MaskedMachine> = {}): MaskedMachine => ({
  host: name as Masked,
  rack: null,
  created: START - DAY,
  deleted: null,
  capacity,
  enabled: true,
  up: true,
  ...more,
});
const change = (name: string, event: MaskedMachineEvent['event'], hours: number): MaskedMachineEvent => ({
  host: name as Masked,
  rack: null,
  event,
  time: START + hours * HOUR,
  notBefore: null,
  basis: 'recorded',
  capacity,
});

/** Enabled vCPUs at each hour's start. */
function hoursOf(machines: readonly MaskedMachine[], events: readonly MaskedMachineEvent[]): number[] {
  const collector = collectMachines({ start: START, end: START + DAY });
  // As tables of a drop come, and the other way round: the order does not count.
  for (const event of events) collector.addEvent(event);
  for (const machine of machines) collector.addMachine(machine);
  const { vcpus, instant } = collector.finish();
  return Array.from({ length: 24 }, (_, hour) => vcpus[(hour * HOUR) / instant] ?? -1);
}

const spans = (...spans_: [value: number, hours: number][]): number[] =>
  spans_.flatMap(([value, hours]) => Array.from({ length: hours }, () => value));

describe('the capacity that is enabled', () => {
  test('is that of hosts that nothing happened to, if they are enabled', () => {
    expect(hoursOf([host('a'), host('b', { enabled: false }), host('c', { enabled: null })], [])).toEqual(
      spans([10, 24]),
    );
  });

  test('ends and begins with what happened to a host, whatever it was before', () => {
    expect(hoursOf([host('a', { enabled: false })], [change('a', 'DISABLE', 6)])).toEqual(
      spans([10, 6], [0, 18]),
    );
    expect(hoursOf([host('a')], [change('a', 'ENABLE', 6)])).toEqual(spans([0, 6], [10, 18]));
    const both = [change('a', 'ENABLE', 12), change('a', 'DISABLE', 6)];
    expect(hoursOf([host('a')], both)).toEqual(spans([10, 6], [0, 6], [10, 12]));
  });

  test('begins where a host is created and ends where it is deleted', () => {
    const made = host('a', { created: START + 3 * HOUR });
    const events = [change('a', 'CREATE', 3), change('a', 'ENABLE', 3)];
    expect(hoursOf([made], events)).toEqual(spans([0, 3], [10, 21]));
    expect(hoursOf([host('a', { deleted: START + 5 * HOUR })], [change('a', 'DELETE', 5)])).toEqual(
      spans([10, 5], [0, 19]),
    );
  });

  test('is counted once for a host that was removed and came back under its name', () => {
    const rows = [host('a', { deleted: START + 5 * HOUR }), host('a', { created: START + 8 * HOUR })];
    const events = [change('a', 'DELETE', 5), change('a', 'CREATE', 8), change('a', 'ENABLE', 8)];
    expect(hoursOf(rows, events)).toEqual(spans([10, 5], [0, 3], [10, 16]));
  });

  test('is told by an opening as by the state', () => {
    const opening = [change('a', 'CREATE', -24), change('a', 'ENABLE', -24)];
    expect(hoursOf([host('a')], opening)).toEqual(spans([10, 24]));
  });
});
