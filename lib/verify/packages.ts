import * as z from 'zod/mini';
import { sha256 } from '../core/bytes.ts';
import { PACKED } from '../drop/data-package.ts';
import type { ManifestFile } from '../drop/manifest-file.ts';
import type { Place } from '../drop/place.ts';
import { type Finding, fault } from './fault.ts';

/** A file that a data package has to describe. */
export interface Described {
  readonly key: string;
  /** SHA-256 of all that the package says of the file. A release has many files, each with many columns. */
  readonly digest: string;
}

/** What of a resource can be held against a manifest. */
const Resource = z.object({
  path: z.string(),
  format: z.string(),
  compression: z.optional(z.string()),
  bytes: z.int(),
  hash: z.string(),
  schema: z.object({ fields: z.array(z.object({ name: z.string() })) }),
});
const Package = z.object({ resources: z.array(z.unknown()) });

/** What a data package has to say of a file of a manifest. */
export function describedAs({
  key,
  format,
  compression,
  bytes,
  sha256: hash,
  columns,
}: ManifestFile): Described {
  return { key, digest: digestOf([key, format, PACKED[compression].compression, bytes, hash, columns]) };
}

/** Holds the data package of a drop against the files of its manifest. */
export async function checkDropPackage(
  { store, layout, signal }: Place,
  key: string,
  files: readonly Described[],
): Promise<Finding[]> {
  const { data } = z.safeParse(Package, (await store.readText(key, signal))?.json());
  if (data === undefined) return [fault(`${key}: is no data package`)];
  const open = openCheck(key, layout.root, files);
  return [...data.resources.flatMap((one) => open.look(one)), ...open.missing()];
}

/**
 * Holds the data package of a release against the files of its manifests, one resource, which is one line, after the
 * other: of many drops it is larger than memory.
 *
 * @param isAsked whether the drop of a file that `files` does not have was looked at
 */
export async function* checkReleasePackage(
  { store, layout, signal }: Place,
  files: readonly Described[],
  isAsked: (key: string) => boolean,
): AsyncGenerator<Finding, void, void> {
  const key = layout.datapackage;
  const pieces = await store.read(key, signal);
  if (pieces === undefined) {
    yield fault(`${key}: is missing; ${layout.release} says that the release is complete`);
    return;
  }
  const open = openCheck(key, layout.root, files, isAsked);
  for await (const line of linesOf(pieces)) {
    if (!line.startsWith('{"name"')) continue;
    yield* open.look(parsed(line.replace(/,$/, '')));
  }
  yield* open.missing();
}

interface Check {
  look(resource: unknown): Finding[];
  missing(): Finding[];
}

function openCheck(
  key: string,
  root: string,
  files: readonly Described[],
  isAsked: (key: string) => boolean = () => true,
): Check {
  const expected = new Map(files.map((file) => [file.key, file.digest]));
  return {
    look(resource) {
      const { data } = z.safeParse(Resource, resource);
      if (data === undefined) return [fault(`${key}: has a resource that is none`)];
      const { path, format, compression, bytes, hash, schema } = data;
      const file = `${root}/${path}`;
      const digest = expected.get(file);
      expected.delete(file);
      if (digest === undefined)
        return isAsked(file) ? [fault(`${key}: describes ${path}, which is in no manifest`)] : [];
      const names = schema.fields.map(({ name }) => name);
      const is = digestOf([file, format, compression, bytes, hash.replace(/^sha256:/, ''), names]);
      return is === digest ? [] : [fault(`${key}: does not describe ${path} as its manifest does`)];
    },
    missing: () => [...expected.keys()].map((file) => fault(`${key}: does not describe ${file}`)),
  };
}

function digestOf(said: readonly unknown[]): string {
  return sha256(JSON.stringify(said));
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

async function* linesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of pieces) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  yield rest;
}
