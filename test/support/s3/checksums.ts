import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { crc32 } from 'node:zlib';
import { crc32c, crc64nvme } from './crc.ts';
import { S3Error, invalidRequest, notImplemented } from './errors.ts';

/** Source: "Checking object integrity in Amazon S3", S3 user guide. */
export type Algorithm = 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'SHA1' | 'SHA256';
export type ChecksumType = 'FULL_OBJECT' | 'COMPOSITE';

export interface Checksum {
  algorithm: Algorithm;
  /** Base64; a composite one carries the number of parts: `…-3`. */
  value: string;
  type: ChecksumType;
}

export interface Hasher {
  update(data: Buffer): void;
  digest(): Buffer;
}

const hashers: Record<Algorithm, () => Hasher> = {
  CRC32: () => {
    let state = 0;
    return { update: (data) => void (state = crc32(data, state)), digest: () => bytes32(state) };
  },
  CRC32C: () => {
    let state = 0;
    return { update: (data) => void (state = crc32c(data, state)), digest: () => bytes32(state) };
  },
  CRC64NVME: () => {
    let state = 0n;
    return { update: (data) => void (state = crc64nvme(data, state)), digest: () => bytes64(state) };
  },
  SHA1: () => createHash('sha1'),
  SHA256: () => createHash('sha256'),
};

const sizes: Record<Algorithm, number> = { CRC32: 4, CRC32C: 4, CRC64NVME: 8, SHA1: 20, SHA256: 32 };

export function hasher(algorithm: Algorithm): Hasher {
  return hashers[algorithm]();
}

export function checksumHeader(algorithm: Algorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

export function checksumElement(algorithm: Algorithm): string {
  return `Checksum${algorithm}`;
}

export function checksumHeaders(checksum: Checksum | undefined): Record<string, string> {
  if (!checksum) return {};
  return { [checksumHeader(checksum.algorithm)]: checksum.value, 'x-amz-checksum-type': checksum.type };
}

/** The algorithm named by `x-amz-checksum-algorithm` and the like. */
export function parseAlgorithm(text: string): Algorithm {
  const name = text.toUpperCase();
  if (isAlgorithm(name)) return name;
  throw notImplemented(`the checksum algorithm ${text}`);
}

function isAlgorithm(name: string): name is Algorithm {
  return Object.hasOwn(hashers, name);
}

/** The value of the one `x-amz-checksum-<algorithm>` header, if there is one. */
export function declaredChecksum(
  headers: IncomingHttpHeaders,
): { algorithm: Algorithm; value: string } | undefined {
  const names = Object.keys(headers).filter(
    (name) => name.startsWith('x-amz-checksum-') && !/-(mode|type|algorithm)$/.test(name),
  );
  const [name] = names;
  if (names.length > 1) {
    throw invalidRequest(
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    );
  }
  if (name === undefined) return undefined;
  return {
    algorithm: parseAlgorithm(name.slice('x-amz-checksum-'.length)),
    value: String(headers[name]),
  };
}

export function checkChecksum(algorithm: Algorithm, declared: string, actual: string): void {
  if (Buffer.from(declared, 'base64').length !== sizes[algorithm]) {
    throw invalidRequest(`Value for ${checksumHeader(algorithm)} header is invalid.`);
  }
  if (declared === actual) return;
  const message = `The ${algorithm} you specified did not match the calculated checksum.`;
  throw new S3Error(400, 'BadDigest', message);
}

/** The checksum of the parts' checksums, which is what S3 keeps for a multipart object by default. */
export function compositeChecksum(algorithm: Algorithm, parts: string[]): string {
  const whole = hasher(algorithm);
  for (const part of parts) whole.update(Buffer.from(part, 'base64'));
  return `${whole.digest().toString('base64')}-${parts.length}`;
}

function bytes32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function bytes64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}
