import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { S3Error, invalidArgument, notImplemented } from './errors.ts';

const kept = [
  'cache-control',
  'content-disposition',
  'content-language',
  'content-type',
  'expires',
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-server-side-encryption-bucket-key-enabled',
  'x-amz-storage-class',
  'x-amz-website-redirect-location',
];

/** Headers that would change what the request means. They are refused rather than overlooked. */
const refused =
  /^x-amz-(acl|copy-source|grant-|tagging|object-lock-|mfa|request-payer|expected-bucket-owner|write-offset|rename-|server-side-encryption-customer|server-side-encryption-context|if-match-|object-attributes|optional-object)/;

export function refuseUnknownHeaders(headers: IncomingHttpHeaders): void {
  const name = Object.keys(headers).find((header) => refused.test(header));
  if (name) throw notImplemented(`the header ${name}`);
}

/** The headers of a write that belong to the object. */
export function objectHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const result: Record<string, string> = {
    'content-type': 'binary/octet-stream',
    'x-amz-server-side-encryption': 'AES256',
  };
  for (const [name, value] of Object.entries(headers)) {
    if (kept.includes(name) || name.startsWith('x-amz-meta-')) result[name] = String(value);
  }
  const encoding = contentEncoding(headers);
  if (encoding !== '') result['content-encoding'] = encoding;
  checkEncryption(String(result['x-amz-server-side-encryption']));
  checkMetadata(result);
  return result;
}

/** The headers that answer a write: how the object is encrypted. */
export function encryptionHeaders(headers: Record<string, string>): Record<string, string> {
  const names = Object.entries(headers).filter(([name]) => name.startsWith('x-amz-server-side-encryption'));
  return Object.fromEntries(names);
}

/**
 * The ETag of content with this digest: its MD5, but a value without meaning under SSE-KMS.
 * Source: "Object", Amazon S3 API reference.
 */
export function etagOf(md5: Buffer, headers: Record<string, string>): string {
  const digest = headers['x-amz-server-side-encryption'] === 'AES256' ? md5 : randomBytes(16);
  return digest.toString('hex');
}

export function quoted(etag: string): string {
  return `"${etag}"`;
}

export function unquoted(etag: string): string {
  return etag.trim().replace(/^"(.*)"$/, '$1');
}

/** `aws-chunked` says how the body travels, not what it is; S3 does not keep it. */
function contentEncoding(headers: IncomingHttpHeaders): string {
  const codings = (headers['content-encoding'] ?? '').split(',').map((coding) => coding.trim());
  return codings.filter((coding) => coding !== '' && coding !== 'aws-chunked').join(',');
}

function checkEncryption(value: string): void {
  if (['AES256', 'aws:kms', 'aws:kms:dsse'].includes(value)) return;
  const message = 'The encryption method specified is not supported';
  throw invalidArgument(message, 'x-amz-server-side-encryption', value);
}

function checkMetadata(headers: Record<string, string>): void {
  let size = 0;
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith('x-amz-meta-')) size += Buffer.byteLength(name.slice(11)) + Buffer.byteLength(value);
  }
  if (size <= 2048) return;
  throw new S3Error(
    400,
    'MetadataTooLarge',
    'Your metadata headers exceed the maximum allowed metadata size',
  );
}
