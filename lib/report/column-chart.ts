import { countTicks } from './axis.ts';
import { type Frame, frame, hints, round } from './frame.ts';
import { type Markup, markup } from './markup.ts';
import type { Tick } from './time-axis.ts';

export interface ColumnChart extends Pick<Frame, 'id' | 'title' | 'description'> {
  readonly columns: readonly Column[];
  /** CSS class of each series. */
  readonly looks: readonly string[];
  readonly ticks: readonly Tick[];
  /** Of the axis, where charts are compared; that of the highest column by default. */
  readonly highest?: number;
  /** In pixels. */
  readonly height?: number;
}

export interface Column {
  /** One for each series, from the bottom up. */
  readonly values: readonly number[];
  /** Shown under the pointer. */
  readonly hint: string;
}

/** Stacked columns. */
export function columnChart(chart: ColumnChart): Markup {
  const { columns, looks, ticks, height = 220 } = chart;
  const highest = Math.max(1, chart.highest ?? 0, ...columns.map(({ values }) => sum(values)));
  const y = (value: number): number => round(height - (value / highest) * height);
  const x = (at: number): string => `${round((at / columns.length) * 100)}%`;
  const width = x(0.8);
  const stacks = columns.map(({ values }, at) => {
    let below = 0;
    return values.map((value, nth) => {
      const [from, to] = [y(below), y((below += value))];
      // A thin gap separates parts whose colours are alike.
      const part = round(from - to > 3 ? from - to - 1 : from - to);
      return (
        value > 0 &&
        markup`<rect class="${looks[nth]}" x="${x(at + 0.1)}" width="${width}" y="${to}" height="${part}"/>`
      );
    });
  });
  return frame({
    ...chart,
    height,
    lines: countTicks(highest),
    base: 0,
    highest,
    columns: columns.length,
    ticks,
    content: hints(
      columns.map(({ hint }) => hint),
      height,
      stacks,
    ),
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
