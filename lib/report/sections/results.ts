import { type Markup, markup } from '../markup.ts';
import { type Series, seriesOf, together } from '../series.ts';
import type { DropStatistics } from '../statistics.ts';
import { type TableRow, table } from '../table.ts';
import { count, percent } from '../text.ts';
import { section } from './section.ts';

const MOST = 14;

/** How events ended, by type. */
export function resultsSection({ events }: DropStatistics): Markup {
  const all = together(events);
  const hasOther = all.other > 0;
  const row = (name: TableRow['name'], one: Omit<Series, 'name' | 'label'>, isSum: boolean): TableRow => ({
    name,
    isSum,
    bars: [
      [
        { share: one.success / one.rows, look: 'ok' },
        { share: one.error / one.rows, look: 'bad' },
        { share: one.other / one.rows, look: 'else' },
      ],
    ],
    cells: [
      count(one.success),
      count(one.error),
      hasOther && count(one.other),
      percent(one.error, one.rows),
    ].filter((cell) => cell !== false),
  });
  const swatch = (look: string, text: string): Markup =>
    markup`<i class="swatch ${look}" aria-hidden="true"></i>${text}`;
  return section(
    'results',
    'Success and error',
    table({
      caption: 'Results by event',
      isFull: true,
      head: [
        'Event',
        swatch('ok', 'Success'),
        swatch('bad', 'Error'),
        ...(hasOther ? [swatch('else', 'Other')] : []),
        'Failed',
      ],
      rows: [
        row('All events', all, true),
        ...seriesOf(events, MOST).map((series) => row(series.label, series, false)),
      ],
    }),
    hasOther && markup`<p class="note">Other: any other result that the cloud recorded, or none.</p>`,
  );
}
