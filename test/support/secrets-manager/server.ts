import { createHash, randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { randomCredentials } from '../aws/credentials.ts';
import type { Credentials } from '../aws/credentials.ts';
import { askHook } from '../aws/faults.ts';
import type { Fault, RequestHook } from '../aws/faults.ts';
import { listen } from '../aws/listen.ts';
import { verifySignature } from '../aws/sigv4.ts';
import type { SignatureProblem } from '../aws/sigv4.ts';
import { operations } from './operations.ts';
import type { Input } from './operations.ts';
import { SecretsManagerError } from './secrets.ts';
import type { Secrets } from './secrets.ts';

export interface RequestRecord {
  /** As the API reference names it, such as `GetSecretValue`. */
  operation: string;
  /** Name or ARN, as the client gave it. */
  secretId: string | undefined;
  headers: IncomingHttpHeaders;
  /** Absent until the request is answered, and for good where the connection was reset. */
  status?: number;
}

export interface LocalSecretsManager extends Credentials {
  endpoint: string;
  region: string;
  /** Every request so far, in the order of their arrival. */
  requests(): RequestRecord[];
  stop(): Promise<void>;
}

export interface LocalSecretsManagerOptions {
  port?: number;
  region?: string;
  /** Made anew for every server unless given, so that several stand-ins can share them. */
  credentials?: Credentials;
  /** Errors such as AccessDeniedException are injected here: the server knows no policies. */
  onRequest?: RequestHook<RequestRecord>;
}

/** Starts a Secrets Manager on the loopback address. Its secrets are in memory, and gone when it stops. */
export async function startSecretsManager(
  options: LocalSecretsManagerOptions = {},
): Promise<LocalSecretsManager> {
  const { accessKeyId, secretAccessKey } = options.credentials ?? randomCredentials();
  const region = options.region ?? 'us-east-1';
  const server: Serving = {
    secrets: new Map(),
    records: [],
    credentials: { accessKeyId, secretAccessKey },
    region,
    onRequest: options.onRequest,
  };
  const listening = await listen((request, response) => serve(server, request, response), options.port);
  return { ...listening, region, accessKeyId, secretAccessKey, requests: () => [...server.records] };
}

interface Serving {
  secrets: Secrets;
  records: RequestRecord[];
  credentials: Credentials;
  region: string;
  onRequest: RequestHook<RequestRecord> | undefined;
}

async function serve(server: Serving, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const body = await buffer(request);
    const record = recordOf(request, body);
    server.records.push(record);
    const fault = await askHook(server.onRequest, record, response);
    if (fault === 'gone') return;
    if (fault && fault.when !== 'after') return inject(fault, request, response, record);
    const answer = perform(server, request, record.operation, body);
    if (fault) return inject(fault, request, response, record);
    send(answer, response, record);
  } catch {
    response.destroy(); // The client has gone: there is no one to tell.
  }
}

function recordOf(request: IncomingMessage, body: Buffer): RequestRecord {
  const { authorization: _, ...headers } = request.headers;
  const target = String(headers['x-amz-target'] ?? '');
  const operation = target.startsWith('secretsmanager.') ? target.slice('secretsmanager.'.length) : '';
  const id = parse(body)?.['SecretId'];
  return { operation, secretId: typeof id === 'string' ? id : undefined, headers };
}

interface Answer {
  status: number;
  content: object;
}

function perform(server: Serving, request: IncomingMessage, operation: string, body: Buffer): Answer {
  try {
    authenticate(server, request, body);
    const run = operations[operation];
    if (!run) throw new SecretsManagerError('UnknownOperationException', `No such operation: ${operation}`);
    const input = parse(body);
    if (!input) throw new SecretsManagerError('SerializationException', 'The body is not a JSON object');
    return { status: 200, content: run(server.secrets, input, server.region) };
  } catch (error) {
    if (error instanceof SecretsManagerError) return errorAnswer(error.status, error.code, error.message);
    return errorAnswer(500, 'InternalServiceError', String(error));
  }
}

function authenticate(server: Serving, request: IncomingMessage, body: Buffer): void {
  const { method = '', url = '/', headers } = request;
  const hash = createHash('sha256').update(body).digest('hex');
  const scope = { region: server.region, service: 'secretsmanager' };
  const problem = verifySignature({ method, url, headers }, hash, server.credentials, scope);
  if (problem) throw new SecretsManagerError(...wording[problem]);
}

/** Source: "Common Errors", AWS Secrets Manager API reference. */
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

function inject(
  fault: Fault,
  request: IncomingMessage,
  response: ServerResponse,
  record: RequestRecord,
): void {
  if ('reset' in fault) request.socket.resetAndDestroy();
  else send(errorAnswer(fault.status, fault.code, fault.message ?? fault.code), response, record);
}

function errorAnswer(status: number, code: string, message: string): Answer {
  return { status, content: { __type: code, Message: message, message } };
}

function send({ status, content }: Answer, response: ServerResponse, record: RequestRecord): void {
  record.status = status;
  response.writeHead(status, {
    'content-type': 'application/x-amz-json-1.1',
    'x-amzn-requestid': randomUUID(),
  });
  response.end(JSON.stringify(content));
}

function parse(body: Buffer): Input | undefined {
  try {
    const input: unknown = JSON.parse(body.toString());
    return typeof input === 'object' && input !== null ? { ...input } : undefined;
  } catch {
    return undefined;
  }
}
