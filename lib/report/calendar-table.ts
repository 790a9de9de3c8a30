import { DAY, type Seconds, isoDate } from '../core/time.ts';
import type { CalendarDay } from './calendar.ts';
import { levelOf } from './levels-of-colour.ts';
import { type Content, type Markup, markup } from './markup.ts';
import { compact, dateText, durationText, monthText } from './text.ts';

const WEEKDAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];

/** The id of the day's section further down the page. */
export function dayId(date: Seconds): string {
  return `day-${isoDate(date)}`;
}

/**
 * One table a month, a row a week, the last month first. A day links to its report, or to its section of the page if it
 * has several. Its shade and its text show how many rows it has.
 */
export function calendarTables(days: readonly CalendarDay[]): Markup[] {
  const range = rangeOf(days);
  const months = Map.groupBy(days, ({ date }) => isoDate(date).slice(0, 7));
  return [...months.values()].toReversed().map((month) => monthTable(month, range));
}

function monthTable(days: readonly CalendarDay[], range: Range): Markup {
  const [first, last] = [days[0], days.at(-1)];
  if (first === undefined || last === undefined) throw new Error('a month without days');
  const monday = first.date - weekday(first.date) * DAY;
  const byDate = new Map(days.map((day) => [day.date, day]));
  const weeks = Math.ceil((last.date - monday + DAY) / (7 * DAY));
  const rows = Array.from({ length: weeks }, (_, week) => {
    const dates = WEEKDAYS.map((__, day) => monday + (week * 7 + day) * DAY);
    return markup`<tr>${dates.map((date) => cell(byDate.get(date), range))}</tr>\n`;
  });
  const head = WEEKDAYS.map(
    (name) => markup`<th scope="col"><abbr title="${name}">${name.slice(0, 3)}</abbr></th>`,
  );
  return markup`<table class="calendar"><caption>${monthText(first.date)}</caption>
<thead><tr>${head}</tr></thead>
<tbody>${rows}</tbody></table>`;
}

/** Hidden text makes whole sentences for screen readers. */
function cell(day: CalendarDay | undefined, { least, most }: Range): Markup {
  if (day === undefined) return markup`<td></td>`;
  const { date, drops, missing, status, events, late } = day;
  const [number, ...month] = dateText(date).split(' ');
  const head = markup`<b>${number}<span class="hidden"> ${month.join(' ')}:</span></b>`;
  if (status === 'missing') return markup`<td class="missing"><div>${head} <span>no drop</span></div></td>`;

  const gone = missing.reduce((sum, { start, end }) => sum + end - start, 0);
  const parts: Content[] = [
    head,
    status === 'empty' ? markup` <span>empty</span>` : countPart(events),
    gone > 0 && markup` <em>gaps<span class="hidden"> of ${durationText(gone)}</span></em>`,
    late > 0 && markup` <em>+${compact(late)} late</em>`,
  ];
  const [only] = drops;
  const href = drops.length === 1 && only !== undefined ? only.href : `#${dayId(date)}`;
  return markup`<td class="${status} level-${levelOf(events, least, most)}"><a href="${href}">${parts}</a></td>`;
}

/** ` 12k`; screen readers also get the noun. */
export function countPart(events: number): Markup {
  return markup` <span>${compact(events)}<span class="hidden"> ${events === 1 ? 'event' : 'events'}</span></span>`;
}

/** The fewest and the most events of a day that has any. */
export interface Range {
  readonly least: number;
  readonly most: number;
}

export function rangeOf(days: readonly CalendarDay[]): Range {
  const counts = days.map(({ events }) => events).filter((events) => events > 0);
  return { least: Math.min(...counts), most: Math.max(0, ...counts) };
}

/** 0 for Monday; the first day of 1970 was a Thursday. */
function weekday(date: Seconds): number {
  return (Math.floor(date / DAY) + 3) % 7;
}
