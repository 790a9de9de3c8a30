import { type Content, type Markup, markup } from './markup.ts';
import { count } from './text.ts';
import type { Tick } from './time-axis.ts';

/** What charts over time have in common: lines across with their numbers, and labels below. */
export interface Frame {
  /** Unique in the page. */
  readonly id: string;
  readonly title: string;
  /** Description for readers who cannot see the chart. */
  readonly description: string;
  /** Of the lines across, in the chart's unit. */
  readonly lines: readonly number[];
  /** Where the axis begins and ends. */
  readonly base: number;
  readonly highest: number;
  /** Of the plot, in pixels. */
  readonly height: number;
  readonly columns: number;
  readonly ticks: readonly Tick[];
  readonly content: Content;
}

/** Room for labels below the base line. */
const BELOW = 26;

/**
 * Horizontal positions are in percent, so that the chart fills the page without scaling its text; vertical ones in
 * pixels.
 */
export function frame({
  id,
  title,
  description,
  lines,
  base,
  highest,
  height,
  columns,
  ticks,
  content,
}: Frame): Markup {
  const y = (value: number): number => round(height - ((value - base) / (highest - base)) * height);
  const grid = lines.map(
    (value) =>
      markup`<line class="${value === base ? 'base' : 'grid'}" x1="0" x2="100%" y1="${y(value)}" y2="${y(value)}"/><text x="-8" y="${y(value) + 4}" text-anchor="end">${count(value)}</text>`,
  );
  const labels = ticks.map(
    ({ at, text, minor }) =>
      markup`<text${minor && markup` class="minor"`} x="${round((at / columns) * 100)}%" y="${height + 20}" text-anchor="middle">${text}</text>`,
  );
  return markup`<div class="plot"><svg role="img" aria-labelledby="${id}-title ${id}-desc" height="${height + BELOW}"><title id="${id}-title">${title}</title><desc id="${id}-desc">${description}</desc>${grid}${content}${labels}</svg></div>`;
}

/** A place for the pointer over each of the chart's equal parts, behind what is drawn there. */
export function hints(texts: readonly string[], height: number, drawn: readonly Content[] = []): Markup[] {
  const x = (at: number): string => `${round((at / texts.length) * 100)}%`;
  return texts.map(
    (text, at) =>
      markup`<g><title>${text}</title><rect class="hover" x="${x(at)}" width="${x(1)}" y="0" height="${height}"/>${drawn[at]}</g>`,
  );
}

export function round(value: number): number {
  return Math.round(value * 100) / 100;
}
