import { type Markup, markup } from '../markup.ts';
import type { DropStatistics, FlavourStatistics } from '../statistics.ts';
import { type TableRow, table } from '../table.ts';
import { count, counted, percent } from '../text.ts';
import { section } from './section.ts';

const MOST = 12;

/** The sizes of the instances. */
export function flavoursSection({ flavours, rows }: DropStatistics): Markup {
  const isTooMany = flavours.length > MOST;
  const shown = isTooMany ? flavours.slice(0, MOST - 1) : flavours;
  const tail = flavours.slice(shown.length);
  const instances = sum(flavours, (flavour) => flavour.instances);
  const row = (name: string, of: readonly FlavourStatistics[], isSum: boolean): TableRow => {
    const own = {
      rows: sum(of, (flavour) => flavour.rows),
      instances: sum(of, (flavour) => flavour.instances),
    };
    return {
      name,
      isSum,
      bars: [
        [{ share: own.rows / rows, look: 'events' }],
        [{ share: own.instances / instances, look: 'instances' }],
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
        markup`<i class="swatch instances" aria-hidden="true"></i>Instances`,
      ],
      rows: [
        ...shown.map((flavour) => row(sizesText(flavour), [flavour], false)),
        ...(isTooMany ? [row(`${count(tail.length)} other flavours`, tail, true)] : []),
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

function memoryText(mebibytes: number): string {
  const isWhole = mebibytes >= 1024 && mebibytes % 512 === 0;
  return isWhole ? `${count(mebibytes / 1024)} GiB` : `${count(mebibytes)} MiB`;
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
