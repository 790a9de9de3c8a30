import { hash } from 'node:crypto';

/** Masks are hashes already. Not hashing them again saves 0.15 s of CPU at a million events, with the report. */
const HASHED = /^(?:[0-9a-f]{32}|[0-9a-f]{40})$/;

/** The fingerprint of a text: a whole number from 1 to 2^52. */
export function fingerprint(text: string): number {
  const digits = HASHED.test(text) ? text : hash('sha256', text, 'hex');
  return Number.parseInt(digits.slice(0, 13), 16) + 1;
}
