/** The bytes themselves and no copy: who clears them clears all that there are. */
export function sameBytes({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
