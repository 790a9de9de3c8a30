import { createReadStream, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { receiveBody, receiveDocument } from './body.ts';
import { checksumHeaders } from './checksums.ts';
import type { Checksum } from './checksums.ts';
import { checkDelete, isNotModified, noteDeletion, writeUnderCondition } from './conditions.ts';
import { invalidRequest, malformedXml, noSuchKey, notImplemented } from './errors.ts';
import { encryptionHeaders, etagOf, objectHeaders, quoted } from './headers.ts';
import { parseRange } from './ranges.ts';
import type { ByteRange } from './ranges.ts';
import type { Answer, S3Request } from './request.ts';
import { bucketOf, commitObject, dataFile, removeObject } from './store.ts';
import type { StoredObject } from './store.ts';
import { contentsOf, element, rootElement, textOf } from './xml.ts';

export async function putObject(request: S3Request): Promise<Answer> {
  const { store, bucket, key, http } = request;
  const headers = objectHeaders(http.headers);
  const write = {
    ...request,
    operation: 'PutObject',
    headers: http.headers,
    current: () => bucketOf(store, bucket).get(key),
  };
  const object = await writeUnderCondition(write, async (confirm) => {
    const body = await receiveBody(http, store.temp);
    try {
      confirm();
      const checksum: Checksum = { algorithm: body.algorithm, value: body.checksum, type: 'FULL_OBJECT' };
      const etag = etagOf(body.md5, headers);
      return commitObject(store, bucket, body.file, { key, etag, size: body.size, headers, checksum });
    } finally {
      await rm(body.file, { force: true });
    }
  });
  const answer = { etag: quoted(object.etag), ...encryptionHeaders(headers) };
  return { status: 200, headers: { ...answer, ...checksumHeaders(object.checksum) } };
}

export function getObject(request: S3Request): Answer {
  const { object, range, answer } = readObject(request);
  if (answer.status === 304 || object.size === 0) return answer;
  // Opened in the same step as the description was read: a later write replaces the file, not this one.
  const fd = openSync(dataFile(request.store, request.bucket, request.key), 'r');
  return { ...answer, body: createReadStream('', { fd, ...range }) };
}

export function headObject(request: S3Request): Answer {
  return readObject(request).answer;
}

export async function deleteObject({ store, claims, ceph, bucket, key, http }: S3Request): Promise<Answer> {
  const check = (): void => checkDelete(bucketOf(store, bucket).get(key), key, http.headers);
  if (ceph) {
    check();
    await ceph.dawdle();
  }
  // In the same step as the deletion, so that nothing can come in between.
  if (!ceph?.deletesBlindly) check();
  if (removeObject(store, bucket, key)) noteDeletion(claims, bucket, key);
  return { status: 204 };
}

export async function deleteObjects(request: S3Request): Promise<Answer> {
  const { store, claims, bucket, http } = request;
  const names = Object.keys(http.headers);
  if (!names.some((name) => name === 'content-md5' || /^x-amz-(checksum-|trailer)/.test(name))) {
    throw invalidRequest('Missing required header for this request: Content-MD5');
  }
  const xml = await receiveDocument(http, store.temp);
  const entries = contentsOf(xml, 'Object');
  const keys = entries.map((entry) => textOf(entry, 'Key')).filter((key) => key !== undefined);
  if (keys.length === 0 || keys.length !== entries.length || keys.length > 1000) throw malformedXml();
  if (entries.some((entry) => /<(VersionId|ETag|LastModifiedTime|Size)>/.test(entry))) {
    throw notImplemented('deletes of versions and conditional deletes');
  }
  for (const key of keys) if (removeObject(store, bucket, key)) noteDeletion(claims, bucket, key);
  const told = textOf(xml, 'Quiet') === 'true' ? [] : keys;
  const body = rootElement('DeleteResult', ...told.map((key) => element('Deleted', element('Key', key))));
  return { status: 200, headers: { 'content-type': 'application/xml' }, body };
}

function readObject({ store, bucket, key, http }: S3Request): {
  object: StoredObject;
  range: ByteRange | undefined;
  answer: Answer;
} {
  const object = bucketOf(store, bucket).get(key);
  if (!object) throw noSuchKey(key);
  const validators = {
    etag: quoted(object.etag),
    'last-modified': new Date(object.lastModified).toUTCString(),
  };
  if (isNotModified(object, http.headers)) {
    return { object, range: undefined, answer: { status: 304, headers: validators } };
  }
  const range = parseRange(http.headers.range, object.size);
  const wantsChecksum = String(http.headers['x-amz-checksum-mode']).toUpperCase() === 'ENABLED';
  const headers: Record<string, string> = {
    ...visibleHeaders(object),
    ...validators,
    'accept-ranges': 'bytes',
    'content-length': String(range ? range.end - range.start + 1 : object.size),
    // The checksum kept is that of the whole object.
    ...(wantsChecksum && !range ? checksumHeaders(object.checksum) : {}),
  };
  if (range) headers['content-range'] = `bytes ${range.start}-${range.end}/${object.size}`;
  return { object, range, answer: { status: range ? 206 : 200, headers } };
}

/** S3 does not name the class that is the default. */
function visibleHeaders({ headers }: StoredObject): Record<string, string> {
  const { 'x-amz-storage-class': storageClass, ...others } = headers;
  if (storageClass === undefined || storageClass === 'STANDARD') return others;
  return { ...others, 'x-amz-storage-class': storageClass };
}
