import { hash } from 'node:crypto';

/** Hexadecimal digits of a fingerprint: 52 bits. */
const DIGITS = 13;

/** What a digit is worth, by its code; -1 for any other character. */
const VALUES = Int8Array.from({ length: 128 }, (_, code) =>
  '0123456789abcdef'.indexOf(String.fromCharCode(code)),
);

/**
 * The fingerprint of a text: a whole number from 1 to 2^52. Masks and other texts of their lengths that begin with as
 * many digits are hashes already. They are not hashed again, and read without a regular expression: a million events
 * take hundreds of thousands of fingerprints.
 */
export function fingerprint(text: string): number {
  const isHashLong = text.length === 32 || text.length === 40;
  return (
    (isHashLong ? leadingDigits(text) : undefined) ?? (leadingDigits(hash('sha256', text, 'hex')) as number)
  );
}

/** The number that the first digits make, plus one; undefined where one of them is no digit. */
function leadingDigits(text: string): number | undefined {
  let number = 0;
  for (let at = 0; at < DIGITS; at++) {
    const value = VALUES[text.charCodeAt(at)] ?? -1;
    if (value < 0) return undefined;
    number = number * 16 + value;
  }
  return number + 1;
}
