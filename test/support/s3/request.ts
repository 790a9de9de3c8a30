import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { S3Error } from './errors.ts';
import type { Ceph } from './ceph.ts';
import type { Claims } from './conditions.ts';
import type { Store } from './store.ts';
import type { Uploads } from './uploads.ts';

/** Everything that the requests of one server share. */
export interface Shared {
  store: Store;
  uploads: Uploads;
  claims: Claims;
  /** Set where the server has the manners of Ceph. */
  ceph: Ceph | undefined;
  /** Conditions that the server does not look at: `If-Match on PutObject`. */
  ignored: readonly string[];
}

export interface S3Request extends Shared {
  http: IncomingMessage;
  bucket: string;
  key: string;
  query: URLSearchParams;
}

export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: string | Readable;
}

export interface Target {
  bucket: string;
  key: string;
  query: URLSearchParams;
}

/** Path-style addressing: `/bucket/key?query`. */
export function parseTarget(url: string): Target {
  const at = url.indexOf('?');
  const path = at < 0 ? url : url.slice(0, at);
  const query = new URLSearchParams(at < 0 ? '' : url.slice(at));
  try {
    const [, bucket = '', ...key] = path.split('/');
    return { bucket: decodeURIComponent(bucket), key: decodeURIComponent(key.join('/')), query };
  } catch {
    throw new S3Error(400, 'InvalidURI', "Couldn't parse the specified URI.");
  }
}

/** Source: "Object key naming guidelines", S3 user guide. */
export function checkKey(key: string): void {
  const size = Buffer.byteLength(key);
  if (size <= 1024) return;
  const details = { Size: String(size), MaxSizeAllowed: '1024' };
  throw new S3Error(400, 'KeyTooLongError', 'Your key is too long', details);
}

/** The name that the API reference gives to a request; undefined for what this server does not do. */
export function operationOf(method: string, { key, query }: Target): string | undefined {
  const known = operations.find(
    ([name, itsMethod, onKey, selectors]) =>
      itsMethod === method &&
      onKey === (key !== '') &&
      selectors.every((selector) => query.has(selector)) &&
      [...query.keys()].every((q) => q === 'x-id' || selectors.includes(q) || parameters[name]?.includes(q)),
  );
  return known?.[0];
}

const operations: [name: string, method: string, onKey: boolean, selectors: string[]][] = [
  ['UploadPart', 'PUT', true, ['partNumber', 'uploadId']],
  ['PutObject', 'PUT', true, []],
  ['ListParts', 'GET', true, ['uploadId']],
  ['GetObject', 'GET', true, []],
  ['HeadObject', 'HEAD', true, []],
  ['AbortMultipartUpload', 'DELETE', true, ['uploadId']],
  ['DeleteObject', 'DELETE', true, []],
  ['CreateMultipartUpload', 'POST', true, ['uploads']],
  ['CompleteMultipartUpload', 'POST', true, ['uploadId']],
  ['ListObjectsV2', 'GET', false, ['list-type']],
  ['ListMultipartUploads', 'GET', false, ['uploads']],
  ['DeleteObjects', 'POST', false, ['delete']],
  ['HeadBucket', 'HEAD', false, []],
];

const parameters: Record<string, string[]> = {
  ListParts: ['max-parts', 'part-number-marker'],
  ListObjectsV2: ['prefix', 'delimiter', 'max-keys', 'continuation-token', 'start-after', 'encoding-type'],
  ListMultipartUploads: ['prefix', 'max-uploads', 'key-marker', 'upload-id-marker', 'encoding-type'],
};
