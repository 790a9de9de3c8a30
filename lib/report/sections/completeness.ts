import type { Manifest } from '../../drop/manifest.ts';
import { instanceEvents } from '../../tables/instance-events/table.ts';
import { type Fact, factList } from '../facts.ts';
import { standingOut } from '../gaps.ts';
import { type Markup, markup } from '../markup.ts';
import type { DropStatistics } from '../statistics.ts';
import { table } from '../table.ts';
import { clockText, count, durationText, endClockText } from '../text.ts';
import { type Section, section } from './section.ts';

/** Spans in which nothing finished, and events that are not, or not yet, in the drop. */
export function completenessSection(statistics: DropStatistics, manifest: Manifest): Section {
  return section(
    'completeness',
    'Gaps, late and open events',
    markup`<div class="pair"><div>${gaps(statistics)}</div>${factList(countFacts(manifest))}</div>`,
  );
}

function gaps({ gaps: longest, window, rows, late }: DropStatistics): Markup {
  if (rows === late) return markup`<p>Nothing finished from the start of the window to its end.</p>`;
  const [first] = longest;
  if (first === undefined) return markup`<p>Something finished in every second of the window.</p>`;
  const found = standingOut(longest, window, rows - late);
  if (found.length === 0) {
    return markup`<p>No gap stands out. The longest time in which nothing finished was ${durationText(first.end - first.start)}, from ${clockText(first.start)} to ${endClockText(first.end)}.</p>`;
  }
  return table({
    caption: 'Nothing finished for longer than this many events let expect',
    head: ['From', 'To', 'Length'],
    rows: found.map(({ start, end }) => ({
      name: clockText(start),
      cells: [endClockText(end), durationText(end - start)],
    })),
  });
}

function countFacts({ tables }: Manifest): Fact[] {
  const { counts } = tables[instanceEvents.name] ?? {};
  if (counts === undefined) return [];
  return [
    {
      name: 'Late',
      value: count(counts.late),
      note: 'finished before this window, and could be seen only after its own was read',
    },
    { name: 'Still open', value: count(counts.stillOpen), note: 'had not finished at the end of the window' },
    {
      name: 'Abandoned',
      value: count(counts.abandoned),
      note: 'open for longer than the horizon, so no longer waited for',
    },
    {
      name: 'Rewritten',
      value: count(counts.rewritten),
      note: 'changed in the cloud after they were published; the published row stays as it is',
    },
    {
      name: 'Purged',
      value: counts.purged === null ? 'not known' : `about ${count(counts.purged)}`,
      note: 'gone from the cloud’s database before the window was read, as gaps in its ids tell',
    },
    ...(counts.restored === 0
      ? []
      : [
          {
            name: 'Under ids given again',
            value: count(counts.restored),
            note: 'the database was restored, or its server restarted: its ids had belonged to other events',
          },
        ]),
    ...leftOut(counts.skipped),
  ];
}

function leftOut(skipped: Readonly<Record<string, number>>): Fact[] {
  const reasons = Object.entries(skipped);
  if (reasons.length === 0) return [];
  const rows = reasons.reduce((sum, [, n]) => sum + n, 0);
  return [
    {
      name: 'Left out',
      value: count(rows),
      note: reasons.map(([reason, n]) => `${wordsOf(reason)} ${count(n)}`).join(', '),
    },
  ];
}

/** `excludedProject` as `excluded project` */
function wordsOf(reason: string): string {
  return reason.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
