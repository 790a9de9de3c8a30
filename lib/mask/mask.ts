import { hash } from 'node:crypto';
import type { Masked } from './masked-event.ts';

/**
 * - `sha2-salted`: `sha256(secret ‖ utf8(value))`, lower-case hex, first 32 digits.
 * - `sha1-raw`: `sha1(utf8(value))`, 40 digits, unkeyed: who knows a value finds its mask. Legacy.
 * - `none`: the value itself, for debugging.
 */
export const MASKING_METHODS = ['sha2-salted', 'sha1-raw', 'none'] as const;
export type MaskingMethod = (typeof MASKING_METHODS)[number];

/** Null stays null and empty stays empty: both would otherwise look like a real value that many share. */
export interface Mask {
  (value: string): Masked;
  (value: string | null): Masked | null;
}

/** The same secret for all columns and tables of a trace, so that tables join. */
export function createMask(method: MaskingMethod, secret: Buffer): Mask {
  const digest = digestOf(method, secret);
  const mask = (value: string | null): Masked | null => {
    if (value === null) return null;
    return (value === '' ? '' : digest(value)) as Masked;
  };
  return mask as Mask;
}

function digestOf(method: MaskingMethod, secret: Buffer): (value: string) => string {
  switch (method) {
    case 'none':
      return (value) => value;
    case 'sha1-raw':
      return (value) => hash('sha1', value, 'hex');
    case 'sha2-salted':
      return saltedDigest(secret);
  }
}

/**
 * Puts secret and value together in one place that is used again and cleared of the secret each time. Buffers that
 * are joined anew for every value would leave the secret behind wherever they lay.
 */
function saltedDigest(secret: Buffer): (value: string) => string {
  let place = Buffer.alloc(secret.length + 256);
  return (value) => {
    // A UTF-16 unit takes three bytes of UTF-8 at the most.
    const most = secret.length + value.length * 3;
    if (place.length < most) place = Buffer.alloc(most);
    secret.copy(place);
    try {
      const end = secret.length + place.write(value, secret.length, 'utf8');
      return hash('sha256', place.subarray(0, end), 'hex').slice(0, 32);
    } finally {
      place.fill(0, 0, secret.length);
    }
  };
}
