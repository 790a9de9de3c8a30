import { expect, test } from 'vitest';
import { instantsOf } from '../../../lib/report/levels.ts';
import { levelData, levelFigure } from '../../../lib/report/level-figure.ts';
import { timeAxis } from '../../../lib/report/time-axis.ts';

test('a column has the level of the instant at which it begins, also where the window is no multiple of columns', () => {
  const window = { start: 0, end: 96 * 60 };
  const { step, count } = instantsOf(window);
  expect([step, count]).toEqual([30, 192]);
  const axis = timeAxis(window, 300);
  // Each level tells its instant.
  const levels = Array.from({ length: count }, (_, nth) => nth);
  const level = { id: 'l', name: 'Level', unit: 'servers', levels };
  const expected = axis.slots.map((slot) => slot * 10);
  const { html } = levelData('Levels', [level], axis, step);
  expect([...html.matchAll(/<td[^>]*>(\d+)<\/td>/g)].map(([, number]) => Number(number))).toEqual(expected);
  const figure = levelFigure(level, axis, step).html;
  expect([...figure.matchAll(/\d\d:\d\d: (\d+) servers/g)].map(([, number]) => Number(number))).toEqual(
    expected,
  );
});
