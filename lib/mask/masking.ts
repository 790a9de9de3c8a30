import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { InputError } from '../errors.ts';
import { type Mask, type MaskingMethod, createMask } from './mask.ts';

/** The masks of one invocation. Disposing of it forgets the secret. */
export interface Masking extends Disposable {
  readonly method: MaskingMethod;
  /** A public id that is the same for drops that join, and says nothing about the secret. */
  readonly scope: string;
  readonly mask: Mask;
}

const SECRET_BYTES = 32;

/**
 * @param held an operator-held secret, at least 32 bytes, which makes masks stable across drops; without one a
 *   secret is drawn that lives as long as the invocation
 * @throws InputError where the held secret is too short to withstand guessing
 */
export function createMasking(method: MaskingMethod, held: Buffer | undefined): Masking {
  if (held !== undefined && held.length < SECRET_BYTES) {
    throw new InputError(
      `STAR_MASKING_SECRET: holds ${held.length} bytes; accepted: at least ${SECRET_BYTES} random bytes`,
    );
  }
  const secret = held ?? randomBytes(SECRET_BYTES);
  return {
    method,
    scope: held === undefined ? randomUUID() : publicId(held),
    mask: createMask(method, secret),
    [Symbol.dispose]: () => void secret.fill(0),
  };
}

function publicId(secret: Buffer): string {
  return createHmac('sha256', secret).update('star-compactor masking scope').digest('hex').slice(0, 32);
}
