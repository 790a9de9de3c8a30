import { posix } from 'node:path';
import type { FormatName } from '../config/choices.ts';
import { PROPERTIES, type Table } from '../tables/table.ts';
import { type Window, windowKey } from '../core/window.ts';
import type { ManifestFile } from './manifest-file.ts';

/** A descriptor by Data Package 2.0 (datapackage.org). */
export interface DataPackage {
  readonly $schema: 'https://datapackage.org/profiles/2.0/datapackage.json';
  readonly name: string;
  readonly created: string;
  /** Absent where no licence was chosen. */
  readonly licenses?: readonly { readonly name: string }[];
  readonly resources: readonly Resource[];
}

interface Resource {
  readonly name: string;
  readonly type: 'table';
  /** Relative to the descriptor, and below it. */
  readonly path: string;
  readonly format: string;
  readonly mediatype: string;
  readonly encoding?: 'utf-8';
  /** Of the file as a whole, as the recipe for compressed resources names it; absent where there is none. */
  readonly compression?: 'gz' | 'zst';
  readonly bytes: number;
  readonly hash: string;
  readonly schema: { readonly fields: readonly Field[]; readonly missingValues?: readonly string[] };
}

interface Field {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean' | 'datetime' | 'object';
  readonly format?: string;
  readonly description: string;
}

interface Described {
  readonly cloud: string;
  /** Key of the trace's folder, where the descriptor lies. */
  readonly root: string;
  readonly created: string;
  /** As SPDX names it; empty if none was chosen. */
  readonly licence: string;
  /** Of all tables in the package. */
  readonly descriptions: readonly TableDescription[];
}

export type TableDescription = Pick<Table<never, never>, 'name' | 'columns'>;

/** By name, the part of a table's manifest that a package describes. */
type Tables = Readonly<Record<string, { readonly files: readonly ManifestFile[] }>>;

/** Describes the files of a drop. */
export function dataPackageOf(
  drop: Described & { readonly window: Window; readonly tables: Tables },
): DataPackage {
  const resources = Object.entries(drop.tables).flatMap(([name, { files }]) => {
    const table = descriptionOf(drop, name);
    return files.map((file) => resourceOf(table, file, dashed(`${name}-${file.format}`), drop.root));
  });
  return packageOf(drop, `${drop.cloud}-${windowKey(drop.window)}`, resources);
}

/**
 * Describes all files of a release. A drop of all tables takes up to 40 kB, and a release has up to 100,000 drops; so the
 * text comes piece by piece.
 */
export async function* releasePackage(
  release: Omit<Described, 'created'> & { readonly range: Window },
  drops: AsyncIterable<{ readonly created: string; readonly tables: Tables }>,
): AsyncGenerator<string, void, void> {
  const { root, range, cloud } = release;
  let latest = '';
  const name = `${cloud}-${windowKey(range)}`;
  const { resources: _, created: __, ...head } = packageOf({ ...release, created: latest }, name, []);
  yield `${JSON.stringify(head).slice(0, -1)},"resources":[`;
  let separator = '\n';
  for await (const { created, tables } of drops) {
    if (created > latest) latest = created;
    for (const [of, { files }] of Object.entries(tables)) {
      const table = descriptionOf(release, of);
      for (const file of files) {
        yield separator + JSON.stringify(resourceOf(table, file, dashed(posix.basename(file.key)), root));
        separator = ',\n';
      }
    }
  }
  yield `\n],"created":${JSON.stringify(latest)}}\n`;
}

function descriptionOf({ descriptions }: Pick<Described, 'descriptions'>, table: string): TableDescription {
  const found = descriptions.find(({ name }) => name === table);
  if (found === undefined) throw new Error(`table ${table}: is not described`);
  return found;
}

/** Names of resources are unique within a package, in lower case. */
function dashed(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9]+/g, '-');
}

function packageOf(
  { created, licence }: Described,
  name: string,
  resources: readonly Resource[],
): DataPackage {
  return {
    $schema: 'https://datapackage.org/profiles/2.0/datapackage.json',
    // Lower case is the profile's rule.
    name: name.toLowerCase(),
    created,
    ...(licence === '' ? {} : { licenses: [{ name: licence }] }),
    resources,
  };
}

/** What a file is, and every column with its type. */
function resourceOf(
  table: TableDescription,
  { key, format, compression, columns, bytes, sha256 }: ManifestFile,
  name: string,
  root: string,
): Resource {
  return {
    name,
    type: 'table',
    path: posix.relative(root, key),
    ...KINDS[format as FormatName],
    ...PACKED[compression],
    bytes,
    hash: `sha256:${sha256}`,
    schema: {
      fields: columns.map((column) => fieldOf(table, format as FormatName, column)),
      ...(format === 'csv' ? { missingValues: [''] } : {}),
    },
  };
}

const KINDS: Readonly<Record<FormatName, Pick<Resource, 'format' | 'mediatype' | 'encoding'>>> = {
  csv: { format: 'csv', mediatype: 'text/csv', encoding: 'utf-8' },
  jsonl: { format: 'jsonl', mediatype: 'application/jsonl', encoding: 'utf-8' },
  parquet: { format: 'parquet', mediatype: 'application/vnd.apache.parquet' },
};

export const PACKED: Readonly<Record<ManifestFile['compression'], Pick<Resource, 'compression'>>> = {
  gzip: { compression: 'gz' },
  zstd: { compression: 'zst' },
  none: {},
};

const TYPES = { string: 'string', integer: 'integer', timestamp: 'datetime', boolean: 'boolean' } as const;

function fieldOf({ name: table, columns }: TableDescription, format: FormatName, name: string): Field {
  if (name === PROPERTIES) {
    const folded = columns
      .filter(({ inProperties }) => inProperties)
      .map(({ jsonl, property }) => property ?? jsonl);
    return { name, type: 'object', description: `As JSON: ${folded.join(', ')}` };
  }
  const column = columns.find((each) => each[format] === name);
  if (column === undefined) throw new Error(`table ${table}, column ${name}: is not described`);
  const { type, masked, description } = column;
  return {
    name,
    type: TYPES[type],
    // The profile's default needs a zone, which published CSV does not have.
    ...(type === 'timestamp' && format === 'csv' ? { format: '%Y-%m-%dT%H:%M:%S' } : {}),
    description: masked ? `${description}; masked` : description,
  };
}
