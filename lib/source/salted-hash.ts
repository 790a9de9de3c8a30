import { hash, randomBytes } from 'node:crypto';

export function newSalt(): string {
  return randomBytes(16).toString('hex');
}

/** Enough digits that no two of some hundred thousand are alike. */
export function saltedHash(salt: string, value: string): string {
  return hash('sha256', `${salt}/${value}`, 'hex').slice(0, 20);
}
