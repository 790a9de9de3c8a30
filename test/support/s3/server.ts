import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { randomCredentials } from '../aws/credentials.ts';
import type { Credentials } from '../aws/credentials.ts';
import { askHook } from '../aws/faults.ts';
import type { Fault, RequestHook } from '../aws/faults.ts';
import { listen } from '../aws/listen.ts';
import { authenticate } from './authenticate.ts';
import { type CephOptions, likeCeph } from './ceph.ts';
import { S3Error, errorDocument, notImplemented } from './errors.ts';
import { refuseUnknownHeaders } from './headers.ts';
import { openStore } from './load.ts';
import { operations } from './operations.ts';
import { checkKey, operationOf, parseTarget } from './request.ts';
import type { Answer, Shared } from './request.ts';
import { bucketOf } from './store.ts';
import { loadUploads } from './uploads.ts';

export interface RequestRecord {
  method: string;
  bucket: string;
  key: string;
  /** As the API reference names it, such as `PutObject`; `Unsupported` for what is refused with 501. */
  operation: string;
  /** Of a request about one multipart upload. */
  uploadId?: string;
  headers: IncomingHttpHeaders;
  /** Absent until the request is answered, and for good where the connection was reset. */
  status?: number;
}

export interface LocalS3 extends Credentials {
  endpoint: string;
  region: string;
  folder: string;
  /** Every request so far, in the order of their arrival. */
  requests(): RequestRecord[];
  stop(): Promise<void>;
}

export interface LocalS3Options {
  /** Where the objects lie, as `<bucket>/<key>`; a later server on the same folder has them again. */
  folder: string;
  buckets: string[];
  port?: number;
  region?: string;
  /** Each server makes its own unless they are given. Several fakes can share them that way. */
  credentials?: Credentials;
  onRequest?: RequestHook<RequestRecord>;
  /** Has the server treat writes that meet as a Ceph gateway does. */
  ceph?: CephOptions | undefined;
  /** Conditions that the server does not look at, as many do: `If-Match on PutObject`. */
  ignored?: readonly string[] | undefined;
}

/** Starts an S3 server on the loopback address. At any time, a folder has at most one. */
export async function startS3(options: LocalS3Options): Promise<LocalS3> {
  const { accessKeyId, secretAccessKey } = options.credentials ?? randomCredentials();
  const folder = resolve(options.folder);
  const region = options.region ?? 'us-east-1';
  const store = await openStore(folder, options.buckets);
  const server: Serving = {
    shared: {
      store,
      uploads: loadUploads(store),
      claims: new Map(),
      ceph: options.ceph && likeCeph(options.ceph),
      ignored: options.ignored ?? [],
    },
    records: [],
    admit: (request) => authenticate(request, { accessKeyId, secretAccessKey }, region),
    onRequest: options.onRequest,
  };
  const listening = await listen((request, response) => serve(server, request, response), options.port);
  return { ...listening, region, accessKeyId, secretAccessKey, folder, requests: () => [...server.records] };
}

interface Serving {
  shared: Shared;
  records: RequestRecord[];
  admit: (request: IncomingMessage) => void;
  onRequest: RequestHook<RequestRecord> | undefined;
}

async function serve(server: Serving, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const record = recordOf(request);
  server.records.push(record);
  const id = randomUUID();
  try {
    const fault = await askHook(server.onRequest, record, response);
    if (fault === 'gone') return;
    if (fault && fault.when !== 'after') return await inject(fault, request, response, record, id);
    const answer = await perform(server, request).catch((error: unknown) => errorAnswer(error, request, id));
    if (fault) {
      if (answer.body instanceof Readable) answer.body.destroy();
      return await inject(fault, request, response, record, id);
    }
    await send(answer, request, response, record, id);
  } catch {
    response.destroy(); // The client has gone, or the answer broke off: there is no one to tell.
  }
}

function recordOf(request: IncomingMessage): RequestRecord {
  const { method = '', url = '/' } = request;
  const { authorization: _, ...headers } = request.headers;
  try {
    const target = parseTarget(url);
    const operation = operationOf(method, target) ?? 'Unsupported';
    const uploadId = target.query.get('uploadId');
    const about = uploadId === null || uploadId === undefined ? {} : { uploadId };
    return { method, bucket: target.bucket, key: target.key, operation, ...about, headers };
  } catch {
    return { method, bucket: '', key: '', operation: 'Unsupported', headers };
  }
}

async function perform({ shared, admit }: Serving, http: IncomingMessage): Promise<Answer> {
  const { method = '', url = '/' } = http;
  const target = parseTarget(url);
  admit(http);
  const operation = operations[operationOf(method, target) ?? ''];
  if (!operation)
    throw notImplemented(`${method} with these parameters: ${[...target.query.keys()].join(', ')}`);
  bucketOf(shared.store, target.bucket);
  checkKey(target.key);
  refuseUnknownHeaders(http.headers);
  return operation({ ...shared, ...target, http });
}

function inject(
  fault: Fault,
  request: IncomingMessage,
  response: ServerResponse,
  record: RequestRecord,
  id: string,
): Promise<void> {
  if ('reset' in fault) {
    request.socket.resetAndDestroy();
    return Promise.resolve();
  }
  const error = new S3Error(fault.status, fault.code, fault.message ?? fault.code);
  return send(errorAnswer(error, request, id), request, response, record, id);
}

function errorAnswer(error: unknown, request: IncomingMessage, id: string): Answer {
  const told =
    error instanceof S3Error
      ? error
      : new S3Error(500, 'InternalError', error instanceof Error ? error.message : String(error));
  const body = errorDocument(told, request.url?.split('?')[0] ?? '/', id);
  return { status: told.status, headers: { ...told.headers, 'content-type': 'application/xml' }, body };
}

async function send(
  answer: Answer,
  request: IncomingMessage,
  response: ServerResponse,
  record: RequestRecord,
  id: string,
): Promise<void> {
  request.resume(); // What an early answer left unread.
  record.status = answer.status;
  response.writeHead(answer.status, { ...answer.headers, 'x-amz-request-id': id, server: 'LocalS3' });
  if (answer.body instanceof Readable && request.method !== 'HEAD') return pipeline(answer.body, response);
  response.end(request.method === 'HEAD' || typeof answer.body !== 'string' ? undefined : answer.body);
}
