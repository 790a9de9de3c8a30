import { binText, binsOf, histogram } from '../histogram.ts';
import { markup } from '../markup.ts';
import type { ServerStatistics } from '../server-statistics.ts';
import { spreadText } from '../spread.ts';
import { dataOf } from '../table.ts';
import { count, counted } from '../text.ts';
import { type Section, section } from './section.ts';

/**
 * How long the servers lived that ended in the window.
 *
 * @param isCut whether times before the window are cut to the day
 */
export function lifetimesSection({ lifetimes }: ServerStatistics, isCut: boolean): Section {
  const { rows, durations } = lifetimes;
  if (rows === 0)
    return section('lifetimes', 'Lifetimes', markup`<p>No server was deleted in this window.</p>`);
  const [first, end] = binsOf([lifetimes]);
  const words = `${counted(rows, 'server')} ended: ${spreadText(lifetimes)}`;
  return section(
    'lifetimes',
    'Lifetimes',
    markup`<p>${words}.</p>`,
    markup`<p class="note">From creation to deletion, on a logarithmic axis.${
      isCut &&
      ' Creations before this window are known by their day, so a server that is older looks up to a day older than it was.'
    }</p>`,
    markup`<figure class="over-time">${histogram({
      id: 'lifetimes-chart',
      title: 'Lifetimes of servers that ended',
      description: `${words}.`,
      what: 'server',
      durations,
      first,
      end,
      height: 140,
    })}</figure>`,
    dataOf({
      caption: 'Lifetimes',
      head: ['Lifetime', 'Servers'],
      rows: durations
        .map((n, bin) => ({ name: binText(bin), cells: [count(n)] }))
        .slice(first, durations.findLastIndex((n) => n > 0) + 1),
    }),
  );
}
