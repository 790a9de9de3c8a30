import { eventsOf } from '../support/drops.ts';
import { renderIndex } from '../../lib/report/index-page.ts';
import { renderReport } from '../../lib/report/page.ts';
import type { TraceEvent } from '../../lib/tables/instance-events/row.ts';
import { DAY, HOUR } from '../../lib/core/time.ts';
import { busyEstate } from '../support/report/estate.ts';
import { leasedEstate } from '../support/report/leased.ts';
import { busyDay, emptyDay, quietDay, recordedDay } from '../support/report/days.ts';
import { reportedDrop } from '../support/report/drop.ts';
import { dailyDrops, hourlyDrops } from '../support/report/entries.ts';

const FRIDAY = Date.UTC(2026, 10, 20) / 1000;
const CLOUD = 'aurora-1';
const links = {
  index: '../../index.html',
  manifest: 'manifest.json',
  previous: 'before.html',
  next: 'next.html',
  to: (key: string) => `../../${key.split('/').slice(2).join('/')}`,
};
const scanOf = (values: number, tokens: number) => ({ values, tokens, found: 0, ambiguous: 0 });

/** Every kind of page, by the name of its screenshots. */
export async function allPages(): Promise<Record<string, string>> {
  const day = busyDay(FRIDAY, 12);
  const counts = { stillOpen: 41, abandoned: 2, rewritten: 3, skipped: { excludedProject: 211, cloned: 4 } };
  const busy = reportedDrop(day, counts, busyEstate(day.window, 4000));
  return {
    'report-busy': renderReport({ ...busy, scan: scanOf(12_441, 1_466_502), links, isCut: true }),
    'report-leases': renderReport({
      ...reportedDrop(quietDay(FRIDAY), {}, leasedEstate(day.window, 120)),
      scan: scanOf(914, 24_338),
      links,
      isCut: true,
    }),
    'report-recorded': renderReport({
      ...reportedDrop(await recordedDay(), { stillOpen: 10 }),
      scan: scanOf(654, 24_338),
      links,
    }),
    'report-quiet': renderReport({
      ...reportedDrop(quietDay(FRIDAY + 2 * DAY), { stillOpen: 1 }),
      scan: scanOf(14, 114),
      links,
    }),
    'report-empty': renderReport({ ...reportedDrop(emptyDay(FRIDAY + 3 * DAY)), scan: scanOf(0, 15), links }),
    'report-odd': oddReport(),
    index: renderIndex({ cloud: CLOUD, windowSeconds: DAY, drops: dailyDrops() }),
    'index-hourly': renderIndex({ cloud: CLOUD, windowSeconds: HOUR, drops: hourlyDrops() }),
    'index-single': renderIndex({ cloud: CLOUD, windowSeconds: DAY, drops: dailyDrops().slice(0, 1) }),
    'index-none': renderIndex({ cloud: CLOUD, windowSeconds: DAY, drops: [] }),
  };
}

/** An hour of everything that no cloud should have, unmasked, over the API. */
function oddReport(): string {
  const window = { start: FRIDAY + 13 * HOUR, end: FRIDAY + 14 * HOUR };
  const names = [
    '<script>alert(1)</script>',
    'x'.repeat(255),
    'שלום-عالم',
    '" onmouseover="alert(1)',
    'Zürich_№5',
    null,
  ];
  const events = busyDay(FRIDAY, 3)
    .events.filter(({ finish }) => finish < window.end)
    .slice(-1200)
    .map((event, nth): TraceEvent => {
      const name = nth % 7 < names.length ? names[nth % 7] : event.event;
      const nobody = {
        ...event.instance,
        userId: null,
        projectId: null,
        memoryMb: null,
        rootGb: null,
        vcpus: null,
      };
      return {
        ...event,
        event: name ?? null,
        result: nth % 11 === 0 ? 'Cancelled' : event.result,
        instance: nth % 13 === 0 ? nobody : event.instance,
        host: nth % 5 === 0 ? null : event.host,
      };
    });
  const drop = reportedDrop({ window, events });
  const api = { microversion: '2.96', requests: 4123, swept: false, unseen: ['cell2 did not answer'] };
  return renderReport({
    ...drop,
    manifest: {
      ...drop.manifest,
      masking: { method: 'none', scope: 'none' },
      tables: { instance_events: { ...eventsOf(drop.manifest), source: 'api', sourceFrom: null, api } },
    },
    scan: { values: 12, tokens: 999, found: 2, ambiguous: 3 },
  });
}
