import { countTicks } from './axis.ts';
import { type Frame, frame, hints, round } from './frame.ts';
import { type Markup, markup } from './markup.ts';
import type { TimeAxis } from './time-axis.ts';

export interface StepChart extends Pick<Frame, 'id' | 'title' | 'description'> {
  /** At equally distant instants from the start of the window on. */
  readonly levels: readonly number[];
  /** What the levels are held against. */
  readonly limit?: readonly number[];
  readonly axis: TimeAxis;
  /** Shown under the pointer, one for each slot of the axis. */
  readonly hints: readonly string[];
}

const HEIGHT = 170;

/**
 * A level over time, filled from 0, and a line for its limit. A level without a limit that never comes near 0 is a line
 * on an axis that fits it.
 */
export function stepChart({ levels, limit = [], axis, hints: texts, ...named }: StepChart): Markup {
  const all = [...levels, ...limit];
  const [least, highest] = [Math.min(...all), Math.max(1, ...all)];
  const isFilled = limit.length > 0 || least < highest / 2;
  // Room for a level that does not change.
  const lowest = isFilled ? 0 : Math.max(0, Math.min(least, highest - 4));
  const lines = countTicks(highest, lowest);
  const base = lines[0] ?? 0;
  const y = (value: number): number => round(100 - ((value - base) / (highest - base)) * 100);
  const path = (values: readonly number[]): string => {
    let text = `M0 ${y(values[0] ?? 0)}`;
    for (const [at, value] of values.entries()) {
      if (at > 0 && value !== values[at - 1]) text += `H${at}V${y(value)}`;
    }
    return `${text}H${values.length}`;
  };
  const drawn = markup`<svg class="steps" aria-hidden="true" x="0" y="0" width="100%" height="${HEIGHT}" viewBox="0 0 ${levels.length} 100" preserveAspectRatio="none">${
    isFilled && markup`<path class="area" d="${path(levels)}V100H0Z"/>`
  }<path class="level" d="${path(levels)}"/>${
    limit.length > 0 && markup`<path class="limit" d="${path(limit)}"/>`
  }</svg>`;
  return frame({
    ...named,
    lines,
    base,
    highest,
    height: HEIGHT,
    columns: axis.slots.length,
    ticks: axis.ticks,
    content: [hints(texts, HEIGHT), drawn],
  });
}
