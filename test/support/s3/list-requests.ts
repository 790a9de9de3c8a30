import { quoted } from './headers.ts';
import { invalidArgument } from './errors.ts';
import { compareUtf8, encodeKey, listPage } from './listing.ts';
import type { Answer, S3Request } from './request.ts';
import { bucketOf } from './store.ts';
import type { StoredObject } from './store.ts';
import { uploadOf } from './uploads.ts';
import { checksumElement } from './checksums.ts';
import { element, optional, rootElement } from './xml.ts';
import type { Xml } from './xml.ts';

export function listObjectsV2({ store, bucket, query }: S3Request): Answer {
  if (query.get('list-type') !== '2') {
    throw invalidArgument('Invalid List Type', 'list-type', query.get('list-type') ?? '');
  }
  const encode = keyEncoder(query);
  const token = query.get('continuation-token');
  const startAfter = query.get('start-after') ?? undefined;
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const maxKeys = limit(query, 'max-keys');
  const after = token === null ? (startAfter ?? '') : readToken(token);
  const page = listPage(bucketOf(store, bucket).values(), { prefix, delimiter, maxKeys, after });
  return xmlAnswer(
    'ListBucketResult',
    element('Name', bucket),
    element('Prefix', encode(prefix)),
    optional('Delimiter', delimiter === '' ? undefined : encode(delimiter)),
    element('MaxKeys', maxKeys),
    optional('EncodingType', query.get('encoding-type') ?? undefined),
    element('KeyCount', page.objects.length + page.commonPrefixes.length),
    element('IsTruncated', page.next !== undefined),
    optional('StartAfter', startAfter === undefined ? undefined : encode(startAfter)),
    optional('ContinuationToken', token ?? undefined),
    optional('NextContinuationToken', page.next === undefined ? undefined : makeToken(page.next)),
    ...page.objects.map((object) => contents(object, encode)),
    ...page.commonPrefixes.map((common) => element('CommonPrefixes', element('Prefix', encode(common)))),
  );
}

export function listMultipartUploads({ uploads, bucket, query }: S3Request): Answer {
  const encode = keyEncoder(query);
  const prefix = query.get('prefix') ?? '';
  const keyMarker = query.get('key-marker') ?? '';
  const idMarker = query.get('upload-id-marker') ?? '';
  const max = limit(query, 'max-uploads');
  const matching = [...uploads.values()]
    .filter((upload) => upload.bucket === bucket && upload.key.startsWith(prefix))
    .toSorted((a, b) => compareUtf8(a.key, b.key) || a.initiated - b.initiated || compareUtf8(a.id, b.id));
  // The markers name the last upload of the page before; of the marked key, what follows the marked id.
  const marked = matching.findIndex((upload) => upload.key === keyMarker && upload.id === idMarker);
  const rest =
    marked < 0
      ? matching.filter((upload) => compareUtf8(upload.key, keyMarker) > 0)
      : matching.slice(marked + 1);
  const page = rest.slice(0, max);
  const truncated = rest.length > page.length && max > 0;
  const last = truncated ? page.at(-1) : undefined;
  return xmlAnswer(
    'ListMultipartUploadsResult',
    element('Bucket', bucket),
    element('KeyMarker', encode(keyMarker)),
    element('UploadIdMarker', idMarker),
    optional('NextKeyMarker', last && encode(last.key)),
    optional('NextUploadIdMarker', last?.id),
    element('Prefix', encode(prefix)),
    element('MaxUploads', max),
    element('IsTruncated', truncated),
    ...page.map((upload) =>
      element(
        'Upload',
        element('Key', encode(upload.key)),
        element('UploadId', upload.id),
        element('StorageClass', upload.headers['x-amz-storage-class'] ?? 'STANDARD'),
        element('Initiated', new Date(upload.initiated).toISOString()),
        optional('ChecksumAlgorithm', upload.algorithm),
        optional('ChecksumType', upload.algorithm && upload.type),
      ),
    ),
  );
}

export function listParts({ uploads, bucket, key, query }: S3Request): Answer {
  const upload = uploadOf(uploads, query.get('uploadId') ?? '', bucket, key);
  const marker = number(query, 'part-number-marker', 0);
  const max = limit(query, 'max-parts');
  const rest = upload.parts.filter((part) => part.number > marker);
  const page = rest.slice(0, max);
  return xmlAnswer(
    'ListPartsResult',
    element('Bucket', bucket),
    element('Key', key),
    element('UploadId', upload.id),
    element('PartNumberMarker', marker),
    element('NextPartNumberMarker', page.at(-1)?.number ?? 0),
    element('MaxParts', max),
    element('IsTruncated', rest.length > page.length),
    optional('ChecksumAlgorithm', upload.algorithm),
    optional('ChecksumType', upload.algorithm && upload.type),
    ...page.map((part) =>
      element(
        'Part',
        element('PartNumber', part.number),
        element('LastModified', new Date(part.lastModified).toISOString()),
        element('ETag', quoted(part.etag)),
        element('Size', part.size),
        ...(upload.algorithm ? [element(checksumElement(upload.algorithm), part.checksum)] : []),
      ),
    ),
  );
}

function contents(object: StoredObject, encode: (key: string) => string): Xml {
  return element(
    'Contents',
    element('Key', encode(object.key)),
    element('LastModified', new Date(object.lastModified).toISOString()),
    element('ETag', quoted(object.etag)),
    optional('ChecksumAlgorithm', object.checksum?.algorithm),
    optional('ChecksumType', object.checksum?.type),
    element('Size', object.size),
    element('StorageClass', object.headers['x-amz-storage-class'] ?? 'STANDARD'),
  );
}

export function xmlAnswer(root: string, ...children: Xml[]): Answer {
  return {
    status: 200,
    headers: { 'content-type': 'application/xml' },
    body: rootElement(root, ...children),
  };
}

function keyEncoder(query: URLSearchParams): (key: string) => string {
  const type = query.get('encoding-type');
  if (type === null) return (key) => key;
  if (type !== 'url')
    throw invalidArgument('Invalid Encoding Method specified in Request', 'encoding-type', type);
  return encodeKey;
}

/** A page never holds more than 1000 entries, whatever was asked for. */
function limit(query: URLSearchParams, name: string): number {
  return Math.min(number(query, name, 1000), 1000);
}

function number(query: URLSearchParams, name: string, otherwise: number): number {
  const text = query.get(name);
  if (text === null) return otherwise;
  if (!/^\d{1,10}$/.test(text))
    throw invalidArgument(`Provided ${name} not an integer or within range`, name, text);
  return Number(text);
}

/** Tokens are opaque in S3; these are marked so that nothing else passes for one. */
function makeToken(next: string): string {
  return Buffer.from(`after:${next}`).toString('base64');
}

function readToken(token: string): string {
  const text = Buffer.from(token, 'base64').toString();
  if (text.startsWith('after:')) return text.slice('after:'.length);
  throw invalidArgument('The continuation token provided is incorrect', 'continuation-token', token);
}
