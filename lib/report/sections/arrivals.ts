import { columnChart } from '../column-chart.ts';
import { type Markup, markup } from '../markup.ts';
import type { ServerStatistics } from '../server-statistics.ts';
import { dataOf } from '../table.ts';
import { count, counted } from '../text.ts';
import { timeAxis } from '../time-axis.ts';
import type { Window } from '../../core/window.ts';
import { type Section, section } from './section.ts';

/** How many servers came and went, by hour. */
export function arrivalsSection(window: Window, { arrivals, departures, step }: ServerStatistics): Section {
  const axis = timeAxis(window, step);
  const title = `Arrivals and departures per ${axis.unit}`;
  const [came, left] = [total(arrivals), total(departures)];
  const highest = Math.max(1, ...arrivals, ...departures);
  const chart = (id: string, name: string, look: string, values: readonly number[]): Markup => {
    const most = values.indexOf(Math.max(...values));
    const words =
      total(values) === 0
        ? 'none'
        : `${count(total(values))}, the most, ${count(values[most] ?? 0)}, from ${axis.span(most)}`;
    return markup`<figure class="over-time"><figcaption>${name}<span>${words}</span></figcaption>${columnChart(
      {
        id,
        title: name,
        description: `${words}.`,
        looks: [look],
        columns: values.map((value, slot) => ({
          values: [value],
          hint: `${axis.span(slot)}: ${count(value)}`,
        })),
        ticks: axis.ticks,
        highest,
        height: 110,
      },
    )}</figure>\n`;
  };
  return section(
    'arrivals',
    title,
    markup`<p class="note">${counted(came, 'server was', 'servers were')} created in this window and ${count(left)} deleted: ${differenceText(came - left)}.</p>`,
    chart('arrivals-chart', 'Created', 'create', arrivals),
    chart('departures-chart', 'Deleted', 'delete', departures),
    dataOf({
      caption: 'Arrivals and departures',
      head: ['From', 'Created', 'Deleted'],
      rows: axis.slots.map((slot) => ({
        name: axis.from(slot),
        cells: [count(arrivals[slot] ?? 0), count(departures[slot] ?? 0)],
      })),
    }),
  );
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function differenceText(difference: number): string {
  if (difference === 0) return 'as many at the end as at the start';
  return `${count(Math.abs(difference))} ${difference > 0 ? 'more' : 'fewer'} at the end than at the start`;
}
