import { type Markup, markup } from './markup.ts';
import { stepChart } from './step-chart.ts';
import { dataOf } from './table.ts';
import { count, percent } from './text.ts';
import type { TimeAxis } from './time-axis.ts';

/** A level over a window, and what it is held against. */
export interface Level {
  readonly id: string;
  readonly name: string;
  readonly unit: string;
  readonly levels: readonly number[];
  readonly limit?: readonly number[] | undefined;
}

/** Whether the level's name says it. */
function isNamed(unit: string): boolean {
  return ['servers', 'vCPUs', 'hosts'].includes(unit);
}

/** The numbers of several levels side by side. @param instant seconds between two of them */
export function levelData(
  caption: string,
  levels: readonly Level[],
  axis: TimeAxis,
  instant: number,
): Markup {
  return dataOf({
    caption,
    head: ['At', ...levels.flatMap(({ name, unit, limit }) => headOf(name, unit, limit))],
    rows: axis.slots.map((slot) => ({
      name: axis.from(slot),
      cells: levels.flatMap(({ levels: values, limit }) => {
        const at = instantOf(slot, axis, instant);
        const cell = (of: readonly number[]): string => count(Math.round(of[at] ?? 0));
        return limit === undefined ? [cell(values)] : [cell(values), cell(limit)];
      }),
    })),
  });
}

function headOf(name: string, unit: string, limit: Level['limit']): string[] {
  const first = isNamed(unit) ? name : `${name}, ${unit}`;
  return limit === undefined ? [first] : [first, 'of'];
}

/** At which a column begins, or the last one before. */
function instantOf(slot: number, { step }: TimeAxis, instant: number): number {
  return Math.floor((slot * step) / instant);
}

/** A chart of the level, under its name and what it says. */
export function levelFigure(
  { id, name, unit, levels, limit }: Level,
  axis: TimeAxis,
  instant: number,
): Markup {
  const words = limit === undefined ? rangeText(levels, unit) : shareText(levels, limit, axis, instant);
  return markup`<figure class="over-time"><figcaption>${name}${
    !isNamed(unit) && `, ${unit}`
  }<span>${words}</span></figcaption>${stepChart({
    id: `${id}-chart`,
    title: name,
    description: `${words}.`,
    levels,
    ...(limit === undefined ? {} : { limit }),
    axis,
    hints: axis.slots.map((slot) => {
      const at = instantOf(slot, axis, instant);
      const most = limit === undefined ? '' : ` of ${count(Math.round(limit[at] ?? 0))}`;
      return `${axis.from(slot)}: ${count(Math.round(levels[at] ?? 0))}${most} ${unit}`;
    }),
  })}</figure>\n`;
}

function rangeText(levels: readonly number[], unit: string): string {
  const [least, most] = [Math.min(...levels), Math.max(...levels)].map((level) => count(Math.round(level)));
  return least === most ? `${least} ${unit} all the time` : `between ${least} and ${most} ${unit}`;
}

/** On average, and at most. */
function shareText(
  levels: readonly number[],
  limit: readonly number[],
  axis: TimeAxis,
  instant: number,
): string {
  const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
  if (total(limit) === 0) return 'no capacity was enabled';
  const shares = levels.map((level, at) => ((limit[at] ?? 0) === 0 ? 0 : level / (limit[at] ?? 1)));
  const highest = Math.max(...shares);
  const at = shares.indexOf(highest);
  const mean = percent(total(levels), total(limit));
  const peak = percent(levels[at] ?? 0, limit[at] ?? 0);
  return mean === peak
    ? `${mean} of the capacity`
    : `${mean} of the capacity on average, at most ${peak}, at ${axis.clock(at * instant)}`;
}
