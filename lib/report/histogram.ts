import { DAY, HOUR, MINUTE, type Seconds } from '../core/time.ts';
import { DURATION_EDGES } from './durations.ts';
import { type Markup, markup } from './markup.ts';
import { NBSP, counted, percent } from './text.ts';

export interface Histogram {
  /** Unique in the page. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
  /** What is counted, in the singular. */
  readonly what: string;
  /** By bin of duration. */
  readonly durations: readonly number[];
  /** The bins that are shown, see {@link binsOf}; the same in all charts that are compared. */
  readonly first: number;
  readonly end: number;
  /** Of the highest bar, in pixels. */
  readonly height?: number;
}

/** Room for the share of the highest above, and for labels below. */
const ABOVE = 16;
const BELOW = 22;
/** In widths of a bin: zero has no place on a logarithmic axis. */
const AFTER_ZERO = 1;
/** So few bins would make bars as wide as a page. */
const FEWEST_BINS = 7;

/** The few of a long tail, together less than this part of a chart, share one bar. */
const TAIL = 0.01;

/**
 * The bins that fit what is shown: from the first that is used to where each chart's long tail begins, if it has one.
 *
 * @param all whose charts are compared
 */
export function binsOf(
  all: readonly { readonly durations: readonly number[] }[],
): [first: number, end: number] {
  const used = DURATION_EDGES.map((_, bin) => all.some(({ durations }) => (durations[bin] ?? 0) > 0));
  const end = Math.max(FEWEST_BINS, ...all.map(({ durations }) => tailOf(durations)));
  return [Math.max(0, Math.min(used.indexOf(true), end - FEWEST_BINS)), end];
}

/** The bin from which on there is hardly anything; beyond the last one in use if all are worth showing. */
function tailOf(durations: readonly number[]): number {
  const few = durations.reduce((sum, rows) => sum + rows, 0) * TAIL;
  let [end, beyond] = [durations.length, 0];
  while (end > 0 && beyond + (durations[end - 1] ?? 0) < few) beyond += durations[--end] ?? 0;
  return end;
}

/** How long something took. The axis is logarithmic, as the bins are; the highest bar is as high as the chart. */
export function histogram({
  id,
  title,
  description,
  what,
  durations,
  first,
  end,
  height: full = 84,
}: Histogram): Markup {
  const longer = durations.slice(end).reduce((sum, rows) => sum + rows, 0);
  const shown = [...durations.slice(first, end), ...(longer > 0 ? [longer] : [])];
  const isLonger = (at: number): boolean => longer > 0 && at === shown.length - 1;
  const total = shown.reduce((sum, rows) => sum + rows, 0);
  const highest = Math.max(...shown);
  const hasZero = first === 0;
  const width = shown.length + (hasZero ? AFTER_ZERO : 0);
  const x = (at: number): string => {
    const place = at + (hasZero && at >= 1 ? AFTER_ZERO : 0);
    return `${Math.round((place / width) * 10_000) / 100}%`;
  };
  const base = ABOVE + full;
  const peak = shown.indexOf(highest);

  const bars = shown.map((rows, at) => {
    if (rows === 0) return false;
    const height = Math.max(1.5, Math.round((rows / highest) * full * 100) / 100);
    const bin = isLonger(at) ? `${edgeText(DURATION_EDGES[end] ?? 0)} or more` : binText(first + at);
    const hint = `${bin}: ${counted(rows, what)}, ${percent(rows, total)}`;
    return markup`<rect class="bar" x="${x(at + 0.09)}" width="${Math.round((0.82 / width) * 10_000) / 100}%" y="${base - height}" height="${height}"><title>${hint}</title></rect>`;
  });
  const labels = shown.map((_, at) => {
    if (isLonger(at)) return markup`<text x="100%" y="${base + 17}" text-anchor="end">+</text>`;
    const text = LABELS.get(DURATION_EDGES[first + at] ?? 0);
    if (text === undefined) return false;
    // Zero has a separate bin; all other labels are where a bin begins.
    const isZero = hasZero && at === 0;
    const place = isZero ? x(0.5) : x(at);
    const tick =
      !isZero && markup`<line class="base" x1="${place}" x2="${place}" y1="${base}" y2="${base + 4}"/>`;
    const anchor = at === 0 && !isZero ? 'start' : 'middle';
    return markup`${tick}${text !== '' && markup`<text x="${place}" y="${base + 17}" text-anchor="${anchor}">${text}</text>`}`;
  });
  const share = markup`<text class="peak" x="${x(peak + 0.5)}" y="${ABOVE - 4}" text-anchor="middle">${percent(highest, total)}</text>`;
  const axis = hasZero
    ? markup`<line class="base" x1="0" x2="${x(0.999)}" y1="${base}" y2="${base}"/><line class="base" x1="${x(1)}" x2="100%" y1="${base}" y2="${base}"/>`
    : markup`<line class="base" x1="0" x2="100%" y1="${base}" y2="${base}"/>`;
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
  [100 * DAY, '100 d'],
  [1000 * DAY, '1000 d'],
]);

/** `0 s`, `1 s`, `5 to 9 s`, `1 to 2 min`, `1000 d or more`: every duration is a whole number of seconds. */
export function binText(bin: number): string {
  const [from, to] = [DURATION_EDGES[bin] ?? 0, DURATION_EDGES[bin + 1]];
  if (to === undefined) return `${edgeText(from)} or more`;
  if (to === from + 1) return edgeText(from);
  if (to <= MINUTE) return `${from} to ${to - 1}${NBSP}s`;
  return `${edgeText(from)} to under ${edgeText(to)}`;
}

/** `20 s`, `5 min`, `2 h`: an edge is a whole number of its unit. */
function edgeText(seconds: Seconds): string {
  if (seconds < MINUTE) return `${seconds}${NBSP}s`;
  if (seconds < HOUR) return `${seconds / MINUTE}${NBSP}min`;
  return seconds < DAY ? `${seconds / HOUR}${NBSP}h` : `${seconds / DAY}${NBSP}d`;
}
