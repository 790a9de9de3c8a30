import { describe, expect, test } from 'vitest';
import { columnChart } from '../../../lib/report/column-chart.ts';
import { DURATION_EDGES } from '../../../lib/report/durations.ts';
import { binText, histogram } from '../../../lib/report/histogram.ts';
import { NBSP } from '../../../lib/report/text.ts';
import { halfText } from '../../../lib/report/sections/durations.ts';
import { table } from '../../../lib/report/table.ts';
import { elementsOf } from '../../support/report/html.ts';

const rects = (html: string, looks: RegExp): { class: string; y: number; height: number }[] =>
  elementsOf(html)
    .filter(({ name, attributes }) => name === 'rect' && looks.test(attributes['class'] ?? ''))
    .map(({ attributes: { class: look = '', y, height } }) => ({
      class: look,
      y: Number(y),
      height: Number(height),
    }));

describe('columns', () => {
  test('stand on each other, as high as what they count, and nothing has no part', () => {
    const { html } = columnChart({
      id: 'chart',
      title: 'Title',
      description: 'Description',
      columns: [
        { values: [50, 0, 150], hint: 'first' },
        { values: [0, 100, 0], hint: 'second' },
      ],
      ticks: [],
    });
    // 200 is as high as the chart, 220 pixels; a pixel of each part is left free.
    expect(rects(html, /^s/)).toEqual([
      { class: 's1', y: 165, height: 54 },
      { class: 's3', y: 0, height: 164 },
      { class: 's2', y: 110, height: 109 },
    ]);
  });

  test('have labels at their edges, those that are minor to be left out', () => {
    const ticks = [
      { at: 0, text: '00:00', minor: false },
      { at: 1, text: '01:00', minor: true },
    ];
    const columns = [1, 2].map((n) => ({ values: [n], hint: '' }));
    const { html } = columnChart({ id: 'chart', title: '', description: '', columns, ticks });
    expect(html).toContain('<text x="0%" y="240" text-anchor="middle">00:00</text>');
    expect(html).toContain('<text class="minor" x="50%" y="240" text-anchor="middle">01:00</text>');
  });
});

describe('histograms', () => {
  test('are as high as the highest of their bins, and show what is hardly anything', () => {
    const durations = [100, 50, 0, 1, 0, 0, 0];
    const { html } = histogram({ id: 'chart', title: '', description: '', durations, bins: 7 });
    expect(rects(html, /^bar$/)).toEqual([
      { class: 'bar', y: 16, height: 84 },
      { class: 'bar', y: 58, height: 42 },
      { class: 'bar', y: 98.5, height: 1.5 },
    ]);
    expect(html).toContain('>66.2%</text>');
  });

  test('name their bins', () => {
    expect(DURATION_EDGES.map((_, bin) => binText(bin).replaceAll(NBSP, ' '))).toEqual([
      '0 s',
      '1 s',
      '2 to 4 s',
      '5 to 9 s',
      '10 to 19 s',
      '20 to 59 s',
      '1 min to under 2 min',
      '2 min to under 5 min',
      '5 min to under 10 min',
      '10 min to under 20 min',
      '20 min to under 1 h',
      '1 h to under 2 h',
      '2 h to under 5 h',
      '5 h to under 10 h',
      '10 h to under 1 d',
      '1 d to under 2 d',
      '2 d to under 5 d',
      '5 d to under 10 d',
      '10 d or more',
    ]);
  });

  test('tell within how long half of the events were done', () => {
    const half = (...durations: number[]): string =>
      halfText({ durations, rows: durations.reduce((sum, n) => sum + n, 0) }).replaceAll(NBSP, ' ');
    expect([half(5, 5), half(4, 5, 1), half(1, 1, 1, 1)]).toEqual([
      'half took 0 s',
      'half took under 2 s',
      'half took under 2 s',
    ]);
    expect(half(...DURATION_EDGES.map((_, bin) => (bin === DURATION_EDGES.length - 1 ? 9 : 0)))).toBe(
      'half took 10 d or more',
    );
  });
});

test('a bar has no part for nothing', () => {
  const bars = [
    [
      { share: 0.25, look: 'ok' },
      { share: 0, look: 'bad' },
    ],
  ];
  const { html } = table({ caption: '', head: ['A', 'B'], rows: [{ name: 'a', cells: ['1'], bars }] });
  expect(html).toContain('<i class="ok" style="width:25%"></i></span>');
  expect(html).not.toContain('class="bad"');
});
