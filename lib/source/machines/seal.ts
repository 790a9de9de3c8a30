import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { MachineName } from '../../tables/machines/row.ts';

/** Keeps names in the state so that nobody can read them without the key. */
export interface Seal {
  /** @param key what the name belongs to, which is sealed with it */
  readonly close: (key: string, name: MachineName) => string;
  /** Undefined where another key sealed it. */
  readonly open: (key: string, sealed: string) => MachineName | undefined;
}

export const STATE_KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const TAG = { authTagLength: TAG_BYTES };
/** Names are filled up to a multiple of it: their lengths are not to tell them apart. */
const PADDED = 64;

/** AES-256-GCM under a key of 32 random bytes. */
export function sealWith(secret: Buffer): Seal {
  return {
    close(key, { host, node }) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', secret, nonce, TAG).setAAD(Buffer.from(key));
      const name = JSON.stringify([host, node]);
      const padded = name.padEnd(Math.ceil(name.length / PADDED) * PADDED);
      const text = Buffer.concat([cipher.update(padded, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64');
    },
    open(key, sealed) {
      const bytes = Buffer.from(sealed, 'base64');
      try {
        const decipher = createDecipheriv('aes-256-gcm', secret, bytes.subarray(0, NONCE_BYTES), TAG)
          .setAAD(Buffer.from(key))
          .setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
        const text = Buffer.concat([
          decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)),
          decipher.final(),
        ]);
        const [host, node] = JSON.parse(text.toString('utf8')) as [string, string | null];
        return { host, node };
      } catch {
        return undefined;
      }
    },
  };
}
