import { describe, expect, test } from 'vitest';
import { dataPackageOf } from '../../../lib/drop/data-package.ts';
import type { ManifestFile } from '../../../lib/drop/manifest.ts';
import { COLUMNS, csvColumns } from '../../../lib/format/columns.ts';

const file = (format: string, columns: readonly string[]): ManifestFile => ({
  key: `cloud=Uc/instance_events/date=2026-11-22/x.${format}`,
  format,
  formatVersion: '0.2',
  bytes: 10,
  sha256: 'ab'.repeat(32),
  rows: 1,
  columns,
});
const drop = {
  cloud: 'Uc',
  window: { start: 1_795_305_600, end: 1_795_392_000 },
  created: '2026-11-24T00:45:00Z',
  licence: '',
};

describe('A drop as a data package', () => {
  test('describes every file and every column, masked ones as such', () => {
    const files = [
      file('csv', csvColumns('0.2')),
      file(
        'jsonl',
        COLUMNS.map(({ jsonl }) => jsonl),
      ),
      file(
        'parquet',
        COLUMNS.map(({ parquet }) => parquet),
      ),
    ];
    const { name, resources } = dataPackageOf({ ...drop, files });
    expect(name).toBe('instance-events-uc-20261122t000000z-20261123t000000z');
    expect(resources.map(({ path, bytes, hash }) => ({ path, bytes, hash }))).toEqual(
      files.map(({ key, sha256 }) => ({ path: key, bytes: 10, hash: `sha256:${sha256}` })),
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
    const { resources } = dataPackageOf({ ...drop, files: [file('csv', csvColumns('0.3'))] });
    expect(resources[0]?.schema.fields.at(-1)).toMatchObject({ name: 'PROPERTIES', type: 'object' });
  });

  test('has a placeholder in the place of a licence, until one is chosen', () => {
    expect(dataPackageOf({ ...drop, files: [] }).licenses[0]?.name).toBe('to-be-chosen');
    expect(dataPackageOf({ ...drop, licence: 'CC-BY-4.0', files: [] }).licenses).toEqual([
      { name: 'CC-BY-4.0' },
    ]);
  });
});
