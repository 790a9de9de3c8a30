import { rm } from 'node:fs/promises';
import { assemble, checkWholeChecksum, chooseParts } from './assembly.ts';
import { receiveBody, receiveDocument } from './body.ts';
import { checksumElement, checksumHeader, parseAlgorithm } from './checksums.ts';
import type { Algorithm, ChecksumType } from './checksums.ts';
import { writeUnderCondition } from './conditions.ts';
import { S3Error, invalidArgument, invalidRequest } from './errors.ts';
import { encryptionHeaders, etagOf, objectHeaders, quoted } from './headers.ts';
import { xmlAnswer } from './list-requests.ts';
import type { Answer, S3Request } from './request.ts';
import { bucketOf, commitObject } from './store.ts';
import { addPart, createUpload, removeUpload, saveUpload, uploadFolder, uploadOf } from './uploads.ts';
import type { Upload } from './uploads.ts';
import { element, optional } from './xml.ts';

export function createMultipartUpload({ store, uploads, bucket, key, http }: S3Request): Answer {
  const asked = http.headers['x-amz-checksum-algorithm'];
  const algorithm = asked === undefined ? undefined : parseAlgorithm(String(asked));
  const type = checksumType(algorithm, http.headers['x-amz-checksum-type']);
  const headers = objectHeaders(http.headers);
  const upload = createUpload(store, uploads, {
    bucket,
    key,
    headers,
    type,
    ...(algorithm && { algorithm }),
  });
  const answer = xmlAnswer(
    'InitiateMultipartUploadResult',
    element('Bucket', bucket),
    element('Key', key),
    element('UploadId', upload.id),
  );
  const told = algorithm && { 'x-amz-checksum-algorithm': algorithm, 'x-amz-checksum-type': type };
  return { ...answer, headers: { ...answer.headers, ...encryptionHeaders(headers), ...told } };
}

export async function uploadPart({ store, uploads, bucket, key, query, http }: S3Request): Promise<Answer> {
  const text = query.get('partNumber') ?? '';
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > 10_000) {
    const message = 'Part number must be an integer between 1 and 10000, inclusive';
    throw invalidArgument(message, 'partNumber', text);
  }
  const id = query.get('uploadId') ?? '';
  const upload = uploadOf(uploads, id, bucket, key);
  const body = await receiveBody(http, store.temp);
  try {
    checkPartAlgorithm(upload, body.declared ? body.algorithm : undefined);
    uploadOf(uploads, id, bucket, key); // It may have been aborted while the part came in.
    const { md5, size, algorithm, checksum } = body;
    const etag = etagOf(md5, upload.headers);
    const part = {
      number,
      etag,
      md5: md5.toString('hex'),
      size,
      lastModified: Date.now(),
      algorithm,
      checksum,
    };
    addPart(store, upload, body.file, part);
    const told = body.declared ? { [checksumHeader(body.algorithm)]: checksum } : {};
    return { status: 200, headers: { etag: quoted(etag), ...encryptionHeaders(upload.headers), ...told } };
  } finally {
    await rm(body.file, { force: true });
  }
}

export async function completeMultipartUpload(request: S3Request): Promise<Answer> {
  const { store, uploads, ceph, bucket, key, query, http } = request;
  const id = query.get('uploadId') ?? '';
  const upload = uploadOf(uploads, id, bucket, key);
  const write = {
    ...request,
    operation: 'CompleteMultipartUpload',
    headers: http.headers,
    current: () => bucketOf(store, bucket).get(key),
  };
  const object = await writeUnderCondition(write, async (confirm) => {
    if (upload.conflicted) throw begunAgain();
    const chosen = chooseParts(await receiveDocument(http, store.temp, 'object'), upload);
    const whole = await assemble(chosen, upload, uploadFolder(store, upload), store.temp);
    try {
      checkWholeChecksum(http.headers, whole);
      uploadOf(uploads, id, bucket, key); // It may have been aborted meanwhile, or completed by another.
      confirm();
      const { headers } = upload;
      const { file, etag, size, checksum } = whole;
      const committed = commitObject(store, bucket, file, { key, etag, size, headers, checksum });
      removeUpload(store, uploads, upload);
      return committed;
    } finally {
      await rm(whole.file, { force: true });
    }
  }).catch((error: unknown) => {
    if (!ceph && error instanceof S3Error && error.status === 409) {
      upload.conflicted = true;
      if (uploads.has(id)) saveUpload(store, upload);
    }
    throw error;
  });
  const answer = xmlAnswer(
    'CompleteMultipartUploadResult',
    element('Location', `http://${http.headers.host}/${bucket}/${encodeURIComponent(key)}`),
    element('Bucket', bucket),
    element('Key', key),
    element('ETag', quoted(object.etag)),
    ...(object.checksum ? [element(checksumElement(object.checksum.algorithm), object.checksum.value)] : []),
    optional('ChecksumType', object.checksum?.type),
  );
  return { ...answer, headers: { ...answer.headers, ...encryptionHeaders(upload.headers) } };
}

export function abortMultipartUpload({ store, uploads, bucket, key, query }: S3Request): Answer {
  removeUpload(store, uploads, uploadOf(uploads, query.get('uploadId') ?? '', bucket, key));
  return { status: 204 };
}

/** After a 409 the upload has to be begun again: "Conditional write behavior", S3 user guide. */
function begunAgain(): S3Error {
  const message = 'A conflicting operation met this upload. Abort it and begin another.';
  return new S3Error(409, 'ConditionalRequestConflict', message);
}

/** Source: "Full object and composite checksum types", S3 user guide. */
function checksumType(algorithm: Algorithm | undefined, asked: string | string[] | undefined): ChecksumType {
  const fullOnly = algorithm === undefined || algorithm === 'CRC64NVME';
  const type = String(asked ?? (fullOnly ? 'FULL_OBJECT' : 'COMPOSITE')).toUpperCase();
  if (type === 'FULL_OBJECT' && !algorithm?.startsWith('SHA')) return type;
  if (type === 'COMPOSITE' && !fullOnly) return type;
  throw invalidRequest(
    `The ${type} checksum type cannot be used with the ${algorithm?.toLowerCase()} checksum.`,
  );
}

function checkPartAlgorithm(upload: Upload, sent: Algorithm | undefined): void {
  if (upload.algorithm === undefined || upload.algorithm === sent) return;
  const [expected, actual] = [upload.algorithm.toLowerCase(), sent?.toLowerCase() ?? 'null'];
  throw invalidRequest(
    `Checksum Type mismatch occurred, expected checksum Type: ${expected}, actual checksum Type: ${actual}`,
  );
}
