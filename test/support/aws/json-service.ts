import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { type Credentials, randomCredentials } from './credentials.ts';
import { type Fault, type RequestHook, askHook } from './faults.ts';
import { type Listening, listen } from './listen.ts';
import { type SignatureProblem, verifySignature } from './sigv4.ts';

export type Input = Record<string, unknown>;

/** What a service refuses a request with. */
export class ServiceError extends Error {
  override name = 'ServiceError';
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export interface JsonServiceOptions<Kept> {
  /** As signatures name it. */
  readonly service: string;
  /** What stands before the operation in `X-Amz-Target`. */
  readonly target: string;
  readonly version: '1.0' | '1.1';
  readonly operations: Readonly<Record<string, (input: Input, region: string) => object>>;
  /** What is kept of a request. */
  readonly record: (request: JsonRequest) => Kept;
  readonly port?: number | undefined;
  readonly region?: string | undefined;
  /** Each server makes its own unless they are given. Several fakes can share them that way. */
  readonly credentials?: Credentials | undefined;
  /** Errors such as AccessDeniedException are injected here: the server knows no policies. */
  readonly onRequest?: RequestHook<Kept> | undefined;
}

export interface JsonRequest {
  /** As the API reference names it, such as `GetSecretValue`. */
  operation: string;
  /** Without that which signs. */
  headers: IncomingMessage['headers'];
  /** Undefined where the body is not a JSON object. */
  input: Input | undefined;
}

export interface JsonService<Kept> extends Listening, Credentials {
  region: string;
  /** Every request so far, in the order of their arrival. */
  requests(): Kept[];
}

/** Serves one of the services whose requests and answers are JSON, on the loopback address. */
export async function startJsonService<Kept extends { status?: number }>(
  options: JsonServiceOptions<Kept>,
): Promise<JsonService<Kept>> {
  const { accessKeyId, secretAccessKey } = options.credentials ?? randomCredentials();
  const region = options.region ?? 'us-east-1';
  const records: Kept[] = [];
  const serving = { ...options, region, records, credentials: { accessKeyId, secretAccessKey } };
  const listening = await listen((request, response) => serve(serving, request, response), options.port);
  return { ...listening, region, accessKeyId, secretAccessKey, requests: () => [...records] };
}

interface Serving<Kept> extends JsonServiceOptions<Kept> {
  region: string;
  records: Kept[];
  credentials: Credentials;
}

async function serve<Kept extends { status?: number }>(
  serving: Serving<Kept>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const body = await buffer(request);
    const { authorization: _, ...headers } = request.headers;
    const target = String(headers['x-amz-target'] ?? '');
    const operation = target.startsWith(`${serving.target}.`) ? target.slice(serving.target.length + 1) : '';
    const record = serving.record({ operation, headers, input: parse(body) });
    serving.records.push(record);
    const fault = await askHook(serving.onRequest, record, response);
    if (fault === 'gone') return;
    const send = ({ status, content }: Answer): void => {
      record.status = status;
      const type = `application/x-amz-json-${serving.version}`;
      response.writeHead(status, { 'content-type': type, 'x-amzn-requestid': randomUUID() });
      response.end(JSON.stringify(content));
    };
    if (fault && fault.when !== 'after') return inject(fault, request, send);
    const answer = perform(serving, request, operation, body);
    if (fault) return inject(fault, request, send);
    send(answer);
  } catch {
    response.destroy(); // The client has gone: there is no one to tell.
  }
}

interface Answer {
  status: number;
  content: object;
}

function perform<Kept>(
  serving: Serving<Kept>,
  request: IncomingMessage,
  operation: string,
  body: Buffer,
): Answer {
  try {
    authenticate(serving, request, body);
    const run = serving.operations[operation];
    if (!run) throw new ServiceError('UnknownOperationException', `No such operation: ${operation}`);
    const input = parse(body);
    if (!input) throw new ServiceError('SerializationException', 'The body is not a JSON object');
    return { status: 200, content: run(input, serving.region) };
  } catch (error) {
    if (error instanceof ServiceError) return errorAnswer(error.status, error.code, error.message);
    return errorAnswer(500, 'InternalServiceError', String(error));
  }
}

function authenticate<Kept>(serving: Serving<Kept>, request: IncomingMessage, body: Buffer): void {
  const { method = '', url = '/', headers } = request;
  const hash = createHash('sha256').update(body).digest('hex');
  const scope = { region: serving.region, service: serving.service };
  const problem = verifySignature({ method, url, headers }, hash, serving.credentials, scope);
  if (problem) throw new ServiceError(...wording[problem]);
}

/** Source: "Common Errors" in the API references of AWS Secrets Manager and AWS Step Functions. */
const wording: Record<SignatureProblem, [code: string, message: string]> = {
  missing: ['MissingAuthenticationTokenException', 'Missing Authentication Token'],
  malformed: ['IncompleteSignatureException', 'The authorization header is malformed.'],
  'unsigned-headers': ['IncompleteSignatureException', 'Not every header of AWS is signed.'],
  'wrong-scope': ['InvalidSignatureException', 'Credential should be scoped to a valid region.'],
  'unknown-key': ['UnrecognizedClientException', 'The security token included in the request is invalid.'],
  'session-token': ['UnrecognizedClientException', 'The security token included in the request is invalid.'],
  skewed: ['InvalidSignatureException', 'Signature expired or not yet current.'],
  mismatch: [
    'InvalidSignatureException',
    'The request signature we calculated does not match the signature you provided.',
  ],
};

function inject(fault: Fault, request: IncomingMessage, send: (answer: Answer) => void): void {
  if ('reset' in fault) request.socket.resetAndDestroy();
  else send(errorAnswer(fault.status, fault.code, fault.message ?? fault.code));
}

function errorAnswer(status: number, code: string, message: string): Answer {
  return { status, content: { __type: code, Message: message, message } };
}

function parse(body: Buffer): Input | undefined {
  try {
    const input: unknown = JSON.parse(body.toString());
    return typeof input === 'object' && input !== null ? { ...input } : undefined;
  } catch {
    return undefined;
  }
}

/** @throws ServiceError where it is there and not a string */
export function text(input: Input, name: string): string | undefined {
  const value = input[name];
  if (value === undefined || typeof value === 'string') return value;
  throw new ServiceError('SerializationException', `${name} is not a string`);
}
