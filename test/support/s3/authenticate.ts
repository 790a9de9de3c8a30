import type { IncomingMessage } from 'node:http';
import type { Credentials } from '../aws/credentials.ts';
import { verifySignature } from '../aws/sigv4.ts';
import type { SignatureProblem } from '../aws/sigv4.ts';
import { S3Error, invalidRequest } from './errors.ts';

/** Lets a request through or says, as S3 does, why not. Source: "Error responses", Amazon S3 API reference. */
export function authenticate(request: IncomingMessage, credentials: Credentials, region: string): void {
  const { method = '', url = '/', headers } = request;
  const payloadHash = headers['x-amz-content-sha256'];
  if (headers.authorization !== undefined && typeof payloadHash !== 'string') {
    throw invalidRequest('Missing required header for this request: x-amz-content-sha256');
  }
  const scope = { region, service: 's3' };
  const problem = verifySignature({ method, url, headers }, String(payloadHash), credentials, scope);
  if (problem) throw worded(problem, region);
}

function worded(problem: SignatureProblem, region: string): S3Error {
  const [status, code, message] = wording[problem];
  return new S3Error(status, code, message, problem === 'wrong-scope' ? { Region: region } : {});
}

const wording: Record<SignatureProblem, [status: number, code: string, message: string]> = {
  missing: [403, 'AccessDenied', 'Access Denied'],
  malformed: [400, 'AuthorizationHeaderMalformed', 'The authorization header is malformed.'],
  'wrong-scope': [
    400,
    'AuthorizationHeaderMalformed',
    'The authorization header is malformed; the region or the service is wrong.',
  ],
  'unknown-key': [
    403,
    'InvalidAccessKeyId',
    'The AWS Access Key Id you provided does not exist in our records.',
  ],
  'session-token': [400, 'InvalidToken', 'The provided token is malformed or otherwise invalid.'],
  'unsigned-headers': [
    403,
    'AccessDenied',
    'There were headers present in the request which were not signed',
  ],
  skewed: [
    403,
    'RequestTimeTooSkewed',
    'The difference between the request time and the current time is too large.',
  ],
  mismatch: [
    403,
    'SignatureDoesNotMatch',
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
  ],
};
