import type { Change } from '../changes.ts';
import { type Markup, markup } from '../markup.ts';
import { table } from '../table.ts';
import { count, counted } from '../text.ts';

/**
 * What a table of changes tells, by event and how the time is known.
 *
 * @param what a few words about each event
 * @param none for a window in which nothing changed
 */
export function changesTable(
  list: readonly Change[],
  what: Readonly<Record<string, string>>,
  none: string,
): Markup {
  const opening = list.filter(({ basis }) => basis === 'opening');
  const own = list.filter(({ basis }) => basis !== 'opening');
  const opened = rowsOf(opening);
  return markup`${
    own.length === 0
      ? markup`<p>${none}</p>`
      : table({
          caption: 'Changes',
          head: ['Event', 'Time known', 'Rows'],
          rows: own.map(({ event, basis, rows }) => ({
            name: markup`${event}<small>${what[event] ?? ''}</small>`,
            cells: [basis, count(rows)],
          })),
        })
  }${opened > 0 && markup`<p class="note">${counted(opened, 'row')} of ${count(rowsOf(list))} are no changes: they tell what existed when the trace began.</p>`}<p class="note">What changed back between two reads is not known.</p>`;
}

function rowsOf(list: readonly Change[]): number {
  return list.reduce((total, { rows }) => total + rows, 0);
}
