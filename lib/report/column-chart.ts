import { countTicks } from './axis.ts';
import { type Markup, markup } from './markup.ts';
import { count } from './text.ts';

export interface ColumnChart {
  /** Unique in the page. */
  readonly id: string;
  readonly title: string;
  /** Description for readers who cannot see the chart. */
  readonly description: string;
  readonly columns: readonly Column[];
  /** Labels at edges of columns: 0 is the left edge of the first. `minor` ones are hidden on narrow screens. */
  readonly ticks: readonly { readonly at: number; readonly text: string; readonly minor: boolean }[];
}

export interface Column {
  /** One for each series, from the bottom up. */
  readonly values: readonly number[];
  /** Shown under the pointer. */
  readonly hint: string;
}

const HEIGHT = 220;
/** Room for labels below the base line. */
const BELOW = 26;

/**
 * Stacked columns. Horizontal positions are in percent, so that the chart fills the page without scaling its text;
 * vertical ones in pixels.
 */
export function columnChart({ id, title, description, columns, ticks }: ColumnChart): Markup {
  const lines = countTicks(Math.max(0, ...columns.map(({ values }) => sum(values))));
  const top = lines.at(-1) ?? 1;
  const y = (value: number): number => round(HEIGHT - (value / top) * HEIGHT);
  const x = (at: number): string => `${round((at / columns.length) * 100)}%`;
  const width = x(0.8);

  const grid = lines.map(
    (value) =>
      markup`<line class="${value === 0 ? 'base' : 'grid'}" x1="0" x2="100%" y1="${y(value)}" y2="${y(value)}"/><text x="-8" y="${y(value) + 4}" text-anchor="end">${count(value)}</text>`,
  );
  const stacks = columns.map(({ values, hint }, at) => {
    let below = 0;
    const parts = values.map((value, nth) => {
      const [from, to] = [y(below), y((below += value))];
      // A thin gap separates parts whose colours are alike.
      const height = round(from - to > 3 ? from - to - 1 : from - to);
      return (
        value > 0 &&
        markup`<rect class="s${nth + 1}" x="${x(at + 0.1)}" width="${width}" y="${to}" height="${height}"/>`
      );
    });
    return markup`<g><title>${hint}</title><rect class="hover" x="${x(at)}" width="${x(1)}" y="0" height="${HEIGHT}"/>${parts}</g>`;
  });
  const labels = ticks.map(
    ({ at, text, minor }) =>
      markup`<text${minor && markup` class="minor"`} x="${x(at)}" y="${HEIGHT + 20}" text-anchor="middle">${text}</text>`,
  );
  return markup`<div class="plot"><svg role="img" aria-labelledby="${id}-title ${id}-desc" height="${HEIGHT + BELOW}"><title id="${id}-title">${title}</title><desc id="${id}-desc">${description}</desc>${grid}${stacks}${labels}</svg></div>`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
