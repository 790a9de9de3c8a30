import { hash } from 'node:crypto';
import type { Seconds } from '../time.ts';

declare const masked: unique symbol;

/** Text that may leave the process. Only a mask makes one, so that an unmasked record cannot be written. */
export type Masked = string & { readonly [masked]: true };

export interface MaskedInstance {
  readonly uuid: Masked;
  readonly hostname: Masked | null;
  readonly userId: Masked | null;
  readonly projectId: Masked | null;
  readonly memoryMb: number | null;
  readonly rootGb: number | null;
  readonly vcpus: number | null;
}

export interface MaskedEvent {
  readonly instance: MaskedInstance;
  readonly event: string | null;
  readonly start: Seconds;
  readonly finish: Seconds;
  readonly result: string | null;
  readonly host: Masked | null;
}

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

/** Users, projects, hosts and recent servers come up again and again; about 200 bytes each. */
const REMEMBERED = 3000;

/** The same secret for all columns and tables of a trace, so that tables join. */
export function createMask(method: MaskingMethod, secret: Buffer): Mask {
  const digest = digestOf(method, secret);
  const remembered = new Map<string, Masked>();
  const mask = (value: string | null): Masked | null => {
    if (value === null) return null;
    const known = remembered.get(value);
    if (known !== undefined) return known;
    const made = (value === '' ? '' : digest(value)) as Masked;
    if (remembered.size >= REMEMBERED) remembered.clear();
    remembered.set(value, made);
    return made;
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
