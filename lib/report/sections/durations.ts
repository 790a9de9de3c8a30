import { DURATION_EDGES } from '../durations.ts';
import { binText, edgeText, histogram } from '../histogram.ts';
import { type Markup, markup } from '../markup.ts';
import { type Series, seriesOf } from '../series.ts';
import type { DropStatistics } from '../statistics.ts';
import { dataOf } from '../table.ts';
import { NBSP, count, counted, durationText } from '../text.ts';
import { section } from './section.ts';

const MOST = 12;
/** Bins up to a minute are always shown. */
const FEWEST_BINS = 7;

/** How long events took, by type. */
export function durationsSection({ events }: DropStatistics): Markup {
  const series = seriesOf(events, MOST);
  const used = DURATION_EDGES.map((_, bin) => series.some(({ durations }) => (durations[bin] ?? 0) > 0));
  const bins = Math.max(FEWEST_BINS, used.lastIndexOf(true) + 1);
  const charts = series.map((one, nth) => {
    const longest = durationText(one.longest);
    const words = one.rows === 1 ? `took ${longest}` : `${halfText(one)}, longest ${longest}`;
    const chart = histogram({
      id: `duration-${nth + 1}`,
      title: `Durations of ${one.name}`,
      description: `${counted(one.rows, 'event')}, ${words}.`,
      durations: one.durations,
      bins,
    });
    return markup`<figure><figcaption>${one.label}<span>${counted(one.rows, 'event')} · ${words}</span></figcaption>${chart}</figure>\n`;
  });
  const shown = DURATION_EDGES.slice(0, bins);
  return section(
    'durations',
    'How long events took',
    markup`<p class="note">From start to finish, on a logarithmic axis; what took no whole second stands apart at 0. The highest bar of each is labelled with its share.</p>`,
    markup`<div class="multiples">${charts}</div>`,
    dataOf({
      caption: 'Durations',
      head: ['Event', ...shown.map((_, bin) => binText(bin))],
      rows: series.map(({ label, durations }) => ({
        name: label,
        cells: shown.map((_, bin) => count(durations[bin] ?? 0)),
      })),
    }),
  );
}

/** The median, as precisely as the bins allow. */
export function halfText({ durations, rows }: Pick<Series, 'durations' | 'rows'>): string {
  let below = 0;
  const bin = durations.findIndex((n) => (below += n) * 2 >= rows);
  if (bin <= 0) return `half took 0${NBSP}s`;
  const to = DURATION_EDGES[bin + 1];
  return to === undefined
    ? `half took ${edgeText(DURATION_EDGES[bin] ?? 0)} or more`
    : `half took under ${edgeText(to)}`;
}
