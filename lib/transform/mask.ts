import { hash } from 'node:crypto';
import type { MaskingMethod } from '../config/choices.ts';
import type { Mask, Masked } from '../tables/table.ts';

/** Masks by one of the methods, always with the same secret. */
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
 * Joins secret and value in one reused buffer and clears the secret from it each time. A new buffer for every value
 * would leave the secret behind in memory.
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
