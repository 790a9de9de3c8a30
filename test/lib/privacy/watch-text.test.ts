import { describe, expect, test } from 'vitest';
import { openLeakScan } from '../../../lib/privacy/leak-scan.ts';
import { watchText } from '../../../lib/privacy/watch-text.ts';
import { TABLES } from '../../../lib/tables/registry.ts';
import { instanceEvents } from '../../../lib/tables/instance-events/table.ts';
import type { AnyTable, Column } from '../../../lib/tables/table.ts';
import { unmasked } from '../../support/masked.ts';
import { traceEvent } from '../../support/records.ts';

const table = instanceEvents as AnyTable;

describe('The unmasked text of a table', () => {
  test('is looked at by value: a raw identifier in it is found, with its column and row', () => {
    const scan = openLeakScan();
    scan.identifier('payroll-7');
    watchText(scan, table)(unmasked([traceEvent({ event: 'compute_rename to payroll-7' })]));
    expect(scan.figures().found).toBe(1);
    expect(scan.places()).toEqual(['EVENT of instance_events, START_TIME 2026-11-22T08:15:00Z']);
  });

  test('makes names of events, states and results, and words that a table writes itself, ambiguous', () => {
    for (const word of [
      'compute__do_build_and_run_instance',
      'active',
      'shelved_offloaded',
      'Success',
      'ENABLE',
    ]) {
      const scan = openLeakScan();
      scan.identifier(word);
      watchText(scan, table)(unmasked([traceEvent({ event: word, result: word })]));
      expect(scan.figures()).toMatchObject({ found: 0, ambiguous: 1 });
    }
  });

  test.each(
    TABLES.flatMap((one) => one.columns.filter(isText).map((column) => [one.name, column.csv, one] as const)),
  )('of %s is looked at in column %s', (_, csv, one) => {
    const columns = one.columns.map((column) => ({
      ...column,
      part: { of: () => ({}), kind: 'object' as const },
      value: () => (column.csv === csv ? 'to payroll-7' : null),
    }));
    const scan = openLeakScan();
    scan.identifier('payroll-7');
    watchText(scan, { ...one, columns })([{}]);
    expect(scan.figures().found).toBe(1);
  });
});

function isText({ type, masked }: Column<unknown>): boolean {
  return type === 'string' && !masked;
}
