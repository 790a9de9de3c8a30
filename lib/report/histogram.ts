import { DAY, HOUR, MINUTE, type Seconds } from '../core/time.ts';
import { DURATION_EDGES } from './durations.ts';
import { type Markup, markup } from './markup.ts';
import { NBSP, counted, percent } from './text.ts';

export interface Histogram {
  /** Unique in the page. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
  /** By bin of duration. */
  readonly durations: readonly number[];
  /** How many bins are shown; the same number in all charts that are compared. */
  readonly bins: number;
}

const HEIGHT = 84;
/** Room for the share of the highest above, and for labels below. */
const ABOVE = 16;
const BELOW = 22;
/** In widths of a bin: zero has no place on a logarithmic axis. */
const AFTER_ZERO = 1;

/** How long events took. The axis is logarithmic, as the bins are; the highest bar is as high as the chart. */
export function histogram({ id, title, description, durations, bins }: Histogram): Markup {
  const shown = durations.slice(0, bins);
  const total = shown.reduce((sum, rows) => sum + rows, 0);
  const highest = Math.max(...shown);
  const x = (bin: number): string => {
    const at = bin + (bin >= 1 ? AFTER_ZERO : 0);
    return `${Math.round((at / (bins + AFTER_ZERO)) * 10_000) / 100}%`;
  };
  const width = `${Math.round((0.82 / (bins + AFTER_ZERO)) * 10_000) / 100}%`;
  const base = ABOVE + HEIGHT;
  const peak = shown.indexOf(highest);

  const bars = shown.map((rows, bin) => {
    if (rows === 0) return false;
    const height = Math.max(1.5, Math.round((rows / highest) * HEIGHT * 100) / 100);
    const hint = `${binText(bin)}: ${counted(rows, 'event')}, ${percent(rows, total)}`;
    return markup`<rect class="bar" x="${x(bin + 0.09)}" width="${width}" y="${base - height}" height="${height}"><title>${hint}</title></rect>`;
  });
  const labels = shown.map((_, bin) => {
    const text = LABELS.get(DURATION_EDGES[bin] ?? 0);
    if (text === undefined) return false;
    // Zero has a separate bin; all other labels are where a bin begins.
    const at = bin === 0 ? x(0.5) : x(bin);
    const tick = bin > 0 && markup`<line class="base" x1="${at}" x2="${at}" y1="${base}" y2="${base + 4}"/>`;
    return markup`${tick}${text !== '' && markup`<text x="${at}" y="${base + 17}" text-anchor="middle">${text}</text>`}`;
  });
  const share = markup`<text class="peak" x="${x(peak + 0.5)}" y="${ABOVE - 4}" text-anchor="middle">${percent(highest, total)}</text>`;
  const axis = markup`<line class="base" x1="0" x2="${x(0.999)}" y1="${base}" y2="${base}"/><line class="base" x1="${x(1)}" x2="100%" y1="${base}" y2="${base}"/>`;
  return markup`<svg role="img" aria-labelledby="${id}-title ${id}-desc" height="${base + BELOW}"><title id="${id}-title">${title}</title><desc id="${id}-desc">${description}</desc>${axis}${bars}${share}${labels}</svg>`;
}

/** Labels that fit side by side on a phone; the others get only a mark. */
const LABELS: ReadonlyMap<Seconds, string> = new Map([
  [0, '0'],
  [1, '1 s'],
  [10, ''],
  [MINUTE, '1 min'],
  [10 * MINUTE, ''],
  [HOUR, '1 h'],
  [10 * HOUR, ''],
  [DAY, '1 d'],
  [10 * DAY, '10 d'],
]);

/** `0 s`, `1 s`, `5 to 9 s`, `1 to 2 min`, `10 d or more`: every duration is a whole number of seconds. */
export function binText(bin: number): string {
  const [from, to] = [DURATION_EDGES[bin] ?? 0, DURATION_EDGES[bin + 1]];
  if (to === undefined) return `${edgeText(from)} or more`;
  if (to === from + 1) return edgeText(from);
  if (to <= MINUTE) return `${from} to ${to - 1}${NBSP}s`;
  return `${edgeText(from)} to under ${edgeText(to)}`;
}

/** `20 s`, `5 min`, `2 h`: an edge is a whole number of its unit. */
export function edgeText(seconds: Seconds): string {
  if (seconds < MINUTE) return `${seconds}${NBSP}s`;
  if (seconds < HOUR) return `${seconds / MINUTE}${NBSP}min`;
  return seconds < DAY ? `${seconds / HOUR}${NBSP}h` : `${seconds / DAY}${NBSP}d`;
}
