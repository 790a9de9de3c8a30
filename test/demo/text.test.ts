import { expect, test } from 'vitest';
import { perSecond } from './text.ts';

test.each([
  [46_912, 2.1, '22,300'],
  [2684, 1, '2,700'],
  [999, 1, '999'],
  [2684, 154.8, '17'],
  [2684, 500, '5'],
  [2684, 7200, '0.4'],
  [0, 3, '0'],
])('%i rows in %d s are %s rows a second', (rows, seconds, text) => {
  expect(perSecond(rows, seconds)).toBe(text);
});

test('rows in no time at all are a number all the same', () => {
  expect(perSecond(5, 0)).toBe('5,000');
});
