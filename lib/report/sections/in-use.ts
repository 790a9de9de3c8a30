import { type Level, levelData, levelFigure } from '../level-figure.ts';
import { type Content, markup } from '../markup.ts';
import type { MachineStatistics } from '../machine-statistics.ts';
import type { ServerStatistics } from '../server-statistics.ts';
import { count, counted, memoryScale } from '../text.ts';
import { timeAxis } from '../time-axis.ts';
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
  const charts: Level[] = [
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
    charts.map((chart) => levelFigure(chart, axis, servers.instant)),
    levelData('In use', charts, axis, servers.instant),
  );
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
