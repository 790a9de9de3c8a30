import { DAY, type Seconds } from '../core/time.ts';
import { type Window, windowsOf } from '../core/window.ts';
import { countPart, dayId } from './calendar-table.ts';
import type { CalendarDay, DropEntry } from './calendar.ts';
import { type Markup, markup } from './markup.ts';
import { wideTable } from './table.ts';
import {
  bytesText,
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
    head: ['Window', 'Events', 'Servers', 'Late', 'Still open', 'Size', 'Made'],
    rows: drops
      .toSorted((a, b) => b.window.start - a.window.start)
      .map(({ window, events, servers, late, stillOpen, bytes, created, href }) => ({
        name: markup`<a href="${href}">${windowText(window)}</a>`,
        cells: [
          count(events),
          servers === null ? '–' : count(servers),
          count(late),
          count(stillOpen),
          bytesText(bytes),
          instantText(created),
        ],
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
  const content = events === 0 ? markup` <span>empty</span>` : countPart(events);
  return markup`<li><a href="${href}">${time(window, 'hidden')}${content}${late > 0 && markup` <em>+${compact(late)} late</em>`}</a></li>`;
}

function gap(window: Window, windowSeconds: Seconds): Markup {
  const isOne = window.end - window.start <= windowSeconds;
  const looks = isOne ? 'missing' : 'missing long';
  return markup`<li class="${looks}"><div>${time(window, isOne ? 'hidden' : '')} <span>no drop</span></div></li>`;
}

function time({ start, end }: Window, endLooks: string): Markup {
  return markup`<b>${clockText(start)}<span class="${endLooks}"> to ${endClockText(end)}</span></b>`;
}

/** One by one, so that they do not move the text that follows. */
function windowsIn(span: Window, windowSeconds: Seconds): Window[] {
  const isWhole = (span.end - span.start) % windowSeconds === 0;
  return isWhole ? windowsOf(span, windowSeconds) : [span];
}

function windowText({ start, end }: Window): string {
  const date = shortDateText(start);
  return end - start === DAY ? date : `${date}, ${clockText(start)} to ${endClockText(end)}`;
}
