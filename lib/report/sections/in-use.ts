import { type Content, type Markup, markup } from '../markup.ts';
import type { MachineStatistics } from '../machine-statistics.ts';
import type { ServerStatistics } from '../server-statistics.ts';
import { stepChart } from '../step-chart.ts';
import { dataOf } from '../table.ts';
import { count, counted, memoryScale, percent } from '../text.ts';
import { type TimeAxis, timeAxis } from '../time-axis.ts';
import type { Window } from '../../core/window.ts';
import { type Section, section } from './section.ts';

/** Servers alive, and vCPUs and memory allocated against the capacity that was enabled, over the window. */
export function inUseSection(
  window: Window,
  servers: ServerStatistics,
  machines: MachineStatistics | undefined,
): Section {
  const axis = timeAxis(window, servers.step);
  const scale = memoryScale(Math.max(0, ...servers.memoryMb, ...(machines?.memoryMb ?? [])));
  const scaled = (values: readonly number[]): number[] => values.map((value) => value / scale.mebibytes);
  const charts: Chart[] = [
    { id: 'alive', name: 'Servers alive', unit: 'servers', levels: servers.alive },
    { id: 'vcpus', name: 'vCPUs allocated', unit: 'vCPUs', levels: servers.vcpus, limit: machines?.vcpus },
    {
      id: 'memory',
      name: 'Memory allocated',
      unit: scale.unit,
      levels: scaled(servers.memoryMb),
      limit: machines && scaled(machines.memoryMb),
    },
  ];
  return section(
    'in-use',
    'In use',
    markup`<p class="note">${explained(servers, machines)}</p>`,
    machines !== undefined &&
      markup`<ul class="legend"><li><i class="level" aria-hidden="true"></i>allocated</li><li><i class="limit" aria-hidden="true"></i>capacity of the enabled hosts</li></ul>`,
    charts.map((chart) => drawn(chart, axis, servers.instant)),
    dataOf({
      caption: 'In use',
      head: ['At', ...charts.flatMap(({ name, unit, limit }) => headOf(name, unit, limit))],
      rows: axis.slots.map((slot) => ({
        name: axis.from(slot),
        cells: charts.flatMap(({ levels, limit }) => {
          const at = slot * perSlot(axis, levels);
          const cell = (values: readonly number[]): string => count(Math.round(values[at] ?? 0));
          return limit === undefined ? [cell(levels)] : [cell(levels), cell(limit)];
        }),
      })),
    }),
  );
}

interface Chart {
  readonly id: string;
  readonly name: string;
  readonly unit: string;
  readonly levels: readonly number[];
  readonly limit?: readonly number[] | undefined;
}

function headOf(name: string, unit: string, limit: Chart['limit']): string[] {
  const first = unit === 'servers' || unit === 'vCPUs' ? name : `${name}, ${unit}`;
  return limit === undefined ? [first] : [first, 'of'];
}

function perSlot({ slots }: TimeAxis, levels: readonly number[]): number {
  return levels.length / slots.length;
}

function drawn({ id, name, unit, levels, limit }: Chart, axis: TimeAxis, instant: number): Markup {
  const words = limit === undefined ? rangeText(levels, unit) : shareText(levels, limit, axis, instant);
  return markup`<figure class="over-time"><figcaption>${name}${
    unit !== 'servers' && unit !== 'vCPUs' && `, ${unit}`
  }<span>${words}</span></figcaption>${stepChart({
    id: `${id}-chart`,
    title: name,
    description: `${words}.`,
    levels,
    ...(limit === undefined ? {} : { limit }),
    axis,
    hints: axis.slots.map((slot) => {
      const at = Math.floor(slot * perSlot(axis, levels));
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

function explained(
  { withoutHost, shelved }: ServerStatistics,
  machines: MachineStatistics | undefined,
): Content {
  const left = [
    withoutHost > 0 && `${counted(withoutHost, 'server')} without a host`,
    shelved > 0 && `${count(shelved)} shelved`,
  ].filter((text) => text !== false);
  return [
    'A server is allocated from its creation to its deletion, with the size that it has now; earlier sizes and shelving are in the events.',
    left.length > 0 && ` Not counted as allocated: ${left.join(' and ')}.`,
    (machines?.resized ?? 0) > 0 &&
      ` ${counted(machines?.resized ?? 0, 'host')} changed in size, and ${machines?.resized === 1 ? 'counts' : 'count'} with the last one.`,
  ];
}
