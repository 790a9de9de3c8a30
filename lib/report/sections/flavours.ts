import { markup } from '../markup.ts';
import type { DropStatistics, FlavourStatistics } from '../statistics.ts';
import { type TableRow, table } from '../table.ts';
import { count, counted, memoryText, percent } from '../text.ts';
import { type Section, section } from './section.ts';

const MOST = 12;

/** The sizes of the servers that had events. */
export function flavoursSection({ flavours, rows }: DropStatistics): Section {
  const isTooMany = flavours.length > MOST;
  const shown = isTooMany ? flavours.slice(0, MOST - 1) : flavours;
  const tail = flavours.slice(shown.length);
  const instances = sum(flavours, (flavour) => flavour.instances);
  const row = (name: string, of: readonly FlavourStatistics[], look?: TableRow['look']): TableRow => {
    const own = {
      rows: sum(of, (flavour) => flavour.rows),
      instances: sum(of, (flavour) => flavour.instances),
    };
    return {
      name,
      ...(look === undefined ? {} : { look }),
      bars: [
        [{ share: own.rows / rows, look: 'events' }],
        [{ share: own.instances / instances, look: 'servers' }],
      ],
      cells: [count(own.rows), percent(own.rows, rows), count(own.instances)],
    };
  };
  return section(
    'flavours',
    'Flavours',
    table({
      caption: `${counted(flavours.length, 'flavour')}, told apart by their sizes`,
      isFull: true,
      head: [
        'Sizes',
        markup`<i class="swatch events" aria-hidden="true"></i>Events`,
        'Share',
        markup`<i class="swatch servers" aria-hidden="true"></i>Servers`,
      ],
      rows: [
        ...shown.map((flavour) => row(sizesText(flavour), [flavour])),
        ...(isTooMany ? [row(`${count(tail.length)} other flavours`, tail, 'sum')] : []),
      ],
    }),
  );
}

/** `2 vCPU · 4 GiB · 40 GiB disk` */
function sizesText({ vcpus, memoryMb, rootGb }: FlavourStatistics): string {
  return [
    `${vcpus ?? '?'} vCPU`,
    memoryMb === null ? '? MiB' : memoryText(memoryMb),
    rootGb === 0 ? 'no disk of its own' : `${rootGb === null ? '?' : count(rootGb)} GiB disk`,
  ].join(' · ');
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
