import { DAY, isoDate } from '../../core/time.ts';
import { labelEvery } from '../axis.ts';
import type { CalendarDay, DropEntry } from '../calendar.ts';
import { columnChart } from '../column-chart.ts';
import { type Markup, markup } from '../markup.ts';
import { bytesText, counted, shortDateText } from '../text.ts';
import type { Tick } from '../time-axis.ts';
import { type Section, section } from './section.ts';

/** Fewer make no trend. */
const FEWEST = 2;

/** Events, servers and bytes of each day, the last on the right. */
export function trendSection(days: readonly CalendarDay[]): Section | undefined {
  if (days.length < FEWEST) return undefined;
  const servers = days.map(({ drops }) => Math.max(0, ...drops.map((drop) => drop.servers ?? 0)));
  const charts = [
    chart(
      'events',
      'Events',
      days,
      days.map(({ events }) => events),
      (n) => counted(n, 'event'),
    ),
    ...(servers.some((n) => n > 0)
      ? [chart('servers', 'Servers', days, servers, (n) => counted(n, 'server'))]
      : []),
    chart('bytes', 'Size of the files, MiB', days, days.map(mebibytes), (_, at) =>
      bytesText(bytesOf(days[at])),
    ),
  ];
  return section('trend', 'Trend', charts);
}

function bytesOf(day: CalendarDay | undefined): number {
  return (day?.drops ?? []).reduce((sum: number, drop: DropEntry) => sum + drop.bytes, 0);
}

function mebibytes(day: CalendarDay): number {
  return bytesOf(day) / 2 ** 20;
}

function chart(
  id: string,
  name: string,
  days: readonly CalendarDay[],
  values: readonly number[],
  text: (value: number, at: number) => string,
): Markup {
  const dateOf = (at: number): string => shortDateText((days[0]?.date ?? 0) + at * DAY);
  const most = values.indexOf(Math.max(...values));
  const words = `the most, ${text(values[most] ?? 0, most)}, on ${dateOf(most)}`;
  return markup`<figure class="over-time"><figcaption>${name}<span>${words}</span></figcaption>${columnChart({
    id: `trend-${id}`,
    title: `${name} by day`,
    description: `${counted(days.length, 'day')}; ${words}.`,
    looks: ['bar'],
    columns: values.map((value, at) => ({ values: [value], hint: `${dateOf(at)}: ${text(value, at)}` })),
    ticks: dayTicks(days),
    height: 90,
  })}</figure>\n`;
}

/** Under the columns, not at their edges: a day is a name. */
function dayTicks(days: readonly CalendarDay[]): Tick[] {
  const every = labelEvery(days.length);
  return days
    .map(({ date }, at): Tick => ({
      at: at + 0.5,
      text: isoDate(date).slice(5),
      minor: (at / every) % 2 === 1,
    }))
    .filter((_, at) => at % every === 0);
}
