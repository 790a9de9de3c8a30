import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countDistinct } from '../../../../lib/core/collections/distinct.ts';

describe('distinct texts are counted', () => {
  test('as a Set counts them', () => {
    const texts = fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.nat(50).map(String)), {
      maxLength: 400,
    });
    fc.assert(
      fc.property(texts, (list) => {
        const counter = countDistinct();
        const set = new Set<string>();
        for (const text of list) {
          counter.add(text);
          // A lone surrogate is no text: it is hashed as the replacement character.
          set.add(Buffer.from(text, 'utf8').toString('utf8'));
          expect(counter.count()).toBe(set.size);
        }
      }),
    );
  });

  test('as a Set counts them, through every growth of the table', () => {
    const counter = countDistinct();
    const set = new Set<string>();
    const counts: number[] = [];
    const expected: number[] = [];
    for (let n = 0; n < 60_000; n++) {
      const text = String((n * 7919) % 40_009);
      counter.add(text);
      set.add(text);
      counts.push(counter.count());
      expected.push(set.size);
    }
    expect(counts).toEqual(expected);
    expect(counts.at(-1)).toBe(40_009);
  });

  test('whether they are masks already or look like some', () => {
    const digits = fc.stringMatching(/^[0-9a-f]{32}$/);
    fc.assert(
      fc.property(fc.array(digits), (masks) => {
        const texts = masks.flatMap((mask) => [mask, mask.toUpperCase(), mask.slice(1), `${mask}\n`, mask]);
        const counter = countDistinct();
        for (const text of texts) counter.add(text);
        expect(counter.count()).toBe(new Set(texts).size);
      }),
    );
  });

  test('from none', () => {
    const counter = countDistinct();
    expect(counter.count()).toBe(0);
    counter.add('');
    counter.add('');
    expect(counter.count()).toBe(1);
  });
});
