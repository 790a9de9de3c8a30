import { DAY, type Seconds } from '../core/time.ts';
import { calendarTables, rangeOf } from './calendar-table.ts';
import { type CalendarDay, type DropEntry, calendarDays, missingWindows } from './calendar.ts';
import { documentOf } from './document.ts';
import { dropTable, dropsByDay } from './drop-lists.ts';
import { type Fact, tiles } from './facts.ts';
import { type Markup, markup } from './markup.ts';
import { contents, section } from './sections/section.ts';
import { trendSection } from './sections/trend.ts';
import { bytesText, compact, count, dateText } from './text.ts';

export interface Index {
  readonly cloud: string;
  /** The length of the windows now; earlier ones may have had another. */
  readonly windowSeconds: Seconds;
  /** In any order. */
  readonly drops: readonly DropEntry[];
}

/** The page over a cloud's drops: one HTML file with links to their reports. */
export function renderIndex({ cloud, windowSeconds, drops }: Index): string {
  const days = calendarDays(drops);
  const [first, last] = [days[0], days.at(-1)];
  const header = (sub: string): Markup =>
    markup`<p class="eyebrow">Trace of a cloud</p><h1>${cloud}</h1><p class="sub">${sub}</p>`;
  const footer = markup`<p>All times in UTC.</p>`;
  const title = `Drops of ${cloud}`;
  if (first === undefined || last === undefined) {
    const none = section('calendar', 'Drops', markup`<p>Nothing has been published yet.</p>`);
    return documentOf({ title, header: header('No drops'), main: none.body, footer });
  }
  const isDaily = days.every((day) => day.drops.length <= 1);
  const span = first === last ? dateText(first.date) : `${dateText(first.date)} to ${dateText(last.date)}`;
  const sections = [
    section('calendar', 'Calendar', legend(days), markup`<div class="months">${calendarTables(days)}</div>`),
    trendSection(days),
    section('drops', 'Drops', isDaily ? dropTable(drops) : dropsByDay(days, windowSeconds)),
  ].filter((one) => one !== undefined);
  return documentOf({
    title,
    header: header(span),
    main: [tiles(totals(drops, days, windowSeconds)), contents(sections), sections.map(({ body }) => body)],
    footer,
  });
}

function totals(drops: readonly DropEntry[], days: readonly CalendarDay[], windowSeconds: Seconds): Fact[] {
  const sum = (of: (drop: DropEntry) => number): number => drops.reduce((total, drop) => total + of(drop), 0);
  const newest = drops.toSorted((a, b) => b.window.end - a.window.end)[0];
  const missing = missingWindows(days, windowSeconds);
  return [
    { name: 'Drops', value: count(drops.length) },
    { name: 'Events', value: count(sum(({ events }) => events)) },
    { name: 'Size', value: bytesText(sum(({ bytes }) => bytes)) },
    { name: 'Late', value: count(sum(({ late }) => late)) },
    { name: 'Still open', value: count(newest?.stillOpen ?? 0) },
    { name: windowSeconds === DAY ? 'Days missing' : 'Windows missing', value: count(missing) },
  ];
}

function legend(days: readonly CalendarDay[]): Markup {
  const { least, most } = rangeOf(days);
  if (most === 0) return markup`<p class="note">No day has an event.</p>`;
  const steps = [1, 2, 3, 4, 5].map((level) => markup`<i class="level-${level}" aria-hidden="true"></i>`);
  return markup`<p class="note scale">Events that finished on a day: <span>${compact(least)} ${steps} ${compact(most)}</span>.${
    days.some(({ status }) => status === 'partial') && ' Gaps: part of the day has no drop.'
  }${days.some(({ late }) => late > 0) && ' Late: finished in an earlier window.'}</p>`;
}
