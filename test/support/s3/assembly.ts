import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { errorCode } from '../aws/errno.ts';
import { checkChecksum, checksumElement, compositeChecksum, declaredChecksum, hasher } from './checksums.ts';
import type { Checksum } from './checksums.ts';
import { S3Error, invalidRequest, malformedXml, noSuchUpload } from './errors.ts';
import { etagOf, unquoted } from './headers.ts';
import type { Part, Upload } from './uploads.ts';
import { contentsOf, textOf } from './xml.ts';

/** Source: "Amazon S3 multipart upload limits", S3 user guide. */
const minimumPart = 5 * 1024 * 1024;

export interface Whole {
  file: string;
  etag: string;
  size: number;
  checksum: Checksum;
}

/**
 * The parts that a CompleteMultipartUpload document lists.
 * Errors: MalformedXML, InvalidPartOrder, InvalidPart, EntityTooSmall; InvalidRequest where the upload has
 * a composite checksum and a part is listed without its own.
 */
export function chooseParts(xml: string, upload: Upload): Part[] {
  const listed = contentsOf(xml, 'Part').map((entry) => ({
    entry,
    number: Number(textOf(entry, 'PartNumber') ?? Number.NaN),
    etag: unquoted(textOf(entry, 'ETag') ?? ''),
  }));
  if (listed.length === 0 || listed.some(({ number }) => !Number.isInteger(number))) throw malformedXml();
  listed.forEach(({ number }, i) => {
    if (number > (listed[i - 1]?.number ?? 0)) return;
    const message = 'The list of parts was not in ascending order. Parts must be ordered by part number.';
    throw new S3Error(400, 'InvalidPartOrder', message, { UploadId: upload.id });
  });
  const parts = listed.map(({ entry, number, etag }) => {
    const part = upload.parts.find((candidate) => candidate.number === number);
    if (part?.etag !== etag) throw invalidPart(upload, number, etag);
    const checksum = textOf(entry, checksumElement(part.algorithm));
    if (checksum === undefined && upload.algorithm && upload.type === 'COMPOSITE') {
      throw missingChecksum(upload.algorithm, number);
    }
    if (checksum !== undefined && checksum !== part.checksum) throw invalidPart(upload, number, etag);
    return part;
  });
  for (const part of parts.slice(0, -1)) if (part.size < minimumPart) throw tooSmall(part);
  return parts;
}

/** Joins the parts in a temporary file, the receiver's to rename or to remove. */
export async function assemble(parts: Part[], upload: Upload, folder: string, temp: string): Promise<Whole> {
  const algorithm = upload.algorithm ?? 'CRC64NVME';
  const composite = upload.type === 'COMPOSITE';
  const full = hasher(algorithm);
  const file = join(temp, randomUUID());
  try {
    await pipeline(
      async function* () {
        for (const part of parts) {
          for await (const chunk of createReadStream(join(folder, part.file)) as AsyncIterable<Buffer>) {
            if (!composite) full.update(chunk);
            yield chunk;
          }
        }
      },
      createWriteStream(file, { flags: 'wx' }),
    );
  } catch (error) {
    await rm(file, { force: true });
    // An abort, or another completion, took the parts away.
    if (errorCode(error) === 'ENOENT') throw noSuchUpload(upload.id);
    throw error;
  }
  const value = composite
    ? compositeChecksum(
        algorithm,
        parts.map((part) => part.checksum),
      )
    : full.digest().toString('base64');
  return {
    file,
    etag: multipartEtag(parts, upload.headers),
    size: parts.reduce((sum, part) => sum + part.size, 0),
    checksum: { algorithm, value, type: upload.type },
  };
}

/** Checks what a completion says of the whole. Errors: BadDigest; InvalidRequest for another size. */
export function checkWholeChecksum(headers: IncomingHttpHeaders, { checksum, size }: Whole): void {
  const stated = headers['x-amz-mp-object-size'];
  if (stated !== undefined && Number(stated) !== size) {
    throw invalidRequest(
      `The provided 'x-amz-mp-object-size' header value ${String(stated)} does not match what was computed: ${size}`,
    );
  }
  const type = headers['x-amz-checksum-type'];
  if (type !== undefined && type !== checksum.type) {
    throw invalidRequest(`The upload was created with the ${checksum.type} checksum type.`);
  }
  const declared = declaredChecksum(headers);
  if (!declared) return;
  if (declared.algorithm !== checksum.algorithm) {
    throw invalidRequest(`The upload was created with the ${checksum.algorithm.toLowerCase()} checksum.`);
  }
  const [digest = ''] = declared.value.split('-');
  checkChecksum(declared.algorithm, digest, checksum.value.split('-')[0] ?? '');
}

/** The MD5 of the parts' MD5s and their number: not a digest of the content. */
function multipartEtag(parts: Part[], headers: Record<string, string>): string {
  const md5 = createHash('md5').update(Buffer.from(parts.map((part) => part.md5).join(''), 'hex'));
  return `${etagOf(md5.digest(), headers)}-${parts.length}`;
}

function missingChecksum(algorithm: string, number: number): S3Error {
  return invalidRequest(
    `The upload was created using a ${algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${number} in the request.`,
  );
}

function invalidPart(upload: Upload, number: number, etag: string): S3Error {
  const message =
    "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.";
  const details = { UploadId: upload.id, PartNumber: String(number), ETag: etag };
  return new S3Error(400, 'InvalidPart', message, details);
}

function tooSmall(part: Part): S3Error {
  const details = {
    ProposedSize: String(part.size),
    MinSizeAllowed: String(minimumPart),
    PartNumber: String(part.number),
    ETag: part.etag,
  };
  const message = 'Your proposed upload is smaller than the minimum allowed size';
  return new S3Error(400, 'EntityTooSmall', message, details);
}
