import { columnChart } from '../column-chart.ts';
import { GROUP_NAMES, GROUP_NOTES } from '../event-groups.ts';
import { type Markup, markup } from '../markup.ts';
import type { DropStatistics, GroupStatistics } from '../statistics.ts';
import { dataOf } from '../table.ts';
import { count, counted, percent } from '../text.ts';
import { timeAxis } from '../time-axis.ts';
import { type Section, section } from './section.ts';

/** When events finished, by what they do. */
export function finishedSection(statistics: DropStatistics): Section {
  const { window, step, late, groups, rows } = statistics;
  const axis = timeAxis(window, step);
  const title = `Events per ${axis.unit}`;
  if (rows === late) {
    const rest = late > 0 ? ` All ${count(late)} are late ones.` : '';
    return section('finished', title, markup`<p>Nothing finished in this window.${rest}</p>`);
  }
  const totals = axis.slots.map((slot) => groups.reduce((sum, { slots }) => sum + (slots[slot] ?? 0), 0));
  const busiest = totals.indexOf(Math.max(...totals));
  const chart = columnChart({
    id: 'finished-chart',
    title,
    description:
      `${counted(rows, 'event')}, the most, ${count(totals[busiest] ?? 0)}, from ${axis.span(busiest)}. ` +
      `By what they do: ${groups.map((one) => `${GROUP_NAMES[one.group]} ${count(one.rows)}`).join(', ')}.`,
    looks: groups.map(({ group }) => group),
    columns: axis.slots.map((slot) => ({
      values: groups.map(({ slots }) => slots[slot] ?? 0),
      hint: hintOf(groups, slot, `${axis.span(slot)}: ${counted(totals[slot] ?? 0, 'event')}`),
    })),
    ticks: axis.ticks,
  });
  const data = dataOf({
    caption: title,
    head: ['From', ...groups.map(({ group }) => GROUP_NAMES[group]), 'All'],
    rows: [
      ...(late === 0
        ? []
        : [{ name: 'earlier', cells: [...groups.map((one) => count(one.late)), count(late)] }]),
      ...axis.slots.map((slot) => ({
        name: axis.from(slot),
        cells: [...groups.map(({ slots }) => count(slots[slot] ?? 0)), count(totals[slot] ?? 0)],
      })),
    ],
  });
  return section(
    'finished',
    title,
    markup`<p class="note">By what they do to a server and the time they finished, in UTC.${
      late > 0 && ` The ${counted(late, 'late one')}, finished before this window, stand in no column.`
    }</p>`,
    legend(groups, rows),
    chart,
    data,
  );
}

function legend(groups: readonly GroupStatistics[], rows: number): Markup {
  return markup`<ul class="legend">${groups.map(
    ({ group, rows: own }) =>
      markup`<li title="${GROUP_NOTES[group]}"><i class="${group}" aria-hidden="true"></i>${GROUP_NAMES[group]} <span>${count(own)} · ${percent(own, rows)}</span></li>`,
  )}</ul>`;
}

function hintOf(groups: readonly GroupStatistics[], slot: number, head: string): string {
  const parts = groups
    .filter(({ slots }) => (slots[slot] ?? 0) > 0)
    .map(({ group, slots }) => `${GROUP_NAMES[group]} ${count(slots[slot] ?? 0)}`);
  return [head, ...parts.toReversed()].join('\n');
}
