import { createHash } from 'node:crypto';
import * as http from 'node:http';
import * as https from 'node:https';
import { text } from 'node:stream/consumers';
import { sign } from '../support/aws/sigv4.ts';
import type { Target } from './target.ts';

export interface RawRequest {
  method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  key?: string;
  query?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** What `x-amz-content-sha256` says; the truth unless given. */
  payloadHash?: string;
  credentials?: Target['credentials'];
  signedAt?: Date;
  /** Changes a request after it was signed. */
  tamper?: (headers: Record<string, string>) => void;
}

export interface RawAnswer {
  status: number;
  headers: http.IncomingHttpHeaders;
  /** The `Code` of an error document; empty where there is none. */
  code: string;
  body: string;
}

/** Sends what the SDK never would: wrong checksums, wrong signatures, broken bodies. */
export async function sendRaw(target: Target, request: RawRequest): Promise<RawAnswer> {
  const { outgoing, body } = open(target, request);
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve).once('error', reject).end(body);
  });
  const answer = await text(response);
  const [, code = ''] = /<Code>(.*?)<\/Code>/.exec(answer) ?? [];
  return { status: response.statusCode ?? 0, headers: response.headers, code, body: answer };
}

/** Sends the headers and the first half of the body, and hangs up. */
export async function sendHalf(target: Target, request: RawRequest): Promise<void> {
  const { outgoing, body } = open(target, request);
  await new Promise((resolve) => outgoing.write(body.subarray(0, body.length / 2), resolve));
  outgoing.on('error', () => undefined);
  outgoing.destroy();
}

/** An `aws-chunked` body: its chunks, and the lines of its trailer. */
export function chunked(chunks: (string | Buffer)[], ...trailer: string[]): Buffer {
  const pieces = chunks.flatMap((chunk) => [`${Buffer.byteLength(chunk).toString(16)}\r\n`, chunk, '\r\n']);
  const end = ['0\r\n', ...trailer.map((line) => `${line}\r\n`), '\r\n'];
  return Buffer.concat([...pieces, ...end].map(bytes));
}

function open(target: Target, request: RawRequest): { outgoing: http.ClientRequest; body: Buffer } {
  const { method, key = '', query = '', credentials = target.credentials } = request;
  const body = bytes(request.body ?? '');
  const { host, protocol, origin } = new URL(target.endpoint);
  const path = `/${target.bucket}/${target.prefix}${key}`;
  const payloadHash = request.payloadHash ?? createHash('sha256').update(body).digest('hex');
  const headers: Record<string, string> = { host, 'x-amz-content-sha256': payloadHash, ...request.headers };
  if (method === 'PUT' || method === 'POST') headers['content-length'] = String(body.length);
  const url = query === '' ? path : `${path}?${query}`;
  const scope = { region: target.region, service: 's3' };
  const signed = sign({ method, url, headers }, payloadHash, credentials, scope, request.signedAt);
  request.tamper?.(signed);
  const send = protocol === 'https:' ? https.request : http.request;
  return { outgoing: send(origin + url, { method, headers: signed, agent: false }), body };
}

function bytes(content: string | Buffer): Buffer {
  return typeof content === 'string' ? Buffer.from(content) : content;
}
