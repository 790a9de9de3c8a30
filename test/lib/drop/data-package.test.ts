import { describe, expect, test } from 'vitest';
import { dataPackageOf } from '../../../lib/drop/data-package.ts';
import type { ManifestFile } from '../../../lib/drop/manifest-file.ts';
import { csv } from '../../../lib/format/csv.ts';
import { COLUMNS } from '../../../lib/tables/instance-events/columns.ts';
import { instanceEvents } from '../../../lib/tables/instance-events/table.ts';

const file = (format: string, columns: readonly string[]): ManifestFile => ({
  key: `top/cloud=Uc/instance_events/date=2026-11-22/x.${format}`,
  format,
  formatVersion: '0.2',
  compression: format === 'parquet' ? 'none' : format === 'csv' ? 'gzip' : 'zstd',
  bytes: 10,
  sha256: 'ab'.repeat(32),
  rows: 1,
  columns,
});
const drop = {
  cloud: 'Uc',
  root: 'top/cloud=Uc',
  window: { start: 1_795_305_600, end: 1_795_392_000 },
  created: '2026-11-24T00:45:00Z',
  licence: '',
  descriptions: [instanceEvents],
};
const dropOf = (files: readonly ManifestFile[]) => ({ ...drop, tables: { instance_events: { files } } });

describe('A drop as a data package', () => {
  test('describes every file and every column, masked ones as such', () => {
    const files = [
      file('csv', csv('0.2').columns(COLUMNS)),
      file(
        'jsonl',
        COLUMNS.map(({ jsonl }) => jsonl),
      ),
      file(
        'parquet',
        COLUMNS.map(({ parquet }) => parquet),
      ),
    ];
    const { name, resources } = dataPackageOf(dropOf(files));
    expect(name).toBe('uc-20261122t000000z-20261123t000000z');
    expect(resources.map((resource) => resource.name)).toEqual([
      'instance-events-csv',
      'instance-events-jsonl',
      'instance-events-parquet',
    ]);
    expect(resources.map(({ path, compression }) => [path, compression])).toEqual([
      ['instance_events/date=2026-11-22/x.csv', 'gz'],
      ['instance_events/date=2026-11-22/x.jsonl', 'zst'],
      ['instance_events/date=2026-11-22/x.parquet', undefined],
    ]);
    expect(resources.map(({ bytes, hash }) => ({ bytes, hash }))).toEqual(
      files.map(({ sha256 }) => ({ bytes: 10, hash: `sha256:${sha256}` })),
    );
    for (const [nth, { schema }] of resources.entries()) {
      expect(schema.fields.map((field) => field.name)).toEqual(files[nth]?.columns);
      expect(schema.fields.map(({ type }) => type)).toEqual(
        COLUMNS.map(({ type }) => (type === 'timestamp' ? 'datetime' : type)),
      );
      expect(schema.fields.filter(({ description }) => description.endsWith('; masked'))).toHaveLength(5);
    }
    // CSV as published has no zone, which the profile would want otherwise.
    expect(resources.map(({ schema }) => schema.fields[2]?.format)).toEqual([
      '%Y-%m-%dT%H:%M:%S',
      undefined,
      undefined,
    ]);
  });

  test('has the sizes of 0.3 as one object', () => {
    const { resources } = dataPackageOf(dropOf([file('csv', csv('0.3').columns(COLUMNS))]));
    expect(resources[0]?.schema.fields.at(-1)).toMatchObject({ name: 'PROPERTIES', type: 'object' });
  });

  test('of a table or column that is not described is a fault of the product', () => {
    const files = [file('csv', ['NO_SUCH_COLUMN'])];
    expect(() => dataPackageOf(dropOf(files))).toThrow(
      'table instance_events, column NO_SUCH_COLUMN: is not described',
    );
    expect(() => dataPackageOf({ ...drop, tables: { other: { files } } })).toThrow(
      'table other: is not described',
    );
  });

  test('has a licence where one was chosen, and nothing in its place otherwise', () => {
    expect(Object.keys(dataPackageOf(dropOf([])))).not.toContain('licenses');
    expect(dataPackageOf({ ...dropOf([]), licence: 'CC-BY-4.0' }).licenses).toEqual([{ name: 'CC-BY-4.0' }]);
  });
});
