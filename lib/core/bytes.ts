import { createHash } from 'node:crypto';
/** The bytes themselves and no copy: who clears them clears all that there are. */
export function sameBytes({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** SHA-256 in lower-case hex. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
