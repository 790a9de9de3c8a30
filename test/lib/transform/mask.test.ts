import { createHash, createHmac, randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { createMask } from '../../../lib/transform/mask.ts';
import { createMasking } from '../../../lib/transform/masking.ts';

describe('a mask', () => {
  test.each(['a', 'Zürich', '日本語', '=1+2', 'x'.repeat(1000)])(
    'of %j is the first 32 digits of sha256(secret ‖ value)',
    (value) => {
      const secret = randomBytes(32);
      const expected = createHash('sha256').update(secret).update(value, 'utf8').digest('hex').slice(0, 32);
      const mask = createMask('sha2-salted', secret);
      expect(mask(value)).toBe(expected);
      expect(mask(value)).toBe(expected);
    },
  );

  test('of nothing is nothing, by every method', () => {
    for (const method of ['sha2-salted', 'sha1-raw', 'none'] as const) {
      const mask = createMask(method, randomBytes(32));
      expect(mask(null)).toBeNull();
      expect(mask('')).toBe('');
    }
  });

  test('of any text at all is what the rule says, whatever came before it', () => {
    const secret = randomBytes(40);
    const mask = createMask('sha2-salted', secret);
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 400 }), (value) => {
        const rule = createHash('sha256').update(secret).update(value, 'utf8').digest('hex');
        expect(mask(value)).toBe(rule.slice(0, 32));
      }),
    );
    // Half of a surrogate pair is no character of UTF-8, and stands for U+FFFD there.
    expect(mask('\uD83D')).toBe(mask('\uFFFD'));
  });

  test('by the unkeyed legacy method is the whole sha1', () => {
    expect(createMask('sha1-raw', randomBytes(32))('abc')).toBe('a9993e364706816aba3e25717850c26c9cd0d89d');
  });
});

describe('the masking of an invocation', () => {
  test('has a secret and a scope of its own', () => {
    const [one, two] = [createMasking('sha2-salted', undefined), createMasking('sha2-salted', undefined)];
    expect(one.mask('value')).not.toBe(two.mask('value'));
    expect(one.scope).not.toBe(two.scope);
  });

  test('with an operator-held secret is the same every time, under a scope that is no mask of the secret', () => {
    const held = randomBytes(32);
    const [one, two] = [
      createMasking('sha2-salted', Buffer.from(held)),
      createMasking('sha2-salted', Buffer.from(held)),
    ];
    expect(one.mask('value')).toBe(two.mask('value'));
    expect(one.scope).toBe(two.scope);
    expect(one.scope).not.toBe(createHash('sha256').update(held).digest('hex').slice(0, 32));
  });

  test('leaves no copy of the secret where small buffers lie', () => {
    const bytes = crypto.getRandomValues(new Uint8Array(32));
    const held = Buffer.from(bytes.buffer);
    // Node.js takes small buffers out of larger ones that nobody clears.
    const pools = [Buffer.allocUnsafe(1).buffer];
    const { mask } = createMasking('sha2-salted', held);
    for (let nth = 0; nth < 20; nth++) mask(`value ${nth}`);
    pools.push(Buffer.allocUnsafe(1).buffer);
    expect(pools.map((pool) => Buffer.from(pool).includes(held))).toEqual([false, false]);
  });

  test('leaves no copy of the secret where it was put together with a value', () => {
    const held = randomBytes(32);
    const allocated = vi.spyOn(Buffer, 'alloc');
    const { mask } = createMasking('sha2-salted', held);
    mask('value');
    const places = allocated.mock.results.map(({ value }) => value as Buffer);
    allocated.mockRestore();
    expect(places.some((place) => place.includes('value'))).toBe(true);
    expect(places.some((place) => place.includes(held))).toBe(false);
  });

  test('wipes the secret when it is over, and masks nothing more', () => {
    const held = randomBytes(32);
    const masking = createMasking('sha2-salted', held);
    masking[Symbol.dispose]();
    expect(held.every((byte) => byte === 0)).toBe(true);
    expect(() => masking.mask('value')).toThrow(/^masking: the secret of this invocation has been erased$/);
    expect(() => masking.mask(null)).toThrow(/has been erased$/);
  });

  test('by a method without a secret joins with all others of that method', () => {
    for (const method of ['sha1-raw', 'none'] as const) {
      const masking = createMasking(method, randomBytes(32));
      expect(masking).toMatchObject({ method, scope: method });
    }
    expect(createMasking('none', undefined).mask('value')).toBe('value');
  });

  test('has a scope of the operator’s secret that the secret alone can make, always the same', () => {
    const scope = createMasking('sha2-salted', Buffer.alloc(32, 1)).scope;
    const made = createHmac('sha256', Buffer.alloc(32, 1))
      .update('star-compactor masking scope')
      .digest('hex');
    expect(scope).toBe(made.slice(0, 32));
  });
});
