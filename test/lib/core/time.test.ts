import { describe, expect, test } from 'vitest';
import { compactIso, iso, isoDate, parseInstant } from '../../../lib/core/time.ts';

describe('an instant', () => {
  test.each([
    ['2026-11-22', 1_795_305_600],
    ['2026-11-22T00:00:00Z', 1_795_305_600],
    ['2026-11-22T00:00', 1_795_305_600],
    ['2026-11-22 00:00:00', 1_795_305_600],
    ['2026-11-22T01:00:00+01:00', 1_795_305_600],
    ['2026-11-22T00:00:00.999Z', 1_795_305_600],
  ])('is read from %s', (text, seconds) => {
    expect(parseInstant(text)).toBe(seconds);
  });

  test.each([
    '',
    'yesterday',
    '2026-02-30',
    '2026-13-01',
    '2026-11-22T25:00:00Z',
    '22.11.2026',
    '1795305600',
  ])('is not read from %j', (text) => {
    expect(parseInstant(text)).toBeUndefined();
  });

  test('is written in the three forms that keys and manifests use', () => {
    expect(iso(1_795_305_600)).toBe('2026-11-22T00:00:00Z');
    expect(compactIso(1_795_305_600)).toBe('20261122T000000Z');
    expect(isoDate(1_795_305_600)).toBe('2026-11-22');
  });
});
