import { describe, expect, test } from 'vitest';
import { columnChart } from '../../../lib/report/column-chart.ts';
import { DURATION_EDGES } from '../../../lib/report/durations.ts';
import { binText, binsOf, histogram } from '../../../lib/report/histogram.ts';
import { spreadText } from '../../../lib/report/spread.ts';
import { stepChart } from '../../../lib/report/step-chart.ts';
import { NBSP } from '../../../lib/report/text.ts';
import { timeAxis } from '../../../lib/report/time-axis.ts';
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
      looks: ['create', 'delete', 'power'],
      ticks: [],
    });
    // 200 is as high as the chart, 220 pixels; a pixel of each part is left free.
    expect(rects(html, /^(create|delete|power)$/)).toEqual([
      { class: 'create', y: 165, height: 54 },
      { class: 'power', y: 0, height: 164 },
      { class: 'delete', y: 110, height: 109 },
    ]);
  });

  test('have labels at their edges, those that are minor to be left out', () => {
    const ticks = [
      { at: 0, text: '00:00', minor: false },
      { at: 1, text: '01:00', minor: true },
    ];
    const columns = [1, 2].map((n) => ({ values: [n], hint: '' }));
    const { html } = columnChart({ id: 'chart', title: '', description: '', looks: ['bar'], columns, ticks });
    expect(html).toContain('<text x="0%" y="240" text-anchor="middle">00:00</text>');
    expect(html).toContain('<text class="minor" x="50%" y="240" text-anchor="middle">01:00</text>');
  });
});

describe('histograms', () => {
  test('are as high as the highest of their bins, and show what is hardly anything', () => {
    const durations = [100, 50, 0, 1, 0, 0, 0];
    const { html } = histogram({
      id: 'chart',
      title: '',
      description: '',
      what: 'event',
      durations,
      first: 0,
      end: 7,
    });
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
      '10 d to under 20 d',
      '20 d to under 50 d',
      '50 d to under 100 d',
      '100 d to under 200 d',
      '200 d to under 500 d',
      '500 d to under 1000 d',
      '1000 d or more',
    ]);
  });

  test('fit what they show, and put a long thin tail into one bar', () => {
    const bins = (...counts: number[]): number[] => DURATION_EDGES.map((_, bin) => counts[bin] ?? 0);
    expect(binsOf([{ durations: bins(0, 0, 5, 9, 9, 9, 9, 9, 9, 2) }])).toEqual([2, 10]);
    expect(binsOf([{ durations: bins(1) }])).toEqual([0, 7]);
    const tail = [...bins(0, 0, 0, 0, 0, 300, 400, 300).slice(0, -1), 3];
    const [first, end] = binsOf([{ durations: tail }]);
    expect([first, end]).toEqual([1, 8]);
    const chart = histogram({
      id: '',
      title: '',
      description: '',
      what: 'event',
      durations: tail,
      first,
      end,
    });
    expect(chart.html.replaceAll(NBSP, ' ')).toContain('5 min or more: 3 events, 0.3%');
  });
});

test('durations are told by their middle, nearly all, and the longest, and by less where that says it', () => {
  const text = (rows: number, half: number, most: number, longest: number): string =>
    spreadText({ rows, half, most, longest, durations: [] }).replaceAll(NBSP, ' ');
  expect([
    text(9, 12, 40, 200),
    text(9, 0, 4, 61),
    text(9, 5, 5, 70),
    text(9, 5, 5, 5),
    text(9, 0, 0, 0),
    text(1, 5, 5, 5),
  ]).toEqual([
    'half within 12 s, 95% within 40 s, longest 3 min 20 s',
    'half within a second, 95% within 4 s, longest 1 min 1 s',
    '95% within 5 s, longest 1 min 10 s',
    'all within 5 s',
    'all within a second',
    'took 5 s',
  ]);
});

describe('levels over time', () => {
  const axis = timeAxis({ start: 0, end: 4 * 3600 }, 3600);
  const chart = (levels: number[], limit?: number[]): string =>
    stepChart({
      id: 'chart',
      title: '',
      description: '',
      axis,
      hints: ['a', 'b', 'c', 'd'],
      levels,
      ...(limit === undefined ? {} : { limit }),
    }).html;

  test('are steps, filled from 0, under the line of their limit', () => {
    const html = chart([10, 10, 20, 0], [40, 40, 40, 20]);
    expect(html).toContain('<path class="area" d="M0 75H2V50H3V100H4V100H0Z"/>');
    expect(html).toContain('<path class="limit" d="M0 0H3V50H4"/>');
  });

  test('without a limit and far from 0 are a line on an axis that fits', () => {
    const html = chart([1000, 1020, 1040, 1050]);
    expect(html).not.toContain('class="area"');
    expect(Array.from(html.matchAll(/text-anchor="end">([\d,]+)</g), ([, tick]) => tick)).toEqual([
      '1,000',
      '1,010',
      '1,020',
      '1,030',
      '1,040',
      '1,050',
    ]);
    expect(html).toContain('<path class="level" d="M0 100H1V60H2V20H3V0H4"/>');
  });
});

test('a bar has no part for nothing', () => {
  const bars = [
    [
      { share: 0.25, look: 'events' },
      { share: 0, look: 'bad' },
    ],
  ];
  const { html } = table({ caption: '', head: ['A', 'B'], rows: [{ name: 'a', cells: ['1'], bars }] });
  expect(html).toContain('<i class="events" style="width:25%"></i></span>');
  expect(html).not.toContain('class="bad"');
});
