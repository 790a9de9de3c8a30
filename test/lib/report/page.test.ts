import { beforeAll, describe, expect, test } from 'vitest';
import { renderReport } from '../../../lib/report/page.ts';
import { filesOf } from '../../../lib/drop/manifest.ts';
import type { TraceEvent } from '../../../lib/tables/instance-events/row.ts';
import { DAY, HOUR } from '../../../lib/core/time.ts';
import { eventsOf } from '../../support/drops.ts';
import { traceEvent } from '../../support/records.ts';
import { type Day, busyDay, emptyDay, quietDay, recordedDay } from '../../support/report/days.ts';
import { type ReportedDrop, reportedDrop } from '../../support/report/drop.ts';
import { elementsOf, rowsOf, sectionOf, textOf } from '../../support/report/html.ts';

const START = Date.UTC(2026, 10, 20) / 1000;
const SCAN = { values: 1234, tokens: 98_765, found: 0, ambiguous: 0 };
const numbers = (cells: readonly string[]): number[] => cells.map((cell) => Number(cell.replaceAll(',', '')));
const sum = (all: readonly number[]): number => all.reduce((total, n) => total + n, 0);

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
  });

  test.for(['busy', 'recorded', 'quiet', 'empty'])('is one sound file that asks for nothing (%s)', (name) => {
    const elements = elementsOf(pages[name] ?? '');
    const policy = elements.find(({ attributes }) => attributes['http-equiv'] === 'Content-Security-Policy');
    expect(policy?.attributes['content']).toMatch(/^default-src 'none'; style-src 'unsafe-inline'/);
    expect(elements.map((element) => element.name)).not.toContain('script');
    const links = elements.flatMap(({ attributes }) => [attributes['href'], attributes['src']]);
    expect(links.filter((link) => link !== undefined)).toEqual(['data:,']);
    expect(pages[name]).not.toMatch(/url\(|@import|https?:/);
  });

  test.for(['busy', 'recorded', 'quiet', 'empty'])(
    'has its parts in order, each with a name (%s)',
    (name) => {
      const elements = elementsOf(pages[name] ?? '');
      const ids = elements.flatMap(({ attributes }) => attributes['id'] ?? []);
      expect(new Set(ids).size).toBe(ids.length);
      const references = elements.flatMap(
        ({ attributes }) => attributes['aria-labelledby']?.split(' ') ?? [],
      );
      expect(references.filter((id) => !ids.includes(id))).toEqual([]);
      expect(elements.filter((element) => element.name === 'h1')).toHaveLength(1);
      expect(
        elements.filter((element) => element.name === 'svg' && element.attributes['role'] !== 'img'),
      ).toEqual([]);
    },
  );
});

describe('the report of a busy day', () => {
  let drop: ReportedDrop;
  let page: string;
  beforeAll(() => {
    const counts = { stillOpen: 41, skipped: { excludedProject: 211, cloned: 4 } };
    drop = reportedDrop(busyDay(START, 2), counts);
    page = renderReport({ ...drop, scan: SCAN, links: { index: '../index.html', manifest: 'a.json' } });
  });

  test('has every event once in the table of hours', () => {
    const [head, ...hours] = rowsOf(sectionOf(page, 'finished'));
    expect(head?.[0]).toBe('From');
    expect(hours).toHaveLength(24);
    const all = hours.map((cells) => numbers(cells.slice(1)));
    for (const row of all) expect(sum(row.slice(0, -1))).toBe(row.at(-1));
    expect(sum(all.map((row) => row.at(-1) ?? 0))).toBe(drop.statistics.rows - drop.statistics.late);
  });

  test('has every event once among results, durations, flavours, projects and hosts', () => {
    const { rows } = drop.statistics;
    const [, all, ...results] = rowsOf(sectionOf(page, 'results')).map((cells) =>
      sum(numbers(cells.slice(1, 4))),
    );
    expect([all, sum(results)]).toEqual([rows, rows]);
    const durations = rowsOf(sectionOf(page, 'durations')).slice(1);
    expect(sum(durations.flatMap((cells) => numbers(cells.slice(1))))).toBe(rows);
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
    expect(text).toContain('There is no hour without a finished event.');
  });

  test('tells the privacy figures and the scan', () => {
    const text = textOf(sectionOf(page, 'privacy'));
    const { distinct, classes } = drop.statistics.privacy;
    expect(text).toContain('No raw identifier of 1,234 found among 98,765 distinct tokens of output.');
    expect(text).toContain(`${distinct.users} users, ${distinct.projects} projects`);
    expect(text).toContain(`${(classes.rareShare * 100).toFixed(1)}%`);
    expect(text).toContain('whose flavour, hour, event and result together are shared by fewer than 5 users');
  });

  test('lists the files as the manifest does, and links what it is told to', () => {
    const section = sectionOf(page, 'drop');
    for (const { sha256, bytes } of filesOf(drop.manifest)) {
      expect(section).toContain(sha256);
      expect(textOf(section)).toContain(`${bytes.toLocaleString('en-GB')} bytes`);
    }
    expect(section).toContain(drop.manifest.masking.scope);
    const links = elementsOf(page).filter((element) => element.name === 'a');
    expect(links.map(({ attributes }) => attributes['href'])).toEqual(['../index.html', 'a.json']);
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
    expect(textOf(sectionOf(page, 'durations'))).toContain('1 event · took 5 s');
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
  });

  test('of a single event counts it in the singular, and names the quiet hours', () => {
    const page = reported([at(START + 9 * HOUR + 5)]);
    expect(textOf(page)).toContain('1 event finished in this window, the most, 1, from 09:00 to 10:00.');
    expect(textOf(sectionOf(page, 'completeness'))).toContain(
      '23 hours without a finished event: 00:00 to 09:00, 10:00 to 24:00.',
    );
  });

  test('of an hour shows parts of it', () => {
    const page = reported([at(START + HOUR + 61)], { start: START + HOUR, end: START + 2 * HOUR });
    expect(textOf(page)).toContain('20 November 2026, 01:00 to 02:00');
    expect(rowsOf(sectionOf(page, 'finished')).map(([from]) => from)).toEqual([
      'From',
      ...Array.from({ length: 12 }, (_, nth) => `01:${String(nth * 5).padStart(2, '0')}`),
    ]);
  });

  test('puts the tail of many events together', () => {
    const names = Array.from({ length: 30 }, (_, nth) => `event_${nth}`);
    const page = reported(
      names.flatMap((name, nth) => Array.from({ length: 40 - nth }, () => at(START + nth, name))),
    );
    const [head] = rowsOf(sectionOf(page, 'finished'));
    expect(head).toEqual(['From', ...names.slice(0, 6), '24 other events', 'All']);
    expect(rowsOf(sectionOf(page, 'results')).at(-1)?.[0]).toBe('17 other events');
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
      '2 tokens of raw identifiers found among 98,765 distinct tokens of output. 1,234 identifiers were',
    );
    expect(page).not.toContain('No raw identifier');
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
