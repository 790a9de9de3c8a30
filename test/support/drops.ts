import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { GetObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { parse } from 'csv-parse/sync';
import { parquetReadObjects } from 'hyparquet';
import type { ManifestFile } from '../../lib/drop/manifest-file.ts';
import { type Manifest, type TableManifest, companionsOf } from '../../lib/drop/manifest.ts';
import { instanceEvents } from '../../lib/tables/instance-events/table.ts';
import { assertManifest } from './manifest-schema.ts';
import { sha256 as sha256Of } from './sha256.ts';
import { BUCKET } from './stage.ts';

/** One published window as an analyst finds it. */
export interface Drop {
  readonly manifest: Manifest;
  /** Of the finished events. */
  readonly rows: RowsByFormat;
  /** Of all tables, by name. */
  readonly tables: Readonly<Record<string, RowsByFormat>>;
}

/** Of CSV every value as text, of JSON lines and Parquet as parsed. */
export type RowsByFormat = Readonly<Record<string, Record<string, unknown>[]>>;

/**
 * Reads every drop that a manifest announces, oldest first; without rows only their files' bytes are looked at.
 *
 * @param last reads so many of the latest only
 * @throws Error where a manifest is not as its schema says, or lists what is not there byte for byte
 */
export async function readDrops(
  client: S3Client,
  prefix = '',
  { rows: wantsRows = true, last = Infinity }: { rows?: boolean; last?: number } = {},
): Promise<Drop[]> {
  const all = (await listKeys(client, prefix)).filter(
    (key) => key.includes('/manifests/') && key.endsWith('.json'),
  );
  const manifests = all.slice(Math.max(0, all.length - last));
  const drops: Drop[] = [];
  for (const key of manifests) {
    const manifest = JSON.parse((await readObject(client, key)).toString('utf8')) as Manifest;
    assertManifest(manifest, key);
    for (const { key: other, bytes, sha256 } of companionsOf(manifest)) {
      const stored = await readObject(client, other);
      if (stored.length !== bytes || sha256Of(stored) !== sha256)
        throw new Error(`${other} is not what ${key} says`);
    }
    const tables: Record<string, RowsByFormat> = {};
    for (const [name, { files }] of Object.entries(manifest.tables)) {
      const rows: Record<string, Record<string, unknown>[]> = {};
      for (const file of files) {
        const bytes = await readObject(client, file.key);
        if (bytes.length !== file.bytes || sha256Of(bytes) !== file.sha256)
          throw new Error(`${file.key} is not what ${key} says`);
        if (!wantsRows) continue;
        const parsed = await parseRows(file, bytes);
        if (parsed.length !== file.rows) throw new Error(`${file.key} has not the rows that ${key} says`);
        rows[file.format] = parsed;
      }
      tables[name] = rows;
    }
    drops.push({ manifest, tables, rows: tables[instanceEvents.name] ?? {} });
  }
  return drops;
}

/** What a manifest says of the finished events. */
export function eventsOf(manifest: Pick<Manifest, 'tables'> | undefined): TableManifest {
  const events = manifest?.tables[instanceEvents.name];
  if (events === undefined) throw new Error('No manifest of finished events');
  return events;
}

export async function listKeys(client: S3Client, prefix = ''): Promise<string[]> {
  const keys: string[] = [];
  for (let token: string | undefined; ;) {
    const page = await client.send(
      new ListObjectsV2Command({
        Bucket: BUCKET,
        Prefix: prefix,
        ...(token === undefined ? {} : { ContinuationToken: token }),
      }),
    );
    keys.push(...(page.Contents ?? []).map(({ Key = '' }) => Key));
    token = page.NextContinuationToken;
    if (token === undefined) return keys;
  }
}

export async function readObject(client: S3Client, key: string): Promise<Buffer> {
  const found = await client
    .send(new GetObjectCommand({ Bucket: BUCKET, Key: key }))
    .catch((cause: unknown) => {
      throw new Error(`${key} could not be read`, { cause });
    });
  return Buffer.from((await found.Body?.transformToByteArray()) ?? []);
}

async function parseRows(
  { format, compression }: ManifestFile,
  bytes: Buffer,
): Promise<Record<string, unknown>[]> {
  if (format === 'parquet') return readParquet(bytes);
  const text = unpacked(bytes, compression).toString('utf8');
  if (format === 'csv') return parse(text, { columns: true }) as Record<string, string>[];
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** What a file holds, by how its manifest says it is compressed. */
function unpacked(bytes: Buffer, compression: ManifestFile['compression']): Buffer {
  switch (compression) {
    case 'gzip':
      return gunzipSync(bytes);
    case 'zstd':
      return zstdDecompressSync(bytes);
    case 'none':
      return bytes;
  }
}

/** Rows of a Parquet file; whole numbers and times as JSON has them. */
export async function readParquet(bytes: Buffer): Promise<Record<string, unknown>[]> {
  const file = new Uint8Array(bytes).buffer;
  const rows = await parquetReadObjects({
    file,
    compressors: { ZSTD: (page) => zstdDecompressSync(page) },
  });
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, typeof value === 'bigint' ? Number(value) : value]),
    ),
  );
}
