import { hash } from 'node:crypto';
import { expect, test } from 'vitest';
import { fingerprint } from '../../../../lib/core/collections/fingerprint.ts';

const ofDigits = (digits: string): number => Number.parseInt(digits.slice(0, 13), 16) + 1;

test('a mask is its own fingerprint, by its first 52 bits', () => {
  for (const text of ['', 'a', 'cmp-1'].map((value) => hash('sha256', value, 'hex'))) {
    for (const mask of [text.slice(0, 32), text.slice(0, 40)]) expect(fingerprint(mask)).toBe(ofDigits(mask));
  }
  expect(fingerprint('f'.repeat(32))).toBe(2 ** 52);
});

test('any other text is hashed, also one as long as a mask', () => {
  for (const text of [
    '',
    'web-1',
    '０'.repeat(32),
    'F'.repeat(40),
    'web-server-of-thirty-two-letters',
    'a'.repeat(33),
  ])
    expect(fingerprint(text)).toBe(ofDigits(hash('sha256', text, 'hex')));
});
