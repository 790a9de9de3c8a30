import { beforeAll, describe, expect, test } from 'vitest';
import { GROUP_NAMES } from '../../../lib/report/event-groups.ts';
import { renderReport } from '../../../lib/report/page.ts';
import { NBSP, bytesText } from '../../../lib/report/text.ts';
import { filesOf } from '../../../lib/drop/manifest.ts';
import type { TraceEvent } from '../../../lib/tables/instance-events/row.ts';
import type { Server } from '../../../lib/tables/instances/row.ts';
import type { Machine } from '../../../lib/tables/machines/row.ts';
import { DAY, HOUR } from '../../../lib/core/time.ts';
import { eventsOf } from '../../support/drops.ts';
import { traceEvent } from '../../support/records.ts';
import { type Day, busyDay, emptyDay, quietDay, recordedDay } from '../../support/report/days.ts';
import { type ReportedDrop, reportedDrop } from '../../support/report/drop.ts';
import { type Estate, busyEstate } from '../../support/report/estate.ts';
import { leasedEstate } from '../../support/report/leased.ts';
import { elementsOf, rowsOf, sectionOf, textOf } from '../../support/report/html.ts';

const START = Date.UTC(2026, 10, 20) / 1000;
const SCAN = { values: 1234, tokens: 98_765, found: 0, ambiguous: 0 };
const LINKS = {
  index: '../index.html',
  manifest: 'a.json',
  previous: 'b.html',
  next: 'c.html',
  to: (key: string) => `../${key}`,
};
const numbers = (cells: readonly string[]): number[] => cells.map((cell) => Number(cell.replaceAll(',', '')));
const sum = (all: readonly number[]): number => all.reduce((total, n) => total + n, 0);

const NAMES = ['busy', 'recorded', 'quiet', 'empty', 'whole', 'leased'];

describe('every report', () => {
  const pages: Record<string, string> = {};
  beforeAll(async () => {
    const days = {
      busy: busyDay(START, 2),
      recorded: await recordedDay(),
      quiet: quietDay(START),
      empty: emptyDay(START),
    };
    for (const [name, day] of Object.entries(days))
      pages[name] = renderReport({ ...reportedDrop(day), scan: SCAN });
    const { window } = days.busy;
    pages['leased'] = renderReport({ ...reportedDrop(days.quiet, {}, leasedEstate(window, 90)), scan: SCAN });
    pages['whole'] = renderReport({ ...reportedDrop(days.busy, {}, busyEstate(window, 500)), scan: SCAN });
  });

  test.for(NAMES)('is one sound file that asks for nothing (%s)', (name) => {
    const elements = elementsOf(pages[name] ?? '');
    const policy = elements.find(({ attributes }) => attributes['http-equiv'] === 'Content-Security-Policy');
    expect(policy?.attributes['content']).toMatch(/^default-src 'none'; style-src 'unsafe-inline'/);
    expect(elements.map((element) => element.name)).not.toContain('script');
    const links = elements.flatMap(({ attributes }) => [attributes['href'], attributes['src']]);
    const ids = elements.flatMap(({ attributes }) =>
      attributes['id'] === undefined ? [] : [`#${attributes['id']}`],
    );
    expect(links.filter((link) => link !== undefined && !ids.includes(link))).toEqual(['data:,']);
    expect(pages[name]).not.toMatch(/url\(|@import|https?:/);
  });

  test.for(NAMES)('has its parts in order, each with a name (%s)', (name) => {
    const elements = elementsOf(pages[name] ?? '');
    const ids = elements.flatMap(({ attributes }) => attributes['id'] ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    const references = elements.flatMap(({ attributes }) => attributes['aria-labelledby']?.split(' ') ?? []);
    expect(references.filter((id) => !ids.includes(id))).toEqual([]);
    expect(elements.filter((element) => element.name === 'h1')).toHaveLength(1);
    // A drawing within a chart is a part of it.
    const charts = elements.filter(
      ({ name: of, attributes }) => of === 'svg' && attributes['aria-hidden'] !== 'true',
    );
    expect(charts.filter(({ attributes }) => attributes['role'] !== 'img')).toEqual([]);
  });
});

describe('the report of a busy day', () => {
  let drop: ReportedDrop;
  let page: string;
  beforeAll(() => {
    const counts = { stillOpen: 41, skipped: { excludedProject: 211, cloned: 4 } };
    drop = reportedDrop(busyDay(START, 2), counts);
    page = renderReport({ ...drop, scan: SCAN, links: LINKS });
  });

  test('has every event once in the table of hours, late ones apart', () => {
    const [head, ...hours] = rowsOf(sectionOf(page, 'finished'));
    expect(head).toEqual(['From', 'Create', 'Delete', 'Power', 'Move', 'Storage', 'Other', 'All']);
    expect(hours.map(([from]) => from).slice(0, 2)).toEqual(['earlier', '00:00']);
    expect(hours).toHaveLength(25);
    const all = hours.map((cells) => numbers(cells.slice(1)));
    for (const row of all) expect(sum(row.slice(0, -1))).toBe(row.at(-1));
    expect(all[0]?.at(-1)).toBe(drop.statistics.late);
    expect(sum(all.map((row) => row.at(-1) ?? 0))).toBe(drop.statistics.rows);
  });

  test('has every event once among results, failures, hosts, durations, flavours and projects', () => {
    const { rows } = drop.statistics;
    const [, all, ...results] = rowsOf(sectionOf(page, 'results')).map(([name = '', ...cells]) => ({
      name,
      rows: numbers(cells.slice(0, 1))[0] ?? 0,
    }));
    const isGroup = ({ name }: { name: string }): boolean => Object.values(GROUP_NAMES).includes(name);
    const totals = [results.filter(isGroup), results.filter((one) => !isGroup(one))].map((some) =>
      sum(some.map((one) => one.rows)),
    );
    expect([all?.rows, ...totals]).toEqual([rows, rows, rows]);
    const ofFirst = (id: string): number =>
      sum(
        rowsOf(sectionOf(page, id))
          .slice(1)
          .flatMap((cells) => numbers(cells.slice(1, 2))),
      );
    expect([ofFirst('failures'), ofFirst('durations')]).toEqual([rows, rows]);
    const map = rowsOf(sectionOf(page, 'heat-map')).slice(1);
    expect(sum(map.map((cells) => numbers(cells).at(-1) ?? 0))).toBe(rows);
    expect(map).toHaveLength(21);
    expect(sum(map.flatMap((cells) => numbers(cells.slice(1, -1))))).toBe(rows - drop.statistics.late);
    const flavours = rowsOf(sectionOf(page, 'flavours')).slice(1);
    expect(sum(flavours.flatMap((cells) => numbers(cells.slice(1, 2))))).toBe(rows);
    const [projects = '', hosts = ''] = sectionOf(page, 'busiest').split('</table>');
    for (const ranking of [projects, hosts]) {
      const ranked = rowsOf(ranking).slice(1);
      expect(ranked).toHaveLength(11);
      expect(sum(ranked.flatMap((cells) => numbers(cells.slice(1, 2))))).toBe(rows);
    }
  });

  test('tells what is late, open and left out', () => {
    const text = textOf(sectionOf(page, 'completeness'));
    expect(text).toContain(`Late ${eventsOf(drop.manifest).counts.late} finished before`);
    expect(text).toContain('Still open 41');
    expect(text).toContain('Left out 215 excluded project 211, cloned 4');
    expect(text).toMatch(/No gap stands out. The longest time in which nothing finished was \d+/);
  });

  test('tells the privacy figures and the scan', () => {
    const text = textOf(sectionOf(page, 'privacy'));
    const { distinct, classes } = drop.statistics.privacy;
    expect(text).toContain(
      'Raw identifiers none found of 1,234 identifiers looked for among 98,765 distinct tokens of output',
    );
    expect(text).toContain(`${distinct.users} users, ${distinct.projects} projects`);
    expect(text).toContain(`${(classes.rareShare * 100).toFixed(1)}%`);
    expect(text).toContain('whose flavour, hour, event and result together are shared by fewer than 5 users');
  });

  test('lists and links the files, leaves hashes to the manifest, and leads to other drops', () => {
    const section = sectionOf(page, 'files');
    for (const { key, sha256, bytes } of filesOf(drop.manifest)) {
      expect(section).toContain(`href="../${key}"`);
      expect(section).not.toContain(sha256);
      expect(textOf(section)).toContain(bytesText(bytes));
    }
    expect(sectionOf(page, 'drop')).toContain(drop.manifest.masking.scope);
    const links = elementsOf(page).flatMap(({ name, attributes: { href = '' } }) =>
      name === 'a' && !href.startsWith('#') ? [href] : [],
    );
    const files = filesOf(drop.manifest).map(({ key }) => `../${key}`);
    expect(links).toEqual(['b.html', '../index.html', 'c.html', ...files, 'a.json']);
  });

  test('has a list of its parts, in their order', () => {
    const listed = Array.from(page.matchAll(/<li><a href="#([\w-]+)">(.*?)<\/a>/g), ([, id, name]) => [
      id,
      name,
    ]);
    expect(listed).toEqual(
      Array.from(page.matchAll(/<h2 id="([\w-]+)">(.*?)<\/h2>/g), ([, id, name]) => [id, name]),
    );
    expect(listed.length).toBeGreaterThan(9);
  });

  test('is the same whenever it is made', () => {
    expect(renderReport(structuredClone({ ...drop, scan: SCAN }))).toBe(
      renderReport({ ...drop, scan: SCAN }),
    );
  });
});

describe('a report', () => {
  const reported = (events: readonly TraceEvent[], window = { start: START, end: START + DAY }): string =>
    renderReport(reportedDrop({ window, events } satisfies Day));
  const at = (finish: number, event = 'compute_stop_instance'): TraceEvent =>
    traceEvent({ start: finish - 5, finish, event });

  test('of an empty day says so, and has no chart', () => {
    const page = reported([]);
    expect(textOf(sectionOf(page, 'finished'))).toContain('Nothing finished in this window.');
    expect(textOf(sectionOf(page, 'privacy'))).toContain('There are no rows');
    expect(page).not.toContain('<svg');
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
  });

  test('of nothing but late events says so', () => {
    const page = reported([at(START - 10)]);
    expect(textOf(sectionOf(page, 'finished'))).toContain(
      'Nothing finished in this window. All 1 are late ones.',
    );
    expect(textOf(sectionOf(page, 'durations')).replaceAll(NBSP, ' ')).toContain('1 event: took 5 s');
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
  });

  test('of a single event counts it in the singular, and makes nothing of the quiet around it', () => {
    const page = reported([at(START + 9 * HOUR + 5)]);
    expect(textOf(page)).toContain('1 event, the most, 1, from 09:00 to 10:00.');
    expect(textOf(sectionOf(page, 'completeness')).replaceAll(NBSP, ' ')).toContain(
      'No gap stands out. The longest time in which nothing finished was 14 h 59 min, from 09:00:06 to 24:00.',
    );
  });

  test('names a gap that stands out among many events', () => {
    const events = Array.from({ length: 24 * 60 }, (_, minute) => START + minute * 60)
      .filter((time) => time < START + 10 * HOUR || time > START + 12 * HOUR)
      .map((time) => at(time));
    expect(rowsOf(sectionOf(reported(events), 'completeness'))).toEqual([
      ['From', 'To', 'Length'],
      ['09:59:01', '12:01', expect.stringMatching(/^2.h.1.min$/) as string],
    ]);
  });

  test('of an hour shows parts of it', () => {
    const page = reported([at(START + HOUR + 61)], { start: START + HOUR, end: START + 2 * HOUR });
    expect(textOf(page)).toContain('20 November 2026, 01:00 to 02:00');
    expect(rowsOf(sectionOf(page, 'finished')).map(([from]) => from)).toEqual([
      'From',
      ...Array.from({ length: 12 }, (_, nth) => `01:${String(nth * 5).padStart(2, '0')}`),
    ]);
  });

  test('puts events together by what they do, and the tail of many that do the same', () => {
    const names = Array.from({ length: 30 }, (_, nth) => `attach_thing_${nth}`);
    const page = reported(
      names.flatMap((name, nth) => Array.from({ length: 40 - nth }, () => at(START + nth, name))),
    );
    const [head] = rowsOf(sectionOf(page, 'finished'));
    expect(head).toEqual(['From', 'Other', 'All']);
    expect(rowsOf(sectionOf(page, 'results')).map(([name]) => name)).toEqual([
      'Event',
      'All events',
      'Other',
      ...names.slice(0, 7),
      '23 others',
    ]);
  });

  test('escapes whatever the cloud calls its events, and shortens what is too long', () => {
    const hostile = [
      `<img src=x onerror=alert(1)>`,
      `"><script>alert(1)</script>`,
      `' onload='x`,
      'x'.repeat(255),
    ];
    const page = reported(hostile.map((name) => at(START, name)));
    const names = elementsOf(page).map(({ name }) => name);
    expect(names).not.toContain('img');
    expect(names).not.toContain('script');
    expect(textOf(sectionOf(page, 'results'))).toContain(hostile[0]);
    expect(page).toContain(`${'x'.repeat(63)}…`);
    expect(page).not.toContain('x'.repeat(64));
    expect(
      elementsOf(page)
        .flatMap(({ attributes }) => Object.keys(attributes))
        .filter((key) => key.startsWith('on')),
    ).toEqual([]);
  });

  test('names events without a name', () => {
    const page = reported([
      { ...at(START), event: null },
      { ...at(START), event: '' },
    ]);
    expect(rowsOf(sectionOf(page, 'results')).map(([name]) => name)).toEqual([
      'Event',
      'All events',
      'Other',
      '(no name)',
      '(no name)',
    ]);
  });

  test('warns of a drop that is not safely masked, and of identifiers that were found', () => {
    const drop = reportedDrop(quietDay(START));
    const page = renderReport({
      ...drop,
      manifest: { ...drop.manifest, masking: { method: 'none', scope: 'none' } },
      scan: { ...SCAN, found: 2 },
    });
    expect(textOf(page)).toContain('Not safely masked: none.');
    expect(textOf(page)).not.toContain('Both go by their masks.');
    expect(textOf(sectionOf(page, 'privacy'))).toContain(
      '2 tokens found of 1,234 identifiers looked for among 98,765 distinct tokens of output',
    );
    expect(page).not.toContain('none found');
  });

  test('tells what could not be seen over the API', () => {
    const drop = reportedDrop(quietDay(START));
    const api = { microversion: '2.96', requests: 4123, swept: false, unseen: ['cell2 did not answer'] };
    const overApi = { ...eventsOf(drop.manifest), source: 'api', sourceFrom: null, api } as const;
    const page = renderReport({
      ...drop,
      manifest: { ...drop.manifest, tables: { instance_events: overApi } },
    });
    const text = textOf(sectionOf(page, 'drop'));
    expect(text).toContain('Source the Nova API microversion 2.96, 4,123 requests');
    expect(text).toContain('Not seen cell2 did not answer');
    expect(text).toContain('Reaches back to not known');
  });
});

describe('the report of a drop of all tables', () => {
  const window = { start: START, end: START + DAY };
  const old = { created: START - 40 * DAY, launched: START - 40 * DAY, deleted: null } as const;
  const server = (nth: number, more: Partial<Server>): Server => ({
    uuid: `s-${nth}`,
    hostname: null,
    userId: `u-${nth}`,
    projectId: 'p',
    host: 'h-1',
    node: null,
    memoryMb: 4096,
    rootGb: 20,
    vcpus: 4,
    state: 'active',
    reservationId: null,
    place: nth,
    ...old,
    ...more,
  });
  const host = (name: string, more: Partial<Machine>): Machine => ({
    host: name,
    node: `r1-${name}`,
    created: old.created,
    deleted: null,
    enabled: true,
    up: true,
    place: 0,
    capacity: { vcpus: 16, memoryMb: 65_536, diskGb: 1000 },
    ...more,
  });
  const estate: Estate = {
    servers: [
      server(1, {}),
      server(2, { created: START + 6 * HOUR, deleted: START + 18 * HOUR, state: 'deleted' }),
      server(3, { host: null, state: 'error', created: START + HOUR }),
      server(4, { state: 'shelved_offloaded' }),
      server(5, { deleted: START + 12 * HOUR, state: 'deleted', vcpus: 8 }),
    ],
    machines: [host('h-1', {}), host('h-2', { enabled: false, up: false })],
    changes: [
      {
        host: 'h-2',
        node: 'r1-h-2',
        event: 'DISABLE',
        time: START + 12 * HOUR,
        notBefore: null,
        basis: 'recorded',
        capacity: host('h-2', {}).capacity,
        belongs: START + 12 * HOUR,
      },
    ],
  };
  const drop = reportedDrop({ window, events: [] }, {}, estate);
  const page = renderReport({ ...drop, scan: SCAN, isCut: true });

  test('shows how much was in use of the capacity that was enabled', () => {
    const [head, ...hours] = rowsOf(sectionOf(page, 'in-use'));
    expect(head).toEqual(['At', 'Servers alive', 'vCPUs allocated', 'of', 'Memory allocated, GiB', 'of']);
    expect([0, 1, 6, 12, 18].map((hour) => hours[hour])).toEqual([
      ['00:00', '3', '12', '32', '8', '128'],
      ['01:00', '4', '12', '32', '8', '128'],
      ['06:00', '5', '16', '32', '12', '128'],
      ['12:00', '4', '8', '16', '8', '64'],
      ['18:00', '3', '4', '16', '4', '64'],
    ]);
    const text = textOf(sectionOf(page, 'in-use'));
    expect(text).toContain('Not counted as allocated: 1 server without a host and 1 shelved.');
    // 12 of 32 until 6, 16 of 32 until 12, 8 of 16 until 18, then 4 of 16.
    expect(text).toContain('41.7% of the capacity on average, at most 50.0%, at 06:00');
  });

  test('shows who came and went, how long they had lived, and what became of hosts', () => {
    const hours = rowsOf(sectionOf(page, 'arrivals')).filter(([, created, deleted]) => created !== deleted);
    expect(hours.slice(1)).toEqual([
      ['01:00', '1', '0'],
      ['06:00', '1', '0'],
      ['12:00', '0', '1'],
      ['18:00', '0', '1'],
    ]);
    const lifetimes = textOf(sectionOf(page, 'lifetimes')).replaceAll(NBSP, ' ');
    expect(lifetimes).toContain(
      '2 servers ended: half within 12 h 13 min, 95% within 40 d 12 h, longest 40 d 12 h.',
    );
    expect(lifetimes).toContain('known by their day');
    const machines = textOf(sectionOf(page, 'machines'));
    expect(machines).toContain('Enabled and up 1');
    expect(machines).toContain('Disabled 1');
    expect(machines).toContain('DISABLE it takes no new servers recorded 1');
  });

  test('judges the servers by a class of their own, and names none of them', () => {
    expect(textOf(sectionOf(page, 'privacy'))).toContain(
      'Servers in rare classes 100% 5 servers whose flavour and day of creation together',
    );
    for (const name of ['s-1', 'u-1', 'h-1', 'h-2', 'r1']) expect(page).not.toContain(`>${name}<`);
  });
});

describe('the report of a drop with leases', () => {
  const window = { start: START, end: START + DAY };
  const estate = leasedEstate(window, 90);
  const leases = estate.leases ?? [];
  const drop = reportedDrop({ window, events: [] }, {}, estate);
  const page = renderReport({ ...drop, scan: SCAN });
  const section = sectionOf(page, 'leases');

  test('holds what is reserved against the enabled hosts, hour by hour', () => {
    const [head, ...hours] = rowsOf(section.slice(0, section.indexOf('</details>')));
    expect(head).toEqual(['At', 'Hosts reserved', 'of']);
    const reservedAt = (time: number): number =>
      new Set(
        leases.flatMap(({ started, ended, deleted, hosts }) =>
          started !== null && started <= time && (ended ?? deleted ?? Infinity) > time
            ? hosts.map(({ host }) => host)
            : [],
        ),
      ).size;
    expect(hours.map(([, reserved]) => Number(reserved))).toEqual(
      Array.from({ length: 24 }, (_, hour) => reservedAt(START + hour * HOUR)),
    );
    expect(new Set(hours.map(([, , of]) => of)).size).toBeGreaterThan(1);
    expect(Number(hours[0]?.[1])).toBeGreaterThan(10);
  });

  test('has each lease once among states, sizes, plans and use, and each event once', () => {
    const tables = section.split('</table>').map(rowsOf);
    const titled = (name: string): string[][] => tables.find(([head]) => head?.[0] === name)?.slice(1) ?? [];
    const column = (name: string, nth: number): number =>
      sum(numbers(titled(name).map((cells) => cells[nth] ?? '')));
    const made = leases.filter(({ created }) => (created ?? 0) >= START).length;
    const over = leases.filter(({ ended, deleted }) => ended !== null || deleted !== null).length;
    expect([made, over].map((n) => n > 5)).toEqual([true, true]);
    expect([column('Time', 1), column('Time', 2), column('Used', 1)]).toEqual([made, made, over]);
    expect([column('Hosts', 1), column('Event', 2)]).toEqual([leases.length, estate.leaseEvents?.length]);
    const facts = Array.from(
      textOf(section).matchAll(/(Running|Waiting|Ended|Failed|Deleted) (\d+)/g),
      ([, , n]) => Number(n),
    );
    expect([facts.length, sum(facts)]).toEqual([5, leases.length]);
  });

  test('is without a part of them where it has no such table, and says so where none existed', () => {
    expect(renderReport({ ...reportedDrop(quietDay(START)), scan: SCAN })).not.toContain('id="leases"');
    const empty = reportedDrop({ window, events: [] }, {}, { ...estate, leases: [], leaseEvents: [] });
    const of = sectionOf(renderReport({ ...empty, scan: SCAN }), 'leases');
    expect(textOf(of)).toContain('No lease existed in this window.');
    expect(textOf(of)).toContain('Nothing happened to a lease.');
    expect(of).not.toMatch(/<svg|NaN|Infinity|undefined/);
    const { machines: _, ...without } = drop;
    const alone = sectionOf(renderReport({ ...without, scan: SCAN }), 'leases');
    expect(rowsOf(alone)[0]).toEqual(['At', 'Hosts reserved']);
  });

  test('names no lease, and tells where plans are cut to the day', () => {
    for (const { id } of leases) expect(page).not.toContain(id);
    expect(textOf(section)).not.toContain('known by their day');
    expect(textOf(sectionOf(renderReport({ ...drop, scan: SCAN, isCut: true }), 'leases'))).toContain(
      'known by their day',
    );
  });
});
