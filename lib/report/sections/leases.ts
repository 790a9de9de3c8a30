import type { Window } from '../../core/window.ts';
import { HOUR } from '../../core/time.ts';
import { type Fact, factList } from '../facts.ts';
import { binText, binsOf, histogram } from '../histogram.ts';
import type { LeaseStatistics, LeaseUse } from '../lease-statistics.ts';
import { type Level, levelData, levelFigure } from '../level-figure.ts';
import type { MachineStatistics } from '../machine-statistics.ts';
import { type Markup, markup } from '../markup.ts';
import { slotsOf } from '../slots.ts';
import { type Spread, spreadText } from '../spread.ts';
import { type TableRow, dataOf, table } from '../table.ts';
import { count, counted, percent } from '../text.ts';
import { timeAxis } from '../time-axis.ts';
import { changesTable } from './changes.ts';
import { type Section, section } from './section.ts';

const WHAT: Readonly<Record<string, string>> = {
  CREATE: 'it was asked for',
  UPDATE: 'its plan or hosts changed',
  START: 'its hosts were handed over',
  DEGRADE: 'a host of it failed',
  ERROR: 'its start or end failed',
  END: 'its hosts were taken back',
  DELETE: 'it is gone',
};

export interface LeasesShown {
  readonly leases: LeaseStatistics;
  /** Where the drop has the table. */
  readonly machines: MachineStatistics | undefined;
  readonly hasEvents: boolean;
  /** Whether times outside of the window are cut to the day. */
  readonly isCut: boolean;
}

/** How much was reserved, for how long and how far ahead, and how much of that was used. */
export function leasesSection(window: Window, shown: LeasesShown): Section {
  const { leases, hasEvents } = shown;
  const facts = factList(stateFacts(leases));
  const changes = hasEvents
    ? changesTable(leases.changes, WHAT, 'Nothing happened to a lease.')
    : markup`<p class="note">The drop has no table of their events.</p>`;
  return section(
    'leases',
    'Leases',
    leases.rows === 0 ? markup`<p>No lease existed in this window.</p>` : reserved(window, shown),
    leases.rows > 0 && plans(leases, shown.isCut),
    leases.use.rows > 0 && useTable(leases.use, shown.isCut),
    leases.sizes.length > 0 && sizes(leases),
    markup`<h3>What became of leases</h3><div class="pair"><div>${facts}</div><div>${changes}</div></div>`,
  );
}

function reserved(window: Window, { leases, machines }: LeasesShown): Markup {
  const axis = timeAxis(window, slotsOf(window).step);
  const level: Level = {
    id: 'reserved',
    name: 'Hosts reserved',
    unit: 'hosts',
    levels: leases.reserved,
    limit: machines?.enabled,
  };
  const left = leases.withoutHosts;
  return markup`<p class="note">A host is reserved from the true start of a lease to its end, and counts once however many leases share it.${
    left > 0 && ` Not counted: ${counted(left, 'lease')} whose hosts no read saw.`
  }</p>${
    machines !== undefined &&
    markup`<ul class="legend"><li><i class="level" aria-hidden="true"></i>reserved</li><li><i class="limit" aria-hidden="true"></i>enabled hosts</li></ul>`
  }${levelFigure(level, axis, leases.instant)}${levelData('Hosts reserved', [level], axis, leases.instant)}`;
}

function plans({ lengths, leads }: LeaseStatistics, isCut: boolean): Markup {
  if (lengths.rows === 0) return markup`<p>No lease was made in this window.</p>`;
  const [first, end] = binsOf([lengths, leads]);
  const figure = (id: string, name: string, note: string, spread: Spread): Markup => {
    const words = `${counted(spread.rows, 'lease')}: ${planText(spread)}`;
    return markup`<figure><figcaption>${name} <small>${note}</small><span>${words}</span></figcaption>${histogram(
      {
        id,
        title: name,
        description: `${words}.`,
        what: 'lease',
        durations: spread.durations,
        first,
        end,
        height: 110,
      },
    )}</figure>\n`;
  };
  const used = (bin: number): boolean => (lengths.durations[bin] ?? 0) + (leads.durations[bin] ?? 0) > 0;
  return markup`<h3>How long, and how far ahead</h3><p class="note">Of the leases that were made in this window, as they are planned, on a logarithmic axis.${
    isCut && ' Plans outside of this window are known by their day.'
  }</p><div class="multiples">${figure('lease-lengths', 'Length', 'from start to end', lengths)}${figure('lease-leads', 'Lead time', 'from the request to the start', leads)}</div>${dataOf(
    {
      caption: 'Lengths and lead times',
      head: ['Time', 'Length', 'Lead time'],
      rows: lengths.durations
        .map((n, bin) => ({ bin, name: binText(bin), cells: [count(n), count(leads.durations[bin] ?? 0)] }))
        .filter(({ bin }) => used(bin)),
    },
  )}`;
}

/** Nothing of a plan has taken its time yet. */
function planText(spread: Spread): string {
  return spreadText(spread)
    .replace(/^took /, '')
    .replaceAll('within a second', 'at once');
}

const QUARTERS = ['under a quarter', 'a quarter to half', 'half to three quarters', 'three quarters or more'];

function useTable(use: LeaseUse, isCut: boolean): Markup {
  const { rows, never, quarters, whole, half } = use;
  const back = quarters.reduce((sum, n) => sum + n, 0);
  const row = (name: string, n: number): TableRow => ({
    name,
    bars: [[{ share: n / rows, look: 'events' }]],
    cells: [count(n), percent(n, rows)],
  });
  const median = half === null ? '' : `; half of these had used ${percent(half, 1)} of their time, or less`;
  return markup`<h3>How much of the planned time was used</h3><p>${counted(rows, 'lease was', 'leases were')} over: ${count(whole)} ran to the planned end, ${count(never)} never began, and ${count(back)} ${back === 1 ? 'was' : 'were'} given back before${median}.${isCut && ' The start of one that began before this window is known by its day, and its share is not exact.'}</p>${table(
    {
      caption: 'Leases that were over, by what they used',
      isFull: true,
      head: ['Used', markup`<i class="swatch events" aria-hidden="true"></i>Leases`, 'Share'],
      rows: [
        row('to the planned end', whole),
        ...QUARTERS.map((name, nth) => row(name, quarters[nth] ?? 0)).toReversed(),
        row('never began', never),
      ],
    },
  )}`;
}

function sizes({ sizes: list, rows }: LeaseStatistics): Markup {
  const unknown = rows - list.reduce((sum, { leases }) => sum + leases, 0);
  const row = (name: string, leases: number, hostHours: string): TableRow => ({
    name,
    bars: [[{ share: leases / rows, look: 'events' }]],
    cells: [count(leases), percent(leases, rows), hostHours],
  });
  return table({
    caption: 'Leases by the hosts that they reserve, and the hours of these hosts in this window',
    isFull: true,
    head: ['Hosts', markup`<i class="swatch events" aria-hidden="true"></i>Leases`, 'Share', 'Host hours'],
    rows: [
      ...list.map(({ from, to, leases, hostSeconds }) =>
        row(sizeText(from, to), leases, count(Math.round(hostSeconds / HOUR))),
      ),
      ...(unknown === 0 ? [] : [row('none, or not known', unknown, '')]),
    ],
  });
}

function sizeText(from: number, to: number | null): string {
  if (to === null) return `${count(from)} or more`;
  return from === to ? counted(from, 'host') : `${count(from)} to ${count(to)} hosts`;
}

function stateFacts({ rows, states }: LeaseStatistics): Fact[] {
  return [
    { name: 'Leases', value: count(rows), note: 'that existed in this window' },
    { name: 'Running', value: count(states.ACTIVE), note: 'when the window ended' },
    { name: 'Waiting', value: count(states.PENDING) },
    { name: 'Ended', value: count(states.TERMINATED) },
    { name: 'Failed', value: count(states.ERROR) },
    { name: 'Deleted', value: count(states.DELETED), note: 'by their users' },
  ];
}
