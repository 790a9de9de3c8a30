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
      return (value) =>
        hash('sha256', Buffer.concat([secret, Buffer.from(value, 'utf8')]), 'hex').slice(0, 32);
  }
}
