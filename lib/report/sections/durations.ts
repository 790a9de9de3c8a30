import { GROUP_NAMES, GROUP_NOTES } from '../event-groups.ts';
import { eventLabel, eventText } from '../event-name.ts';
import { binsOf, histogram } from '../histogram.ts';
import { markup } from '../markup.ts';
import { spreadText } from '../spread.ts';
import type { DropStatistics, EventStatistics } from '../statistics.ts';
import { type TableRow, dataOf } from '../table.ts';
import { count, counted, durationText } from '../text.ts';
import { type Section, section } from './section.ts';

/** More than Nova has. */
const MOST = 60;

/** How long events took, by what they do. */
export function durationsSection({ events, groups }: DropStatistics): Section {
  const [first, end] = binsOf(groups);
  const [shown, rest] = [events.slice(0, MOST), events.slice(MOST)];
  const charts = groups.map((group) => {
    const name = GROUP_NAMES[group.group];
    const words = `${counted(group.rows, 'event')}: ${spreadText(group)}`;
    const chart = histogram({
      id: `duration-${group.group}`,
      title: `Durations: ${name}`,
      description: `${words}.`,
      what: 'event',
      durations: group.durations,
      first,
      end,
    });
    return markup`<figure><figcaption>${name} <small>${GROUP_NOTES[group.group]}</small><span>${words}</span></figcaption>${chart}</figure>\n`;
  });
  return section(
    'durations',
    'How long events took',
    markup`<p class="note">From start to finish, on a logarithmic axis; what took no whole second stands apart at 0. The highest bar of each is labelled with its share; what took far longer than nearly all shares the bar over +.</p>`,
    markup`<div class="multiples">${charts}</div>`,
    dataOf({
      caption: 'Durations of each event',
      head: ['Event', 'Events', 'Half within', '95% within', 'Longest'],
      rows: [
        ...shown.map((one) => ({ name: eventLabel(eventText(one.event)), cells: cellsOf(one) })),
        ...(rest.length === 0 ? [] : [restRow(rest)]),
      ],
    }),
  );
}

function restRow(rest: readonly EventStatistics[]): TableRow {
  const [rows, longest] = [
    rest.reduce((sum, one) => sum + one.rows, 0),
    Math.max(...rest.map((one) => one.longest)),
  ];
  return {
    name: counted(rest.length, 'other'),
    look: 'sum',
    cells: [count(rows), '', '', durationText(longest)],
  };
}

function cellsOf({ rows, half, most, longest }: EventStatistics): string[] {
  return [count(rows), ...[half, most, longest].map(durationText)];
}
