import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FORMAT_NAMES, type FormatName, type TraceVersion } from '../../lib/config/choices.ts';
import { csv as csvOf } from '../../lib/format/csv.ts';
import { folderOf } from '../../lib/format/folder.ts';
import { layoutOf } from '../../lib/store/layout.ts';
import { TABLES } from '../../lib/tables/registry.ts';
import type { AnyTable } from '../../lib/tables/table.ts';
import { parseInstant } from '../../lib/core/time.ts';
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

/** Every table there is, in every format. */
const GLUE_TABLES = TABLES.flatMap((table) => FORMAT_NAMES.map((format) => [table, format] as const));

function inputOf(stack: Stack, table: AnyTable, format: FormatName) {
  const inputs = [...stack.resources.values()]
    .filter(({ type }) => type === 'AWS::Glue::Table')
    .map(({ properties }) => object(properties['TableInput']));
  const [input, ...others] = inputs.filter(({ Name }) => Name === folderOf(table.name, format));
  if (input === undefined || others.length > 0)
    throw new Error(`${table.name}, ${format}: not one Glue table, but ${input ? 'several' : 'none'}`);
  return input;
}
const columnsOf = (stack: Stack, table: AnyTable, format: FormatName): [name: string, type: string][] => {
  const { Columns: columns } = object(inputOf(stack, table, format)['StorageDescriptor']);
  return (columns as { Name: string; Type: string }[]).map(({ Name, Type }) => [Name, Type]);
};

describe('The catalogue', () => {
  test('has a Glue table for every table and format, and no other', () => {
    const types = [...defaults.resources.values()].map(({ type }) => type);
    expect(types.filter((type) => type === 'AWS::Glue::Table')).toHaveLength(GLUE_TABLES.length);
    expect([...defaults.resources.keys()]).toEqual(
      expect.arrayContaining(['InstanceEventsCsv', 'InstanceEventsJsonl', 'InstanceEventsParquet']),
    );
  });

  test.each(TABLES)('has the columns of $name, with types that hold what the files hold', (table) => {
    const { columns } = table;
    const typed = { string: 'string', timestamp: 'timestamp', integer: 'bigint', boolean: 'boolean' };
    const inJson = { string: 'string', timestamp: 'string', integer: 'bigint', boolean: 'boolean' };
    expect(columnsOf(defaults, table, 'parquet')).toEqual(
      columns.map(({ parquet, type }) => [parquet, typed[type]]),
    );
    expect(columnsOf(defaults, table, 'jsonl')).toEqual(
      columns.map(({ jsonl, type }) => [jsonl.toLowerCase(), inJson[type]]),
    );
    const csv = (version: TraceVersion): [string, string][] =>
      csvOf(version)
        .columns(columns)
        .map((name) => [
          columns.find((column) => column.csv === name)?.parquet ?? name.toLowerCase(),
          'string',
        ]);
    expect(columnsOf(defaults, table, 'csv')).toEqual(csv('0.2'));
    expect(columnsOf(given, table, 'csv')).toEqual(csv('0.3'));
  });

  test.each(TABLES)('maps every column of $name in JSON lines that has capitals to its field', (table) => {
    const serde = object(object(inputOf(defaults, table, 'jsonl')['StorageDescriptor'])['SerdeInfo']);
    const capital = table.columns.map(({ jsonl }) => jsonl).filter((name) => name !== name.toLowerCase());
    expect(serde['Parameters']).toEqual(
      Object.fromEntries(capital.map((name) => [`mapping.${name.toLowerCase()}`, name])),
    );
  });

  test.each(GLUE_TABLES.map(([table, format]) => ({ table, format, name: table.name })))(
    'finds the $format files of $name of a day where the functions put them, of releases too, and no others',
    ({ table, format }) => {
      const time = parseInstant('2026-11-22T00:00:00Z') ?? 0;
      const { Parameters: parameters } = inputOf(given, table, format);
      const template = string(object(parameters)['storage.location.template']);
      for (const cloud of ['prod', 'prod-2025']) {
        const layout = layoutOf({ ...GIVEN, cloud });
        const key = layout.data({ start: time, end: time + 3600 }, table.name, format, 'zstd');
        const folder = template.replace('${cloud}', cloud).replace('${date}', '2026-11-22');
        expect(`s3://my-traces/${key}`.slice(0, folder.length)).toBe(folder);
        expect(`s3://my-traces/${key}`.slice(folder.length)).not.toContain('/');
      }
    },
  );

  test('projects partitions over every date of the trace that a query names, so that none has to be added', () => {
    for (const [table, format] of GLUE_TABLES) {
      const { PartitionKeys: keys, Parameters: parameters } = inputOf(given, table, format);
      expect(keys).toEqual([
        { Name: 'cloud', Type: 'string' },
        { Name: 'date', Type: 'string' },
      ]);
      expect(parameters).toMatchObject({
        'projection.enabled': 'true',
        // A release is found by its name without a deployment.
        'projection.cloud.type': 'injected',
        'projection.date.type': 'date',
        'projection.date.format': 'yyyy-MM-dd',
        'projection.date.range': '2015-01-01,NOW',
      });
      expect(parameters).not.toHaveProperty(['projection.cloud.values']);
    }
    expect(object(defaults.resources.get('CatalogueDatabase')?.properties['DatabaseInput'])['Name']).toBe(
      'star_compactor_dev',
    );
  });
});
