import { describe, expect, test } from 'vitest';
import { renderIndex } from '../../../lib/report/index-page.ts';
import { DAY, HOUR } from '../../../lib/core/time.ts';
import { dailyDrops, dropEntry, hourlyDrops } from '../../support/report/entries.ts';
import { elementsOf, rowsOf, sectionOf, textOf } from '../../support/report/html.ts';

const START = Date.UTC(2026, 10, 20) / 1000;
const page = (drops: Parameters<typeof renderIndex>[0]['drops'], windowSeconds = DAY): string =>
  renderIndex({ cloud: 'aurora-1', windowSeconds, drops });
const links = (html: string): [href: string, text: string][] =>
  Array.from(html.matchAll(/<a href="([^"]*)">(.*?)<\/a>/gs), ([, href = '', content = '']) => [
    href,
    textOf(content),
  ]);

describe('the index', () => {
  test('of days links each drop from its day and from the list, and tells what is late, empty and missing', () => {
    const drops = [
      dropEntry(START, DAY, { events: 12_345, late: 3, stillOpen: 7, bytes: 3072, servers: 4 }),
      dropEntry(START + DAY, DAY, { events: 0 }),
      dropEntry(START + 3 * DAY, DAY, { events: 1, stillOpen: 9 }),
    ];
    const html = page(drops);
    expect(links(sectionOf(html, 'calendar'))).toEqual([
      [drops[0]?.href, '20 November 2026: 12k events +3 late'],
      [drops[1]?.href, '21 November 2026: empty'],
      [drops[2]?.href, '23 November 2026: 1 event'],
    ]);
    const weeks = rowsOf(sectionOf(html, 'calendar'));
    expect(weeks[0]).toEqual(['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']);
    expect(weeks[1]?.slice(4).map((cell) => cell.split(' ')[0])).toEqual(['20', '21', '22']);
    expect(weeks[1]?.at(-1)).toBe('22 November 2026: no drop');
    expect(weeks[2]?.[0]).toBe('23 November 2026: 1 event');
    expect(links(sectionOf(html, 'drops')).map(([href]) => href)).toEqual(
      drops.map((drop) => drop.href).toReversed(),
    );
    const tiles = textOf(html.slice(html.indexOf('<dl class="tiles">'), html.indexOf('</dl>')));
    expect(tiles).toBe('Drops 3 Events 12,346 Size 3.0 KiB Late 3 Still open 9 Days missing 1');
    expect(rowsOf(sectionOf(html, 'drops')).map((cells) => cells[5])).toEqual([
      'Size',
      '0 bytes',
      '0 bytes',
      '3.0 KiB',
    ]);
  });

  test('shows the trend of events, servers and bytes, and the colours of the range that there is', () => {
    const busy = [900, 910, 1000].map((events, nth) =>
      dropEntry(START + nth * DAY, DAY, { events, servers: 50 + nth, bytes: 2 ** 20 }),
    );
    const html = page(busy);
    expect(textOf(sectionOf(html, 'trend'))).toContain('the most, 1,000 events, on 22 Nov 2026');
    expect(
      Array.from(sectionOf(html, 'trend').matchAll(/<title id="[^"]*">(.*?)</g), ([, name]) => name),
    ).toEqual(['Events by day', 'Servers by day', 'Size of the files, MiB by day']);
    const looks = Array.from(sectionOf(html, 'calendar').matchAll(/class="published (level-\d)"/g));
    expect(looks.map(([, look]) => look)).toEqual(['level-1', 'level-1', 'level-5']);
    expect(textOf(sectionOf(html, 'calendar'))).toContain('Events that finished on a day: 900 1k.');
  });

  test('has one table a month, the last first, each day under its weekday', () => {
    const html = sectionOf(page(dailyDrops()), 'calendar');
    expect(Array.from(html.matchAll(/<caption>(.*?)<\/caption>/g), ([, month]) => month)).toEqual([
      'November 2026',
      'October 2026',
    ]);
    // The first of November 2026 is a Sunday.
    expect(rowsOf(html)[1]).toEqual(['', '', '', '', '', '', expect.stringMatching(/^1 /)]);
    expect(rowsOf(html).filter((cells) => cells.length !== 7)).toEqual([]);
  });

  test('of hours links a day to its list, which has all drops and gaps in order', () => {
    const hours = [9, 10, 13].map((hour) =>
      dropEntry(START + hour * HOUR, HOUR, { events: hour, late: hour === 9 ? 2 : 0 }),
    );
    const html = page(hours, HOUR);
    expect(links(sectionOf(html, 'calendar'))).toEqual([
      ['#day-2026-11-20', '20 November 2026: 32 events gaps of 2 h +2 late'],
    ]);
    expect(elementsOf(html).filter(({ attributes }) => attributes['id'] === 'day-2026-11-20')).toHaveLength(
      1,
    );
    const list = sectionOf(html, 'drops');
    expect(links(list).map(([, text]) => text)).toEqual([
      '09:00 to 10:00 9 events +2 late',
      '10:00 to 11:00 10 events',
      '13:00 to 14:00 13 events',
    ]);
    expect(textOf(list)).toContain('11:00 to 12:00 no drop 12:00 to 13:00 no drop 13:00 to');
  });

  test('of hours has a place to link to for each of its days', () => {
    const html = page(hourlyDrops(), HOUR);
    const ids = new Set(elementsOf(html).map(({ attributes }) => attributes['id']));
    const days = links(sectionOf(html, 'calendar')).map(([href]) => href.slice(1));
    expect(days.length).toBeGreaterThan(5);
    expect(days.filter((day) => !ids.has(day))).toEqual([]);
  });

  test('of a single drop, and of none, is whole', () => {
    const drops = links(page([dropEntry(START, DAY)])).filter(([href]) => !href.startsWith('#'));
    expect(drops.map(([href]) => href)).toEqual(Array.from({ length: 2 }, () => dropEntry(START, DAY).href));
    const none = page([]);
    expect(textOf(none)).toContain('Nothing has been published yet.');
    expect(none).not.toMatch(/NaN|Infinity|undefined/);
  });

  test('escapes names and links', () => {
    const html = renderIndex({
      cloud: '<b>&',
      windowSeconds: DAY,
      drops: [dropEntry(START, DAY, { href: 'a"><script>' })],
    });
    expect(elementsOf(html).map(({ name }) => name)).not.toContain('script');
    expect(html).toContain('<h1>&lt;b&gt;&amp;</h1>');
  });
});
