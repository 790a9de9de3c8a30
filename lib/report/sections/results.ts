import { GROUP_NAMES, groupOf } from '../event-groups.ts';
import { eventLabel, eventText } from '../event-name.ts';
import { type Markup, markup } from '../markup.ts';
import type { DropStatistics, EventCounts } from '../statistics.ts';
import { type Bar, type TableRow, table } from '../table.ts';
import { count, counted, percent } from '../text.ts';
import { type Section, section } from './section.ts';

/** Of each group; Nova has about as many events that do one thing. */
const MOST = 8;

type Results = Pick<EventCounts, 'rows' | 'success' | 'error' | 'other'>;

/** How events ended: all, by what they do, and each. */
export function resultsSection({ events, groups }: DropStatistics): Section {
  const all = sumOf(groups);
  const hasOther = all.other > 0;
  const most = Math.max(...events.map(({ rows }) => rows));
  const row = (name: TableRow['name'], one: Results, look?: TableRow['look']): TableRow => ({
    name,
    ...(look === undefined ? {} : { look }),
    ...(look === undefined && { bars: [barOf(one, most)] }),
    cells: [
      count(one.rows),
      count(one.error),
      hasOther && count(one.other),
      percent(one.error, one.rows),
    ].filter((cell) => cell !== false),
  });
  const ofGroup = groups.flatMap((group) => {
    const own = events.filter(({ event }) => groupOf(event) === group.group);
    const shown = own.length > MOST ? own.slice(0, MOST - 1) : own;
    const rest = own.slice(shown.length);
    return [
      row(GROUP_NAMES[group.group], group, 'head'),
      ...shown.map((one) => row(eventLabel(eventText(one.event)), one)),
      ...(rest.length === 0 ? [] : [row(counted(rest.length, 'other'), sumOf(rest), 'sum')]),
    ];
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
        swatch('events', 'Events'),
        swatch('bad', 'Error'),
        ...(hasOther ? [swatch('else', 'Other')] : []),
        'Failed',
      ],
      rows: [row('All events', all, 'head'), ...ofGroup],
    }),
    hasOther && markup`<p class="note">Other: any other result that the cloud recorded, or none.</p>`,
  );
}

/** As long as the events are many, compared with the most frequent one. */
function barOf({ success, error, other }: Results, most: number): Bar {
  return [
    { share: success / most, look: 'events' },
    { share: error / most, look: 'bad' },
    { share: other / most, look: 'else' },
  ];
}

function sumOf(all: readonly Results[]): Results {
  const sum = (of: (one: Results) => number): number => all.reduce((total, one) => total + of(one), 0);
  return {
    rows: sum(({ rows }) => rows),
    success: sum(({ success }) => success),
    error: sum(({ error }) => error),
    other: sum(({ other }) => other),
  };
}
