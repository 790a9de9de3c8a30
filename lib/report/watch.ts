import type { Watch } from '../drop/watch.ts';
import { type ScanFigures, openLeakScan } from '../privacy/leak-scan.ts';
import { refuseLeaks } from '../privacy/refuse-leaks.ts';
import { refuseRisk } from '../privacy/refuse-risk.ts';
import { classifyServers } from '../privacy/server-classes.ts';
import { watchText } from '../privacy/watch-text.ts';
import type { Settings } from '../config/settings.ts';
import type { MaskedEvent } from '../tables/instance-events/row.ts';
import { instanceEvents } from '../tables/instance-events/table.ts';
import type { MaskedServer } from '../tables/instances/row.ts';
import { instances } from '../tables/instances/table.ts';
import type { AnyTable } from '../tables/table.ts';
import { type Window, windowText } from '../core/window.ts';
import { renderReport } from './page.ts';
import type { Ranking } from './ranking.ts';
import { type DropStatistics, collectStatistics } from './statistics.ts';

/** Watches a drop for its page, its privacy figures, and raw identifiers in what is written unmasked. */
export function openWatch(
  {
    masking,
    privacyLimit,
    privacyServersLimit,
  }: Pick<Settings, 'masking' | 'privacyLimit' | 'privacyServersLimit'>,
  window: Window,
  tables: readonly AnyTable[],
): Watch {
  const statistics = collectStatistics(window);
  const servers = tables.some(({ name }) => name === instances.name) ? classifyServers() : undefined;
  let [made, serverRows]: [DropStatistics | undefined, number] = [undefined, 0];
  // Without masks the scan would find everything.
  const scan = masking === 'none' ? undefined : openLeakScan();
  const texts = new Map(tables.map((table) => [table.name, scan && watchText(scan, table)]));
  const refusal = {
    of: `window ${windowText(window)}`,
    outcome: 'nothing is published',
    exclusions: 'STAR_EXCLUDE_USERS or STAR_EXCLUDE_PROJECTS',
  };
  const check = (): ScanFigures | null => (scan === undefined ? null : refuseLeaks(scan, refusal));
  return {
    identifier: (value) => scan?.identifier(value),
    rows(table, rows) {
      texts.get(table)?.(rows);
      if (table === instanceEvents.name) for (const row of rows as MaskedEvent[]) statistics.add(row);
      if (table !== instances.name) return;
      serverRows += rows.length;
      for (const row of rows as MaskedServer[]) servers?.add(row);
    },
    finish() {
      made = statistics.finish();
      refuseRisk(windowText(window), {
        figures: made.privacy.classes,
        rows: made.rows,
        what: 'events',
        share: 'flavour, hour, event and result',
        setting: 'STAR_PRIVACY_LIMIT_PERCENT',
        limit: privacyLimit,
      });
      const figures = servers?.figures();
      if (figures === undefined) return { ...made.privacy, scan: check() };
      refuseRisk(windowText(window), {
        figures,
        rows: serverRows,
        what: 'servers',
        share: 'flavour and day of creation',
        setting: 'STAR_PRIVACY_SERVERS_LIMIT_PERCENT',
        limit: privacyServersLimit,
      });
      return { ...made.privacy, instances: figures, scan: check() };
    },
    [Symbol.dispose]() {
      scan?.[Symbol.dispose]();
      statistics[Symbol.dispose]();
    },
    page(manifest, links) {
      const figures = manifest.privacy?.scan ?? null;
      const render = (of: DropStatistics): string =>
        renderReport({ manifest, statistics: of, links, ...(figures === null ? {} : { scan: figures }) });
      const of = made ?? statistics.finish();
      const page = render(of);
      // The same without values of masked columns, so that only the page's own words are left.
      scan?.publicText(render({ ...of, projects: nameless(of.projects), hosts: nameless(of.hosts) }));
      scan?.output(page, 'the page');
      check();
      return page;
    },
  };
}

/** Nothing else on the page comes from masked columns. */
function nameless(ranking: Ranking): Ranking {
  return { ...ranking, top: ranking.top.map(({ rows }) => ({ rows, mask: '0'.repeat(32) })) };
}
