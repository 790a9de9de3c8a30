import { randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createClock } from '../../../lib/format/clock.ts';
import { type LeakScan, openLeakScan } from '../../../lib/privacy/leak-scan.ts';

const found = (scan: LeakScan): number => scan.figures().found;

describe('The scan for raw identifiers', () => {
  test('finds one in unmasked text, whichever of the two is told first, and tells the place', () => {
    const [before, behind] = [openLeakScan(), openLeakScan()];
    const uuid = randomUUID();
    before.identifier(uuid);
    before.output(`a,${uuid},b`, 'EVENT');
    behind.output(`a,${uuid},b`, 'RESULT');
    behind.identifier(uuid);
    expect([found(before), found(behind)]).toEqual([1, 1]);
    expect([before.places(), behind.places()]).toEqual([['EVENT'], ['RESULT']]);
  });

  test('finds a value of any text, if it has a letter or the like', () => {
    const text = fc
      .oneof(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
        fc.constantFrom('my "host", 1', 'grüße-東京', '🚀', "o'brien@example"),
      )
      .filter((value) => /[^\d\s\p{P}\p{S}\p{C}]|🚀/u.test(value));
    fc.assert(
      fc.property(text, (name) => {
        const scan = openLeakScan();
        scan.identifier(name);
        scan.output(`renamed to "${name}"`, 'EVENT');
        const { found: leaks, ambiguous } = scan.figures();
        expect(leaks + ambiguous).toBeGreaterThan(0);
      }),
    );
  });

  test('counts a value that is a word of every trace as ambiguous, and passes over numbers', () => {
    const scan = openLeakScan();
    scan.publicText('Success');
    for (const value of ['Success', '1001', '', null]) scan.identifier(value);
    scan.output('x,Success,1001', 'RESULT');
    expect(scan.figures()).toMatchObject({ found: 0, ambiguous: 1, values: 1 });
  });

  test('counts whatever encoders write of themselves as ambiguous: literals, numbers, times and their parts', () => {
    const clock = createClock();
    const time = fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => clock(seconds));
    const part = fc
      .tuple(time, fc.constantFrom(16, 13, 10), fc.constantFrom('', 'Z'))
      .map(([text, length, zone]) => text.slice(0, length) + zone);
    const own = fc.oneof(
      fc.constantFrom('null', 'NULL', 'true', 'false', 'NaN', '-1', '2.5', '1e3', '5n'),
      time,
      part,
      time.map((text) => `${text.slice(17)}Z`),
      time.map((text) => text.slice(8, 13)),
    );
    fc.assert(
      fc.property(own, (name) => {
        const scan = openLeakScan();
        scan.identifier(name);
        scan.output(`x ${name} y`, 'EVENT');
        expect(scan.figures()).toMatchObject({ found: 0, ambiguous: scan.figures().values });
      }),
    );
  });

  test('does not take a name that only contains such a word for one', () => {
    const scan = openLeakScan();
    scan.identifier('payroll null');
    scan.output('renamed to payroll', 'EVENT');
    expect(found(scan)).toBe(1);
  });
});
