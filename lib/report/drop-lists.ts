import { DAY, type Seconds } from '../time.ts';
import { type Window, windowsOf } from '../window.ts';
import { dayId } from './calendar-table.ts';
import type { CalendarDay, DropEntry } from './calendar.ts';
import { type Markup, markup } from './markup.ts';
import { wideTable } from './table.ts';
import {
  clockText,
  compact,
  count,
  counted,
  dateText,
  endClockText,
  instantText,
  shortDateText,
} from './text.ts';

/** Drops of whole days, the last first. */
export function dropTable(drops: readonly DropEntry[]): Markup {
  return wideTable({
    caption: counted(drops.length, 'drop'),
    head: ['Window', 'Events', 'Late', 'Still open', 'Made'],
    rows: drops
      .toSorted((a, b) => b.window.start - a.window.start)
      .map(({ window, events, late, stillOpen, created, href }) => ({
        name: markup`<a href="${href}">${window.end - window.start === DAY ? shortDateText(window.start) : `${shortDateText(window.start)}, ${spanText(window)}`}</a>`,
        cells: [count(events), count(late), count(stillOpen), instantText(created)],
      })),
  });
}

/** Days of several drops each, the last day first; within a day in order of time. */
export function dropsByDay(days: readonly CalendarDay[], windowSeconds: Seconds): Markup[] {
  return days.toReversed().map(({ date, drops, missing }) => {
    const gaps = drops.length === 0 ? missing : missing.flatMap((span) => windowsIn(span, windowSeconds));
    const parts = [
      ...drops.map((drop) => ({ window: drop.window, item: chip(drop) })),
      ...gaps.map((window) => ({ window, item: gap(window, windowSeconds) })),
    ].toSorted((a, b) => a.window.start - b.window.start);
    return markup`<h3 id="${dayId(date)}">${dateText(date)}</h3><ol class="chips">${parts.map(({ item }) => item)}</ol>\n`;
  });
}

function chip({ window, events, late, href }: DropEntry): Markup {
  const words = `${spanText(window)}: ${counted(events, 'event')}${late > 0 ? `, ${count(late)} late` : ''}`;
  return markup`<li><a href="${href}" aria-label="${words}"><b>${clockText(window.start)}</b><span>${events === 0 ? 'empty' : compact(events)}</span>${late > 0 && markup`<em>+${compact(late)} late</em>`}</a></li>`;
}

function gap(window: Window, windowSeconds: Seconds): Markup {
  const isOne = window.end - window.start <= windowSeconds;
  const end = markup`${isOne ? markup`<span class="hidden"> to ${endClockText(window.end)}</span>` : ` to ${endClockText(window.end)}`}`;
  return markup`<li class="missing${isOne ? '' : ' long'}"><div><b>${clockText(window.start)}${end}</b><span>no drop</span></div></li>`;
}

/** One by one, so that what comes after stands where it would without them. */
function windowsIn(span: Window, windowSeconds: Seconds): Window[] {
  const isWhole = (span.end - span.start) % windowSeconds === 0;
  return isWhole ? windowsOf(span, windowSeconds) : [span];
}

function spanText({ start, end }: Window): string {
  return `${clockText(start)} to ${endClockText(end)}`;
}
