import { FORMAT_NAMES, type FormatName, type TraceVersion } from '../lib/config/choices.ts';
import { csv } from '../lib/format/csv.ts';
import { folderOf } from '../lib/format/folder.ts';
import { jsonLines } from '../lib/format/json-lines.ts';
import { TABLES } from '../lib/tables/registry.ts';
import type { AnyTable } from '../lib/tables/table.ts';

/*
 * What Athena, Glue and Spectrum know of the drops: a Glue table for each table and format, found by partition
 * projection. Nobody has to crawl or to add partitions. Columns follow from the tables' descriptions.
 */

export interface CatalogueParameters {
  /** Name of the database. */
  readonly database: string;
  readonly cloud: string;
  /** With a slash at its end, or empty. */
  readonly prefix: string;
  /** First date that Athena looks for. */
  readonly from: string;
  readonly formatVersion: string;
  /** The bucket's name, or an intrinsic function that gives it. */
  readonly bucket: unknown;
}

/** The part of the template that makes the catalogue. */
export function catalogue(parameters: CatalogueParameters): object {
  const tables = TABLES.flatMap((table) =>
    FORMAT_NAMES.map((format) => [logicalId(table, format), glueTable(table, format, parameters)]),
  );
  return {
    Resources: {
      CatalogueDatabase: {
        Type: 'AWS::Glue::Database',
        Properties: {
          CatalogId: { Ref: 'AWS::AccountId' },
          DatabaseInput: {
            Name: parameters.database,
            Description: `Workload traces of ${parameters.cloud}, masked`,
          },
        },
      },
      ...Object.fromEntries(tables),
    },
    Outputs: {
      CatalogueDatabaseName: {
        Description: 'The database to choose in Athena',
        Value: { Ref: 'CatalogueDatabase' },
      },
    },
  };
}

/** `InstanceEventsCsv` */
function logicalId({ name }: AnyTable, format: FormatName): string {
  const words = [...name.split('_'), format];
  return words.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join('');
}

const TEXT_INPUT = {
  InputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
  OutputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
};
const PARQUET_INPUT = {
  InputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
  OutputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
};

const NOTES: Readonly<Record<FormatName, string>> = {
  csv: 'every value as text',
  jsonl: 'times as text',
  parquet: 'typed',
};

function glueTable(table: AnyTable, format: FormatName, parameters: CatalogueParameters): object {
  const { prefix, bucket, from } = parameters;
  const located = (path: string): object => ({
    'Fn::Sub': [`s3://\${Bucket}/${prefix}${path}`, { Bucket: bucket }],
  });
  const folder = folderOf(table.name, format);
  return {
    Type: 'AWS::Glue::Table',
    Properties: {
      CatalogId: { Ref: 'AWS::AccountId' },
      DatabaseName: { Ref: 'CatalogueDatabase' },
      TableInput: {
        Name: folder,
        Description: `${table.description}, ${NOTES[format]}`,
        TableType: 'EXTERNAL_TABLE',
        PartitionKeys: [
          { Name: 'cloud', Type: 'string' },
          { Name: 'date', Type: 'string' },
        ],
        Parameters: {
          EXTERNAL: 'TRUE',
          'projection.enabled': 'true',
          // A query names the trace: the cloud, or one of its releases.
          'projection.cloud.type': 'injected',
          'projection.date.type': 'date',
          'projection.date.format': 'yyyy-MM-dd',
          'projection.date.range': `${from},NOW`,
          'projection.date.interval': '1',
          'projection.date.interval.unit': 'DAYS',
          'storage.location.template': located(`cloud=\${!cloud}/${folder}/date=\${!date}/`),
          ...CLASSIFIED[format],
        },
        StorageDescriptor: {
          Location: located(''),
          ...(format === 'parquet' ? PARQUET_INPUT : TEXT_INPUT),
          SerdeInfo: serdeOf(table, format),
          Columns: columnsOf(table, format, parameters.formatVersion as TraceVersion),
        },
      },
    },
  };
}

const CLASSIFIED: Readonly<Record<FormatName, object>> = {
  csv: { classification: 'csv', 'skip.header.line.count': '1' },
  jsonl: { classification: 'json' },
  parquet: { classification: 'parquet' },
};

function serdeOf({ columns }: AnyTable, format: FormatName): object {
  switch (format) {
    case 'csv':
      return {
        SerializationLibrary: 'org.apache.hadoop.hive.serde2.OpenCSVSerde',
        // The files double their quotes and escape nothing: what never occurs must not be taken for an escape.
        Parameters: { separatorChar: ',', quoteChar: '"', escapeChar: '\u0001' },
      };
    case 'jsonl': {
      // Hive knows lower-case names only.
      const capital = jsonLines.columns(columns).filter((name) => name !== name.toLowerCase());
      return {
        SerializationLibrary: 'org.openx.data.jsonserde.JsonSerDe',
        Parameters: Object.fromEntries(capital.map((name) => [`mapping.${name.toLowerCase()}`, name])),
      };
    }
    case 'parquet':
      return { SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe' };
  }
}

const TYPES = { string: 'string', integer: 'bigint', timestamp: 'timestamp', boolean: 'boolean' } as const;

function columnsOf({ columns }: AnyTable, format: FormatName, version: TraceVersion): object[] {
  switch (format) {
    // Athena's reader of quoted CSV takes an empty field for no number, so everything is text.
    case 'csv':
      return csv(version)
        .columns(columns)
        .map((name) => columns.find((column) => column.csv === name)?.parquet ?? name.toLowerCase())
        .map((name) => ({ Name: name, Type: 'string' }));
    case 'jsonl':
      return columns.map(({ jsonl, type }) => ({
        Name: jsonl.toLowerCase(),
        Type: type === 'timestamp' ? 'string' : TYPES[type],
      }));
    case 'parquet':
      return columns.map(({ parquet, type }) => ({ Name: parquet, Type: TYPES[type] }));
  }
}
