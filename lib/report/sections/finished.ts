import { HOUR, type Seconds } from '../../core/time.ts';
import { labelEvery } from '../axis.ts';
import { columnChart } from '../column-chart.ts';
import { type Markup, markup } from '../markup.ts';
import { type Series, seriesOf } from '../series.ts';
import type { DropStatistics } from '../statistics.ts';
import { dataOf } from '../table.ts';
import { clockText, count, counted, durationText, endClockText, percent } from '../text.ts';
import { section } from './section.ts';

/** As many as there are colours that are easy to distinguish. */
const MOST = 7;

/** When events finished, by type. */
export function finishedSection(statistics: DropStatistics): Markup {
  const { window, step, late } = statistics;
  const series = seriesOf(statistics.events, MOST).filter(({ rows, late: before }) => rows > before);
  const title = `Events per ${step === HOUR ? 'hour' : durationText(step)}`;
  if (series.length === 0) {
    const rest = late > 0 ? ` All ${count(late)} are late ones.` : '';
    return section('finished', title, markup`<p>Nothing finished in this window.${rest}</p>`);
  }

  const starts = (series[0]?.slots ?? []).map((_, slot) => window.start + slot * step);
  const totals = starts.map((_, slot) => series.reduce((sum, { slots }) => sum + (slots[slot] ?? 0), 0));
  const finished = statistics.rows - late;
  const busiest = totals.indexOf(Math.max(...totals));
  const span = (slot: number): string => slotText(window.start + slot * step, step);
  const every = labelEvery(starts.length);
  const marks = Array.from({ length: Math.floor(starts.length / every) + 1 }, (_, nth) => nth * every);

  const chart = columnChart({
    id: 'finished-chart',
    title,
    description:
      `${counted(finished, 'event')} finished in this window, the most, ${count(totals[busiest] ?? 0)}, from ` +
      `${span(busiest)}. By type: ${series.map((one) => `${one.name} ${count(one.rows - one.late)}`).join(', ')}.`,
    columns: starts.map((_, slot) => ({
      values: series.map(({ slots }) => slots[slot] ?? 0),
      hint: hintOf(series, slot, `${span(slot)}: ${counted(totals[slot] ?? 0, 'event')}`),
    })),
    ticks: marks.map((at, nth) => ({
      at,
      text: tickText(window.start + at * step, at),
      minor: nth % 2 === 1,
    })),
  });
  const data = dataOf({
    caption: title,
    head: ['From', ...series.map(({ label }) => label), 'All'],
    rows: starts.map((start, slot) => ({
      name: clockText(start),
      cells: [...series.map(({ slots }) => count(slots[slot] ?? 0)), count(totals[slot] ?? 0)],
    })),
  });
  return section(
    'finished',
    title,
    markup`<p class="note">By the time they finished, in UTC.${
      late > 0 &&
      ` ${counted(late, 'late event')} finished before this window and ${late === 1 ? 'is' : 'are'} not shown.`
    }</p>`,
    legend(series, finished),
    chart,
    data,
  );
}

function legend(series: readonly Series[], finished: number): Markup {
  return markup`<ul class="legend">${series.map(
    ({ label, rows, late }, nth) =>
      markup`<li><i class="s${nth + 1}" aria-hidden="true"></i>${label} <span>${count(rows - late)} · ${percent(rows - late, finished)}</span></li>`,
  )}</ul>`;
}

function hintOf(series: readonly Series[], slot: number, head: string): string {
  const parts = series
    .filter(({ slots }) => (slots[slot] ?? 0) > 0)
    .map(({ name, slots }) => `${name} ${count(slots[slot] ?? 0)}`);
  return [head, ...parts.toReversed()].join('\n');
}

function slotText(start: Seconds, step: Seconds): string {
  return `${clockText(start)} to ${endClockText(start + step)}`;
}

function tickText(time: Seconds, at: number): string {
  return at === 0 ? clockText(time) : endClockText(time);
}
