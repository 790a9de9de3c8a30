import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** Keeps names in a state so that nobody can read them without the key. */
export interface Seal {
  /** @param key what the name belongs to, which is sealed with it */
  readonly close: (key: string, names: Json) => string;
  /** Undefined where another key sealed it. */
  readonly open: (key: string, sealed: string) => Json | undefined;
}

/** Names, as JSON has them. */
export type Json = string | number | null | readonly Json[];

export const STATE_KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const TAG = { authTagLength: TAG_BYTES };
/** Names are filled up to a multiple of it: their lengths are not to tell them apart. */
const PADDED = 64;

/** AES-256-GCM under a key of 32 random bytes. */
export function sealWith(secret: Buffer): Seal {
  return {
    close(key, names) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', secret, nonce, TAG).setAAD(Buffer.from(key));
      const bytes = Buffer.from(JSON.stringify(names));
      const padded = Buffer.alloc(Math.ceil(bytes.length / PADDED) * PADDED, ' ');
      bytes.copy(padded);
      const text = Buffer.concat([cipher.update(padded), cipher.final()]);
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
        return JSON.parse(text.toString('utf8')) as Json;
      } catch {
        return undefined;
      }
    },
  };
}
