import { markup } from '../markup.ts';
import type { DropStatistics } from '../statistics.ts';
import { type TableRow, table } from '../table.ts';
import { count, counted, percent } from '../text.ts';
import { type Section, section } from './section.ts';

/** Where events failed. */
export function failuresSection({ failingHosts, groups, rows, hosts }: DropStatistics): Section {
  const errors = groups.reduce((sum, { error }) => sum + error, 0);
  const title = 'Failures per host';
  if (errors === 0) return section('failures', title, markup`<p>No event failed.</p>`);
  const own = failingHosts.reduce((sum, host) => sum + host.errors, 0);
  const most = failingHosts[0]?.errors ?? 1;
  const listed = failingHosts.reduce((sum, host) => sum + host.rows, 0);
  return section(
    'failures',
    title,
    markup`<p class="note">${counted(errors, 'event')} of ${count(rows)} failed, ${percent(errors, rows)}. The hosts where most did:</p>`,
    table({
      caption: 'Failed events by host',
      isFull: true,
      head: ['Host', 'Events', markup`<i class="swatch bad" aria-hidden="true"></i>Error`, 'Failed'],
      rows: [
        ...failingHosts.map((host): TableRow => ({
          name: markup`<code class="mask">${host.mask}</code>`,
          bars: [[{ share: host.errors / most, look: 'bad' }]],
          cells: [count(host.rows), count(host.errors), percent(host.errors, host.rows)],
        })),
        ...(hosts.distinct + (hosts.without > 0 ? 1 : 0) > failingHosts.length
          ? [
              {
                name: hosts.without > 0 ? 'all others, and events without a host' : 'all others',
                look: 'sum',
                cells: [count(rows - listed), count(errors - own), percent(errors - own, rows - listed)],
              } satisfies TableRow,
            ]
          : []),
      ],
    }),
  );
}
