import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Algorithm, ChecksumType } from './checksums.ts';
import { noSuchUpload } from './errors.ts';
import { replaceFile } from './store.ts';
import type { Store } from './store.ts';

export interface Part {
  number: number;
  etag: string;
  /** Hexadecimal; what the ETag of the whole is made of. */
  md5: string;
  size: number;
  lastModified: number;
  algorithm: Algorithm;
  checksum: string;
  /** Below the upload's folder. */
  file: string;
}

export interface Upload {
  id: string;
  bucket: string;
  key: string;
  initiated: number;
  headers: Record<string, string>;
  /** What the client asked for; S3 takes CRC64NVME of the whole object where it asked for nothing. */
  algorithm?: Algorithm;
  type: ChecksumType;
  parts: Part[];
  /** Set when a completion met a conflict: S3 wants the upload begun again. */
  conflicted?: boolean;
}

/** Multipart uploads under way, by id; kept on disk as well, so that a restart does not lose them. */
export type Uploads = Map<string, Upload>;

export function loadUploads(store: Store): Uploads {
  const uploads = readdirSync(store.uploads).map((id) => readUpload(store, id));
  return new Map(uploads.filter((upload) => upload !== undefined).map((upload) => [upload.id, upload]));
}

export function createUpload(
  store: Store,
  uploads: Uploads,
  upload: Omit<Upload, 'id' | 'initiated' | 'parts'>,
): Upload {
  const id = randomUUID().replaceAll('-', '');
  const created = { ...upload, id, initiated: Date.now(), parts: [] };
  mkdirSync(join(store.uploads, id));
  saveUpload(store, created);
  uploads.set(id, created);
  return created;
}

/** Error: NoSuchUpload, also where the upload is one of another key. */
export function uploadOf(uploads: Uploads, id: string, bucket: string, key: string): Upload {
  const upload = uploads.get(id);
  if (!upload || upload.bucket !== bucket || upload.key !== key) throw noSuchUpload(id);
  return upload;
}

/**
 * Takes over `file` as a part. A part sent again replaces the earlier one, whose file stays until the
 * upload ends: a completion may be reading it.
 */
export function addPart(store: Store, upload: Upload, file: string, part: Omit<Part, 'file'>): void {
  const name = `${String(part.number).padStart(5, '0')}-${randomUUID()}`;
  renameSync(file, join(uploadFolder(store, upload), name));
  upload.parts = [...upload.parts.filter((other) => other.number !== part.number), { ...part, file: name }];
  upload.parts.sort((a, b) => a.number - b.number);
  saveUpload(store, upload);
}

export function removeUpload(store: Store, uploads: Uploads, upload: Upload): void {
  uploads.delete(upload.id);
  rmSync(uploadFolder(store, upload), { recursive: true, force: true });
}

export function saveUpload(store: Store, upload: Upload): void {
  replaceFile(store, join(uploadFolder(store, upload), 'upload.json'), JSON.stringify(upload));
}

export function uploadFolder(store: Store, upload: Upload): string {
  return join(store.uploads, upload.id);
}

function readUpload(store: Store, id: string): Upload | undefined {
  try {
    const upload: Upload = JSON.parse(readFileSync(join(store.uploads, id, 'upload.json'), 'utf8'));
    return upload;
  } catch {
    rmSync(join(store.uploads, id), { recursive: true, force: true }); // Never got as far as an answer.
    return undefined;
  }
}
