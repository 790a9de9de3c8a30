import { type Markup, markup } from '../markup.ts';
import type { Ranking } from '../ranking.ts';
import type { DropStatistics } from '../statistics.ts';
import { type TableRow, table } from '../table.ts';
import { count, counted, percent } from '../text.ts';
import { type Section, section } from './section.ts';

/** Whose and where most events were. */
export function busiestSection({ projects, hosts, rows }: DropStatistics, masking: string): Section {
  return section(
    'busiest',
    'Busiest projects and hosts',
    masking !== 'none' && markup`<p class="note">Both go by their masks.</p>`,
    markup`<div class="pair">${ranking(projects, 'project', rows)}${ranking(hosts, 'host', rows)}</div>`,
  );
}

function ranking({ top, distinct, without }: Ranking, what: string, rows: number): Markup {
  const most = top[0]?.rows ?? 1;
  const others = rows - without - top.reduce((sum, one) => sum + one.rows, 0);
  const rest = (name: string, of: number): TableRow => ({
    name,
    look: 'sum',
    cells: [count(of), percent(of, rows)],
  });
  return table({
    caption: distinct === 0 ? `No ${what} is named` : `${counted(distinct, what)} in all`,
    head: [`${what[0]?.toUpperCase()}${what.slice(1)}`, 'Events', 'Share'],
    rows: [
      ...top.map((one): TableRow => ({
        name: markup`<code class="mask">${one.mask}</code>`,
        bars: [[{ share: one.rows / most, look: 'events' }]],
        cells: [count(one.rows), percent(one.rows, rows)],
      })),
      ...(distinct > top.length ? [rest(counted(distinct - top.length, 'other'), others)] : []),
      ...(without > 0 ? [rest(`without a ${what}`, without)] : []),
    ],
  });
}
