import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { StarError } from '../core/errors.ts';
import type { MaskingMethod } from '../config/choices.ts';
import type { Settings } from '../config/settings.ts';
import type { Mask } from '../tables/table.ts';
import { createMask } from './mask.ts';

/** The masks of one invocation. Disposing it erases the secret. */
export interface Masking extends Disposable {
  readonly method: MaskingMethod;
  /** A public id that is the same for drops that join, and says nothing about the secret. */
  readonly scope: string;
  readonly mask: Mask;
}

/** The shortest secret that cannot be guessed. */
export const SECRET_BYTES = 32;

/**
 * @param held an operator-held secret, which makes masks stable across drops; without one a random secret is made that
 *   lives as long as the invocation
 */
export function createMasking(method: MaskingMethod, held: Buffer | undefined): Masking {
  const secret = held ?? randomBytes(SECRET_BYTES);
  const mask = createMask(method, secret);
  let isOver = false;
  return {
    method,
    scope: scopeOf(method, held),
    mask: ((value: string | null) => {
      if (isOver) throw new StarError('masking: the secret of this invocation has been erased');
      return mask(value);
    }) as Mask,
    [Symbol.dispose]() {
      isOver = true;
      secret.fill(0);
    },
  };
}

/** Whether the masks of a drop join with those of other drops, so that its servers can be followed in any case. */
export function masksJoin({
  masking,
  maskingSecret,
  release,
}: Pick<Settings, 'masking' | 'maskingSecret' | 'release'>): boolean {
  return release !== undefined || maskingSecret !== undefined || masking !== 'sha2-salted';
}

/** Without a secret all masks of a method join, so its name is the scope. */
function scopeOf(method: MaskingMethod, held: Buffer | undefined): string {
  if (method !== 'sha2-salted') return method;
  return held === undefined ? randomUUID() : publicId(held);
}

function publicId(secret: Buffer): string {
  return createHmac('sha256', secret).update('star-compactor masking scope').digest('hex').slice(0, 32);
}
