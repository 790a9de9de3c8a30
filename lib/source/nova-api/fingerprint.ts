import { hash, randomBytes } from 'node:crypto';

/*
 * The API shows no ids of actions and events, so a window identifies them by the server's uuid and the request's id.
 * Neither may leave the process, but the checkpoint does, so it holds salted fingerprints. Testing a fingerprint takes
 * a request id: 122 random bits that only the cloud knows.
 */

export type Parts = readonly (string | number | null)[];
export type Fingerprint = (...parts: Parts) => string;

/** At a million remembered events two are mistaken for one in less than one window of ten million. */
const DIGITS = 11;

export function newSalt(): string {
  return randomBytes(16).toString('base64url');
}

/** 66 bits, in 11 digits of base64url. */
export function fingerprinter(salt: string): Fingerprint {
  return (...parts) => hash('sha256', JSON.stringify([salt, ...parts]), 'base64url').slice(0, DIGITS);
}
