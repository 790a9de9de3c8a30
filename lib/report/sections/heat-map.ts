import { levelOf } from '../levels-of-colour.ts';
import { type Markup, markup } from '../markup.ts';
import type { HostStatistics } from '../host-tallies.ts';
import type { DropStatistics } from '../statistics.ts';
import { count, counted } from '../text.ts';
import { type TimeAxis, timeAxis } from '../time-axis.ts';
import { type Section, section } from './section.ts';

/** On which hosts events ran, hour by hour. */
export function heatMapSection(statistics: DropStatistics): Section {
  const { window, step, busiestHosts, hosts, groups, rows } = statistics;
  const axis = timeAxis(window, step);
  const id = 'heat-map';
  const title = `Events by host and ${axis.unit}`;
  if (busiestHosts.length === 0) return section(id, title, markup`<p>No event names a host.</p>`);
  const all = (slot: number): number => groups.reduce((sum, { slots }) => sum + (slots[slot] ?? 0), 0);
  const shown = (slot: number): number =>
    busiestHosts.reduce((sum, { slots }) => sum + (slots[slot] ?? 0), 0);
  const rest = {
    rows: rows - busiestHosts.reduce((sum, host) => sum + host.rows, 0),
    slots: axis.slots.map((slot) => all(slot) - shown(slot)),
  };
  const values = busiestHosts.flatMap(({ slots }) => slots);
  const most = Math.max(...values);
  const levels = [1, 2, 3, 4, 5].map((level) => markup`<i class="level-${level}" aria-hidden="true"></i>`);
  return section(
    id,
    title,
    markup`<p class="note scale">${
      hosts.distinct > busiestHosts.length
        ? `The ${busiestHosts.length} busiest of ${counted(hosts.distinct, 'host')}.`
        : `${counted(hosts.distinct, 'host')}.`
    } <span>1 ${levels} ${count(most)} events</span></p>`,
    markup`<div class="wide heat" role="region" tabindex="0" aria-label="${title}, as a table"><table role="table"><caption class="hidden">${title}</caption>
<thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">Host</th>${axis.slots.map((slot) => head(axis, slot))}<th scope="col" role="columnheader">All</th></tr></thead>
<tbody role="rowgroup">${busiestHosts.map((host) => row(axis, markup`<code>${host.mask.slice(0, 8)}</code>`, host, most))}${
      rest.rows > 0 && restRow(axis, rest, hosts.distinct - busiestHosts.length)
    }</tbody></table></div>`,
  );
}

/** Every label that the charts have; the others are for readers of the screen. */
function head(axis: TimeAxis, slot: number): Markup {
  const isShown = axis.ticks.some(({ at }) => at === slot);
  return markup`<th scope="col" role="columnheader"><span${!isShown && markup` class="hidden"`}>${axis.from(slot)}</span></th>`;
}

function row(
  axis: TimeAxis,
  name: Markup,
  { rows, slots }: Pick<HostStatistics, 'rows' | 'slots'>,
  most: number,
): Markup {
  const cells = axis.slots.map((slot) => {
    const n = slots[slot] ?? 0;
    return markup`<td role="cell" class="level-${levelOf(n, 1, most)}" title="${axis.span(slot)}: ${count(n)}"><span class="hidden">${count(n)}</span></td>`;
  });
  return markup`<tr role="row"><th scope="row" role="rowheader">${name}</th>${cells}<td role="cell">${count(rows)}</td></tr>\n`;
}

/** Not coloured: it stands for many hosts. */
function restRow(
  axis: TimeAxis,
  { rows, slots }: { readonly rows: number; readonly slots: readonly number[] },
  others: number,
): Markup {
  const name = others > 0 ? counted(others, 'other') : 'no host';
  const cells = axis.slots.map(
    (slot) =>
      markup`<td role="cell" title="${axis.span(slot)}: ${count(slots[slot] ?? 0)}"><span class="hidden">${count(slots[slot] ?? 0)}</span></td>`,
  );
  return markup`<tr role="row" class="sum"><th scope="row" role="rowheader">${name}</th>${cells}<td role="cell">${count(rows)}</td></tr>\n`;
}
