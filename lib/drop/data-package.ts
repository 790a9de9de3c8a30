import { posix } from 'node:path';
import { COLUMNS, PROPERTIES } from '../format/columns.ts';
import type { FormatName } from '../format/format.ts';
import { type Window, windowKey } from '../window.ts';
import type { ManifestFile } from './manifest.ts';

/** A descriptor by Data Package 2.0 (datapackage.org). */
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

interface Described {
  readonly cloud: string;
  readonly created: string;
  /** As SPDX names it; empty where none was chosen. */
  readonly licence: string;
  readonly files: readonly ManifestFile[];
}

/** Describes the files of a drop. Paths are keys: the descriptor belongs at the top of the bucket. */
export function dataPackageOf(drop: Described & { readonly window: Window }): DataPackage {
  const name = `instance-events-${drop.cloud}-${windowKey(drop.window)}`;
  const resources = drop.files.map((file) => resourceOf(file, `instance-events-${file.format}`, file.key));
  return packageOf(drop, name, resources);
}

/**
 * Describes all files of a release. Paths are relative to the release's own folder, where the descriptor lies.
 *
 * @param release whose `root` is the key of that folder
 */
export function releasePackage(
  release: Described & { readonly range: Window; readonly root: string },
): DataPackage {
  const { root, range, cloud, files } = release;
  const resources = files.map((file) => {
    const path = posix.relative(root, file.key);
    // Names are unique within a package, in lower case.
    return resourceOf(
      file,
      posix
        .basename(path)
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, '-'),
      path,
    );
  });
  return packageOf(release, `instance-events-${cloud}-${windowKey(range)}`, resources);
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
    licenses: [licence === '' ? PLACEHOLDER : { name: licence }],
    resources,
  };
}

/** What a file is, and every column with its type. */
function resourceOf({ format, columns, bytes, sha256 }: ManifestFile, name: string, path: string): Resource {
  return {
    name,
    path,
    ...KINDS[format as FormatName],
    bytes,
    hash: `sha256:${sha256}`,
    schema: {
      fields: columns.map((column) => fieldOf(format as FormatName, column)),
      ...(format === 'csv' ? { missingValues: [''] } : {}),
    },
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
