import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { COMPRESSIONS, FORMAT_NAMES } from '../../../lib/config/choices.ts';
import { layoutOf } from '../../../lib/store/layout.ts';
import { DAY, MINUTE } from '../../../lib/core/time.ts';
import { type Window, isWindowLength } from '../../../lib/core/window.ts';

const LENGTHS = Array.from({ length: 1440 }, (_, n) => (n + 1) * MINUTE).filter(isWindowLength);
const window: fc.Arbitrary<Window> = fc
  .tuple(fc.constantFrom(...LENGTHS), fc.integer({ min: 10_000, max: 30_000 }), fc.nat(1439))
  .map(([length, day, at]) => {
    const start = day * DAY + (at % (DAY / length)) * length;
    return { start, end: start + length };
  });

const DATA = ['instances', 'instance_events', 'instances_2'].flatMap((table) =>
  FORMAT_NAMES.flatMap((format) =>
    (format === 'parquet' ? (['gzip'] as const) : COMPRESSIONS).map(
      (compression) => [table, format, compression] as const,
    ),
  ),
);

test('keys are those of the documented layout', () => {
  const layout = layoutOf({ prefix: 'traces/nova', cloud: 'uc' });
  const start = Date.UTC(2026, 10, 22) / 1000;
  const day = { start, end: start + DAY };
  expect([
    layout.data(day, 'instance_events', 'csv', 'gzip'),
    layout.data(day, 'machines', 'jsonl', 'zstd'),
    layout.data(day, 'machines', 'parquet', 'zstd'),
  ]).toEqual([
    'traces/nova/cloud=uc/instance_events/date=2026-11-22/instance_events-20261122T000000Z-20261123T000000Z.csv.gz',
    'traces/nova/cloud=uc/machines_jsonl/date=2026-11-22/machines-20261122T000000Z-20261123T000000Z.jsonl.zst',
    'traces/nova/cloud=uc/machines_parquet/date=2026-11-22/machines-20261122T000000Z-20261123T000000Z.parquet',
  ]);
  expect(layout.manifest(day)).toBe(
    'traces/nova/cloud=uc/manifests/date=2026-11-22/20261122T000000Z-20261123T000000Z.json',
  );
  expect(layout.checkpoint).toBe('traces/nova/cloud=uc/state/checkpoint.json');
  expect(layoutOf({ prefix: '', cloud: 'uc' }).checkpoint).toBe('cloud=uc/state/checkpoint.json');
});

test('keys of two windows, clouds, tables or formats are never the same, and sort by time', () => {
  fc.assert(
    fc.property(window, window, fc.constantFrom('', 'p', 'p/q'), (a, b, prefix) => {
      const layout = layoutOf({ prefix, cloud: 'uc' });
      const other = layoutOf({ prefix, cloud: 'uc2' });
      const isSame = a.start === b.start && a.end === b.end;
      expect(layout.manifest(a) === layout.manifest(b)).toBe(isSame);
      expect(layout.manifest(a)).not.toBe(other.manifest(a));
      for (const [table, format, compression] of DATA)
        expect(
          layout.data(a, table, format, compression) === layout.data(b, table, format, compression),
        ).toBe(isSame);
      expect(
        new Set(DATA.map(([table, format, compression]) => layout.data(a, table, format, compression))).size,
      ).toBe(DATA.length);
      const order = Math.sign(a.start - b.start);
      const keys = [layout.manifest(a), layout.manifest(b)];
      expect(order === 0 ? keys : keys.toSorted()).toEqual(order > 0 ? keys.toReversed() : keys);
    }),
  );
});

test('keys need no escaping anywhere, and none is within another', () => {
  fc.assert(
    fc.property(window, (at) => {
      const layout = layoutOf({ prefix: 'a.b_c-d', cloud: 'x.y_z-1' });
      const keys = [
        layout.manifest(at),
        layout.checkpoint,
        ...DATA.map(([table, format, compression]) => layout.data(at, table, format, compression)),
      ];
      for (const key of keys) {
        expect(key).toMatch(/^[\w.=/-]+$/);
        expect(keys.filter((other) => other !== key && other.startsWith(`${key}/`))).toEqual([]);
      }
    }),
  );
});
