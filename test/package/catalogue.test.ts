import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COLUMNS, type TraceVersion, csvColumns } from '../../lib/format/columns.ts';
import { FILES, type FormatName } from '../../lib/format/format.ts';
import { layoutOf } from '../../lib/store/layout.ts';
import { parseInstant } from '../../lib/time.ts';
import { type Packaged, packaged } from './packaged.ts';
import { type Stack, object, resolveTemplate, string } from './resolve.ts';

const GIVEN = { cloud: 'prod', bucket: 'my-traces', prefix: 'traces/nova', formatVersion: '0.3' };

let packages: Packaged[];
let defaults: Stack;
let given: Stack;

beforeAll(async () => {
  packages = await Promise.all([packaged(), packaged(GIVEN)]);
  [defaults, given] = packages.map(({ template }) => resolveTemplate(template)) as [Stack, Stack];
});
afterAll(async () => {
  for (const each of packages) await each[Symbol.asyncDispose]();
});

const TABLES: Record<FormatName, string> = {
  csv: 'CsvTable',
  jsonl: 'JsonLinesTable',
  parquet: 'ParquetTable',
};
const FORMATS = Object.keys(TABLES) as FormatName[];

const inputOf = (stack: Stack, format: FormatName) =>
  object(stack.resources.get(TABLES[format])?.properties['TableInput']);
const columnsOf = (stack: Stack, format: FormatName): [name: string, type: string][] => {
  const { Columns: columns } = object(inputOf(stack, format)['StorageDescriptor']);
  return (columns as { Name: string; Type: string }[]).map(({ Name, Type }) => [Name, Type]);
};

describe('The catalogue', () => {
  test('has the columns of the one schema, with types that hold what the files hold', () => {
    const typed = { string: 'string', timestamp: 'timestamp', integer: 'bigint' };
    const inJson = { string: 'string', timestamp: 'string', integer: 'bigint' };
    expect(columnsOf(defaults, 'parquet')).toEqual(
      COLUMNS.map(({ parquet, type }) => [parquet, typed[type]]),
    );
    expect(columnsOf(defaults, 'jsonl')).toEqual(
      COLUMNS.map(({ jsonl, type }) => [jsonl.toLowerCase(), inJson[type]]),
    );
    const csv = (version: TraceVersion): [string, string][] =>
      csvColumns(version).map((name) => [
        COLUMNS.find((column) => column.csv === name)?.parquet ?? name.toLowerCase(),
        'string',
      ]);
    expect(columnsOf(defaults, 'csv')).toEqual(csv('0.2'));
    expect(columnsOf(given, 'csv')).toEqual(csv('0.3'));
  });

  test('maps every column of JSON lines that has capitals to its field', () => {
    const serde = object(object(inputOf(defaults, 'jsonl')['StorageDescriptor'])['SerdeInfo']);
    const capital = COLUMNS.map(({ jsonl }) => jsonl).filter((name) => name !== name.toLowerCase());
    expect(serde['Parameters']).toEqual(
      Object.fromEntries(capital.map((name) => [`mapping.${name.toLowerCase()}`, name])),
    );
  });

  test.each(FORMATS)('finds the %s files of a day where the function puts them, and no others', (format) => {
    const time = parseInstant('2026-11-22T00:00:00Z') ?? 0;
    const key = layoutOf(GIVEN).data({ start: time, end: time + 3600 }, format);
    const template = string(object(inputOf(given, format)['Parameters'])['storage.location.template']);
    const folder = template.replace('${cloud}', 'prod').replace('${date}', '2026-11-22');
    expect(`s3://my-traces/${key}`.slice(0, folder.length)).toBe(folder);
    expect(`s3://my-traces/${key}`.slice(folder.length)).not.toContain('/');
    expect(inputOf(given, format)['Name']).toBe(FILES[format].folder);
  });

  test('projects partitions over the cloud and every date, so that none has to be added', () => {
    for (const format of FORMATS) {
      const { PartitionKeys: keys, Parameters: parameters } = inputOf(given, format);
      expect(keys).toEqual([
        { Name: 'cloud', Type: 'string' },
        { Name: 'date', Type: 'string' },
      ]);
      expect(parameters).toMatchObject({
        'projection.enabled': 'true',
        'projection.cloud.type': 'enum',
        'projection.cloud.values': 'prod',
        'projection.date.type': 'date',
        'projection.date.format': 'yyyy-MM-dd',
        'projection.date.range': '2015-01-01,NOW',
      });
    }
    expect(object(defaults.resources.get('CatalogueDatabase')?.properties['DatabaseInput'])['Name']).toBe(
      'star_compactor_dev',
    );
  });
});
