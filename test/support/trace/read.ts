import { gunzipSync } from 'node:zlib';
import type { S3Client } from '@aws-sdk/client-s3';
import type { ManifestRef } from '../../../lib/drop/checkpoint.ts';
import type { Manifest } from '../../../lib/drop/manifest.ts';
import { windowOfKey } from '../../../lib/drop/published.ts';
import { type Seconds, parseInstant } from '../../../lib/core/time.ts';
import { instanceEvents } from '../../../lib/tables/instance-events/table.ts';
import { listKeys, readObject } from '../drops.ts';

/** A trace as its objects tell it, whatever has been broken off. */
export interface StoredTrace {
  /** `PREFIX/cloud=NAME` */
  readonly root: string;
  /** `state/trace.json` */
  readonly fixed:
    { readonly text: string; readonly kind: string; readonly begin: Seconds | undefined } | undefined;
  /** In order of their windows. */
  readonly drops: readonly StoredDrop[];
  readonly checkpoint: StoredCheckpoint | undefined;
  /** Keys that undecided claims have tried. */
  readonly tried: ReadonlySet<string>;
  /** `release.json` */
  readonly release: StoredRelease | undefined;
  /** Everything under the root, by key. */
  readonly objects: Objects;
}

export type Objects = ReadonlyMap<string, Buffer>;

/** What has a manifest, or is decided and will have one. */
export interface StoredDrop {
  readonly start: Seconds;
  readonly end: Seconds;
  readonly key: string;
  /** Of the manifest, as decided where a claim still tells, else as stored. */
  readonly text: string;
  readonly manifest: Manifest;
  /** Whether the manifest is there. */
  readonly isWhole: boolean;
}

export interface StoredCheckpoint {
  readonly end: Seconds;
  readonly manifest: ManifestRef;
}

export interface StoredRelease {
  readonly maskingScope: string;
  readonly windows: number;
  readonly manifests: readonly ManifestRef[];
}

/** Reads all objects whose keys begin with a prefix. */
export async function readObjects(client: S3Client, prefix: string): Promise<Map<string, Buffer>> {
  const keys = await listKeys(client, prefix);
  return new Map(
    await Promise.all(
      keys.map(async (key): Promise<[string, Buffer]> => [key, await readObject(client, key)]),
    ),
  );
}

/** The traces among objects, by the name of their cloud. */
export function tracesAmong(objects: Objects): Map<string, StoredTrace> {
  const names = new Set([...objects.keys()].map((key) => /(?:^|\/)cloud=([^/]+)\//.exec(key)?.[1] ?? ''));
  return new Map([...names].map((name) => [name, traceOf(objects, name)]));
}

function traceOf(all: Objects, name: string): StoredTrace {
  const objects = new Map([...all].filter(([key]) => key.includes(`cloud=${name}/`)));
  const root = [...objects.keys()][0]?.replace(/(cloud=[^/]+)\/.*$/, '$1') ?? '';
  const textOf = (key: string): string | undefined => objects.get(`${root}/${key}`)?.toString('utf8');
  const jsonOf = (key: string): unknown => {
    const text = textOf(key);
    return text === undefined ? undefined : JSON.parse(text);
  };
  const drops = new Map<string, StoredDrop>();
  const add = (key: string, text: string): void => {
    const window = windowOfKey(key);
    if (window !== undefined && !drops.has(key))
      drops.set(key, {
        ...window,
        key,
        text,
        manifest: JSON.parse(text) as Manifest,
        isWhole: objects.has(key),
      });
  };
  const tried = new Set<string>();
  for (const claim of claimsAmong(objects, root)) {
    if (claim.decided === null) for (const key of claim.tried) tried.add(key);
    else add(manifestKey(root, claim.decided.manifest), claim.decided.manifest);
  }
  for (const [key, bytes] of objects)
    if (key.startsWith(`${root}/manifests/`) && key.endsWith('.json')) add(key, bytes.toString('utf8'));
  const fixed = jsonOf('state/trace.json') as { kind: string; begin?: string } | undefined;
  const checkpoint = jsonOf('state/checkpoint.json') as
    { window: { end: string }; manifest: ManifestRef } | undefined;
  return {
    root,
    fixed: fixed && {
      text: textOf('state/trace.json') ?? '',
      kind: fixed.kind,
      begin: parseInstant(fixed.begin ?? ''),
    },
    drops: [...drops.values()].toSorted((a, b) => a.start - b.start),
    checkpoint: checkpoint && {
      end: parseInstant(checkpoint.window.end) ?? Number.NaN,
      manifest: checkpoint.manifest,
    },
    tried,
    release: jsonOf('release.json') as StoredRelease | undefined,
    objects,
  };
}

interface StoredClaim {
  readonly tried: readonly string[];
  readonly decided: { readonly manifest: string } | null;
}

function claimsAmong(objects: Objects, root: string): StoredClaim[] {
  return [...objects]
    .filter(([key]) => key === `${root}/state/claim.json` || key.startsWith(`${root}/state/claims/`))
    .map(([, bytes]) => JSON.parse(bytes.toString('utf8')) as StoredClaim);
}

/** Written down a second time on purpose: keys of manifests are fixed by their windows. */
function manifestKey(root: string, text: string): string {
  const { window } = JSON.parse(text) as Manifest;
  const compact = (time: string): string => time.replaceAll(/[-:]/g, '');
  return `${root}/manifests/date=${window.start.slice(0, 10)}/${compact(window.start)}-${compact(window.end)}.json`;
}

/** Rows of a drop's JSON lines. */
export function rowsOf(
  { objects }: StoredTrace,
  { manifest }: StoredDrop,
  table: string = instanceEvents.name,
): Record<string, unknown>[] {
  const file = manifest.tables[table]?.files.find(({ format }) => format === 'jsonl');
  const bytes = file && objects.get(file.key);
  if (bytes === undefined) return [];
  const lines = gunzipSync(bytes).toString('utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>);
}
