import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { memoize } from '../../../lib/core/collections/memoize.ts';
import type { Credentials } from './credentials.ts';

/** What is wrong with a request's signature; each service words it in its own error code. */
export type SignatureProblem =
  | 'missing'
  | 'malformed'
  | 'wrong-scope'
  | 'unknown-key'
  | 'session-token'
  | 'unsigned-headers'
  | 'skewed'
  | 'mismatch';

export interface Scope {
  region: string;
  service: string;
}

interface Signable<Headers = IncomingHttpHeaders> {
  method: string;
  /** As it stands in the request line: path and query, percent-encoded. */
  url: string;
  /** Names in lower case. */
  headers: Headers;
}

const algorithm = 'AWS4-HMAC-SHA256';
const maxSkewMs = 15 * 60 * 1000;
const authorizationPattern =
  /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/(\d{8})\/([^/,]+)\/([^/,]+)\/aws4_request,\s*SignedHeaders=([^,]+),\s*Signature=([0-9a-f]{64})$/;

/**
 * Checks header authentication. `undefined` means that the signature is good.
 *
 * Source: "Authenticating Requests (AWS Signature Version 4)", Amazon S3 API reference.
 */
export function verifySignature(
  request: Signable,
  payloadHash: string,
  credentials: Credentials,
  scope: Scope,
): SignatureProblem | undefined {
  const authorization = request.headers.authorization;
  if (authorization === undefined) return 'missing';
  const [, keyId, day, region, service, names, signature] = authorizationPattern.exec(authorization) ?? [];
  if (!keyId || !day || !names || !signature) return 'malformed';
  const time = headerText(request.headers, 'x-amz-date');
  const at = parseTime(time);
  if (Number.isNaN(at) || !time.startsWith(day)) return 'malformed';
  if (region !== scope.region || service !== scope.service) return 'wrong-scope';
  if (keyId !== credentials.accessKeyId) return 'unknown-key';
  // Long-lived keys have no session: AWS refuses a token that does not belong to the key.
  if (request.headers['x-amz-security-token'] !== undefined) return 'session-token';
  const signed = names.split(';');
  if (!mustBeSigned(request.headers).every((name) => signed.includes(name))) return 'unsigned-headers';
  if (Math.abs(serverTime() - at) > maxSkewMs) return 'skewed';
  const expected = Buffer.from(signatureOf(request, signed, payloadHash, time, credentials, scope), 'hex');
  return timingSafeEqual(expected, Buffer.from(signature, 'hex')) ? undefined : 'mismatch';
}

const started = Date.now() - uptime();

/** The clock of a service, which stays right where a test turns that of the function (in the same process). */
function serverTime(): number {
  return started + uptime();
}

function uptime(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

/** The headers of `request`, completed with a signature over all of them. `host` has to be among them. */
export function sign(
  request: Signable<Record<string, string>>,
  payloadHash: string,
  credentials: Credentials & { sessionToken?: string | undefined },
  scope: Scope,
  at: Date = new Date(),
): Record<string, string> {
  const time = at.toISOString().replace(/[-:]|\.\d{3}/g, '');
  const headers: Record<string, string> = { ...request.headers, 'x-amz-date': time };
  if (credentials.sessionToken) headers['x-amz-security-token'] = credentials.sessionToken;
  const signed = Object.keys(headers).toSorted();
  const signature = signatureOf({ ...request, headers }, signed, payloadHash, time, credentials, scope);
  const credential = [credentials.accessKeyId, time.slice(0, 8), scope.region, scope.service, 'aws4_request'];
  headers['authorization'] =
    `${algorithm} Credential=${credential.join('/')}, SignedHeaders=${signed.join(';')}, Signature=${signature}`;
  return headers;
}

function signatureOf(
  request: Signable,
  signed: string[],
  payloadHash: string,
  time: string,
  credentials: Credentials,
  scope: Scope,
): string {
  const canonical = canonicalRequest(request, signed, payloadHash);
  const parts = [time.slice(0, 8), scope.region, scope.service, 'aws4_request'];
  const hash = createHash('sha256').update(canonical).digest('hex');
  return hmac(
    signingKey([`AWS4${credentials.secretAccessKey}`, ...parts].join('\n')),
    [algorithm, time, parts.join('/'), hash].join('\n'),
  ).toString('hex');
}

/** The same for all requests of a day. `lines`: the secret, the day and the scope. */
const signingKey = memoize((lines: string): Buffer => {
  const [secret = '', ...parts] = lines.split('\n');
  return parts.reduce<Buffer>(hmac, Buffer.from(secret));
});

function canonicalRequest({ method, url, headers }: Signable, signed: string[], payloadHash: string): string {
  const [path = '/', query = ''] = splitOnce(url, '?');
  const lines = signed.map((name) => `${name}:${headerText(headers, name).trim().replace(/ +/g, ' ')}`);
  // S3 encodes the path once; the other service here only ever asks for "/", where it makes no difference.
  const canonicalPath = encode(decodeURIComponent(path)).replaceAll('%2F', '/');
  return [method, canonicalPath, canonicalQuery(query), ...lines, '', signed.join(';'), payloadHash].join(
    '\n',
  );
}

function canonicalQuery(query: string): string {
  if (query === '') return '';
  return query
    .split('&')
    .map((pair) => {
      const [name = '', value = ''] = splitOnce(pair, '=');
      return [encode(decodeURIComponent(name)), encode(decodeURIComponent(value))] as const;
    })
    .toSorted(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function mustBeSigned(headers: IncomingHttpHeaders): string[] {
  return ['host', ...Object.keys(headers).filter((name) => name.startsWith('x-amz-'))];
}

function parseTime(time: string): number {
  return Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}

function headerText(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name] ?? '';
  return Array.isArray(value) ? value.join(',') : value;
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
