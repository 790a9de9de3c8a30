import { S3Error } from './errors.ts';

const minimumChunk = 8192;

/**
 * The content of an `aws-chunked` body with unsigned chunks; its trailer goes to `onTrailer`, names in
 * lower case. The body is `(hex size CRLF data CRLF)* 0 CRLF (name:value CRLF)* CRLF`.
 *
 * Source: "Using trailers with chunked uploads" and "Signature calculations … chunked upload", Amazon S3
 * API reference; the latter for the rule that only the last chunk may be smaller than 8 KiB.
 */
export async function* decodeChunked(
  body: AsyncIterable<Buffer>,
  onTrailer: (trailer: Record<string, string>) => void,
): AsyncGenerator<Buffer> {
  const source = body[Symbol.asyncIterator]();
  try {
    onTrailer(yield* chunks(lineReader(source)));
  } finally {
    await source.return?.();
  }
}

type Input = ReturnType<typeof lineReader>;

async function* chunks(input: Input): AsyncGenerator<Buffer, Record<string, string>> {
  let short: { number: number; size: number } | undefined;
  for (let number = 1; ; number++) {
    const size = parseSize(await input.line());
    if (size === 0) break;
    if (short) throw chunkTooSmall(short.number, short.size);
    if (size < minimumChunk) short = { number, size };
    yield* input.bytes(size);
    if ((await input.line()) !== '') throw incompleteBody();
  }
  const trailer: Record<string, string> = {};
  for (let line = await input.line(); line !== ''; line = await input.line()) {
    const colon = line.indexOf(':');
    if (colon < 0) throw malformedTrailer();
    trailer[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  return trailer;
}

export function incompleteBody(): S3Error {
  return new S3Error(400, 'IncompleteBody', 'The request body terminated unexpectedly');
}

export function malformedTrailer(): S3Error {
  const message =
    'The request contained trailing data that was not well-formed or did not conform to our published schema.';
  return new S3Error(400, 'MalformedTrailerError', message);
}

function chunkTooSmall(chunk: number, size: number): S3Error {
  const message = 'Only the last chunk is allowed to have a size less than 8192 bytes';
  return new S3Error(403, 'InvalidChunkSizeError', message, {
    Chunk: String(chunk),
    BadChunkSize: String(size),
  });
}

function parseSize(line: string): number {
  const [hex = ''] = line.split(';');
  if (!/^[0-9a-f]{1,12}$/i.test(hex)) throw incompleteBody();
  return Number.parseInt(hex, 16);
}

/** Reads lines and counted bytes alternately; neither holds more than what arrived in one piece. */
function lineReader(source: AsyncIterator<Buffer>) {
  let rest: Buffer = Buffer.alloc(0);

  async function more(): Promise<Buffer> {
    const { done, value } = await source.next();
    if (done) throw incompleteBody();
    return value;
  }

  return {
    async line(): Promise<string> {
      let end = rest.indexOf('\r\n');
      while (end < 0) {
        if (rest.length > 4096) throw incompleteBody();
        rest = Buffer.concat([rest, await more()]);
        end = rest.indexOf('\r\n');
      }
      const line = rest.toString('latin1', 0, end);
      rest = rest.subarray(end + 2);
      return line;
    },
    async *bytes(count: number): AsyncGenerator<Buffer> {
      for (let left = count; left > 0;) {
        if (rest.length === 0) rest = await more();
        const piece = rest.subarray(0, left);
        rest = rest.subarray(piece.length);
        left -= piece.length;
        yield piece;
      }
    },
  };
}
