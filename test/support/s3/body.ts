import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { checkChecksum, checksumHeader, declaredChecksum, hasher, parseAlgorithm } from './checksums.ts';
import type { Algorithm } from './checksums.ts';
import { decodeChunked, incompleteBody, malformedTrailer } from './chunked.ts';
import { S3Error, invalidRequest, malformedXml, notImplemented } from './errors.ts';

export interface ReceivedBody {
  /** A temporary file, the receiver's to rename or to remove. */
  file: string;
  size: number;
  md5: Buffer;
  /** Base64, by the algorithm that the client used; CRC64NVME, as in S3, where it used none. */
  algorithm: Algorithm;
  checksum: string;
  /** Whether the client sent a checksum, and S3 therefore answers with one. */
  declared: boolean;
}

const streamingUnsigned = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';
const trailerPrefix = 'x-amz-checksum-';

/**
 * Streams the body of a request into a file, and checks everything that the client said of it: length,
 * `Content-MD5`, `x-amz-content-sha256` and checksum, in a header or in a trailer. A body that fails, or
 * whose client goes away, leaves no file.
 *
 * Errors: IncompleteBody, BadDigest, InvalidDigest, XAmzContentSHA256Mismatch, InvalidChunkSizeError,
 * MalformedTrailerError, MissingContentLength.
 */
export async function receiveBody(
  request: IncomingMessage,
  folder: string,
  withChecksum = true,
): Promise<ReceivedBody> {
  const expectation = expect(request, withChecksum);
  const file = join(folder, randomUUID());
  try {
    return await receiveInto(file, request, expectation);
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
}

/**
 * The body of a request that is a small document, checked like any other, except where the checksum header
 * `isOf` the object and not of the document.
 */
export async function receiveDocument(
  request: IncomingMessage,
  folder: string,
  isOf: 'document' | 'object' = 'document',
): Promise<string> {
  const { file, size } = await receiveBody(request, folder, isOf === 'document');
  try {
    if (size > 4 * 1024 * 1024) throw malformedXml();
    return await readFile(file, 'utf8');
  } finally {
    await rm(file, { force: true });
  }
}

interface Expectation {
  chunked: boolean;
  length: number;
  md5: string | undefined;
  sha256: string | undefined;
  algorithm: Algorithm | undefined;
  /** Absent where it comes in the trailer. */
  checksum: string | undefined;
}

function expect({ headers }: IncomingMessage, withChecksum: boolean): Expectation {
  const payload = String(headers['x-amz-content-sha256'] ?? '');
  const chunked = payload === streamingUnsigned;
  if (payload.startsWith('STREAMING-') && !chunked) throw notImplemented(payload);
  const length = headers[chunked ? 'x-amz-decoded-content-length' : 'content-length'];
  if (length === undefined && (chunked || headers['transfer-encoding'])) {
    throw new S3Error(411, 'MissingContentLength', 'You must provide the Content-Length HTTP header.');
  }
  const trailer = headers['x-amz-trailer'];
  const inHeader = withChecksum ? declaredChecksum(headers) : undefined;
  if (trailer !== undefined && (!chunked || inHeader || !String(trailer).startsWith(trailerPrefix))) {
    throw invalidRequest('The value specified in the x-amz-trailer header is not supported');
  }
  const algorithm = trailer
    ? parseAlgorithm(String(trailer).slice(trailerPrefix.length))
    : inHeader?.algorithm;
  if (withChecksum && headers['x-amz-sdk-checksum-algorithm'] !== undefined && !algorithm) {
    throw invalidRequest(
      'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    );
  }
  const md5 = headers['content-md5'] === undefined ? undefined : String(headers['content-md5']);
  if (md5 !== undefined && Buffer.from(md5, 'base64').length !== 16) {
    throw new S3Error(400, 'InvalidDigest', 'The Content-MD5 you specified was invalid.');
  }
  return {
    chunked,
    length: Number(length ?? 0),
    md5,
    sha256: /^[0-9a-f]{64}$/.test(payload) ? payload : undefined,
    algorithm,
    checksum: inHeader?.value,
  };
}

async function receiveInto(
  file: string,
  request: IncomingMessage,
  expected: Expectation,
): Promise<ReceivedBody> {
  const algorithm = expected.algorithm ?? 'CRC64NVME';
  const md5 = createHash('md5');
  const sha256 = expected.sha256 === undefined ? undefined : createHash('sha256');
  const checksum = hasher(algorithm);
  let trailer: Record<string, string> = {};
  let size = 0;
  // A refused body is read to its end by the server: the client is still sending, and has to hear the answer.
  const raw = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  await pipeline(
    expected.chunked ? decodeChunked(raw, (found) => void (trailer = found)) : raw,
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        size += chunk.length;
        md5.update(chunk);
        sha256?.update(chunk);
        checksum.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(file, { flags: 'wx' }),
  );
  if (size !== expected.length) throw incompleteBody();
  const received = {
    file,
    size,
    md5: md5.digest(),
    algorithm,
    checksum: checksum.digest().toString('base64'),
  };
  if (sha256 && sha256.digest('hex') !== expected.sha256) {
    const message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
    throw new S3Error(400, 'XAmzContentSHA256Mismatch', message);
  }
  if (expected.md5 !== undefined && expected.md5 !== received.md5.toString('base64')) {
    const message = 'The Content-MD5 you specified did not match what we received.';
    throw new S3Error(400, 'BadDigest', message);
  }
  const declared = trailer[checksumHeader(algorithm)] ?? expected.checksum;
  if (expected.algorithm && declared === undefined) throw malformedTrailer();
  if (declared !== undefined) checkChecksum(algorithm, declared, received.checksum);
  return { ...received, declared: declared !== undefined };
}
