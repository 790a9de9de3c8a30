import { COLUMNS, PROPERTIES } from '../format/columns.ts';
import type { FormatName } from '../format/format.ts';
import { type Window, windowKey } from '../window.ts';
import type { ManifestFile } from './manifest.ts';

/** A descriptor by Data Package 2.0 (datapackage.org). Paths are keys: it belongs at the top of the bucket. */
export interface DataPackage {
  readonly $schema: 'https://datapackage.org/profiles/2.0/datapackage.json';
  readonly name: string;
  readonly created: string;
  readonly licenses: readonly { readonly name: string; readonly title?: string }[];
  readonly resources: readonly Resource[];
}

interface Resource {
  readonly name: string;
  readonly path: string;
  readonly format: string;
  readonly mediatype: string;
  readonly encoding?: 'utf-8';
  readonly bytes: number;
  readonly hash: string;
  readonly schema: { readonly fields: readonly Field[]; readonly missingValues?: readonly string[] };
}

interface Field {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'datetime' | 'object';
  readonly format?: string;
  readonly description: string;
}

const PLACEHOLDER = { name: 'to-be-chosen', title: 'No licence was chosen for this trace' };

/** Describes the files of a drop: what they are, and every column with its type. */
export function dataPackageOf(drop: {
  cloud: string;
  window: Window;
  created: string;
  /** As SPDX names it; empty where none was chosen. */
  licence: string;
  files: readonly ManifestFile[];
}): DataPackage {
  const { created, licence, files } = drop;
  return {
    $schema: 'https://datapackage.org/profiles/2.0/datapackage.json',
    // Lower case is the profile's rule.
    name: `instance-events-${drop.cloud}-${windowKey(drop.window)}`.toLowerCase(),
    created,
    licenses: [licence === '' ? PLACEHOLDER : { name: licence }],
    resources: files.map(({ key, format, columns, bytes, sha256 }) => ({
      name: `instance-events-${format}`,
      path: key,
      ...KINDS[format as FormatName],
      bytes,
      hash: `sha256:${sha256}`,
      schema: {
        fields: columns.map((name) => fieldOf(format as FormatName, name)),
        ...(format === 'csv' ? { missingValues: [''] } : {}),
      },
    })),
  };
}

const KINDS: Readonly<Record<FormatName, Pick<Resource, 'format' | 'mediatype' | 'encoding'>>> = {
  csv: { format: 'csv', mediatype: 'text/csv', encoding: 'utf-8' },
  jsonl: { format: 'jsonl', mediatype: 'application/jsonl', encoding: 'utf-8' },
  parquet: { format: 'parquet', mediatype: 'application/vnd.apache.parquet' },
};

const TYPES = { string: 'string', integer: 'integer', timestamp: 'datetime' } as const;

function fieldOf(format: FormatName, name: string): Field {
  if (name === PROPERTIES) {
    return {
      name,
      type: 'object',
      description: 'Sizes of the server’s flavour: memory_mb, root_gb, vcpus',
    };
  }
  const column = COLUMNS.find((each) => each[format] === name);
  if (column === undefined) throw new Error(`column ${name}: not in the schema`);
  const { type, masked, description } = column;
  return {
    name,
    type: TYPES[type],
    // The profile's default wants a zone, which CSV as published has not.
    ...(type === 'timestamp' && format === 'csv' ? { format: '%Y-%m-%dT%H:%M:%S' } : {}),
    description: masked ? `${description}; masked` : description,
  };
}
