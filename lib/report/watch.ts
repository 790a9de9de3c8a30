import type { Watch } from '../drop/watch.ts';
import { type ScanFigures, openLeakScan } from '../privacy/leak-scan.ts';
import { refuseLeaks } from '../privacy/refuse-leaks.ts';
import { refuseRisk } from '../privacy/refuse-risk.ts';
import { watchText } from '../privacy/watch-text.ts';
import type { Settings } from '../config/settings.ts';
import type { AnyTable } from '../tables/table.ts';
import { masksJoin } from '../transform/masking.ts';
import { type Window, windowText } from '../core/window.ts';
import { type Collected, collect, nameless } from './collect.ts';
import { renderReport } from './page.ts';

type Watched = Pick<
  Settings,
  'masking' | 'maskingSecret' | 'release' | 'privacyLimit' | 'privacyServersLimit'
>;

/** Watches a drop for its page, its privacy figures, and raw identifiers in what is written unmasked. */
export function openWatch(settings: Watched, window: Window, tables: readonly AnyTable[]): Watch {
  const collector = collect(window, tables);
  let made: Collected | undefined;
  // Without masks the scan would find everything.
  const scan = settings.masking === 'none' ? undefined : openLeakScan();
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
      collector.rows(table, rows);
    },
    finish() {
      made = collector.finish();
      refuseRisks(made, settings, window);
      const instances = made.servers?.privacy;
      return {
        ...made.statistics.privacy,
        ...(instances === undefined ? {} : { instances }),
        scan: check(),
      };
    },
    [Symbol.dispose]() {
      scan?.[Symbol.dispose]();
      collector[Symbol.dispose]();
    },
    page(manifest, links) {
      const of = made ?? collector.finish();
      const render = (statistics: Collected['statistics']): string =>
        renderReport({
          ...of,
          statistics,
          manifest,
          links,
          isCut: !masksJoin(settings),
          scan: manifest.privacy?.scan ?? undefined,
        });
      const page = render(of.statistics);
      // The same without values of masked columns, so that only the page's own words are left.
      scan?.publicText(render(nameless(of.statistics)));
      scan?.output(page, 'the page');
      check();
      return page;
    },
  };
}

function refuseRisks(
  { statistics, servers }: Collected,
  { privacyLimit, privacyServersLimit }: Watched,
  window: Window,
): void {
  refuseRisk(windowText(window), {
    figures: statistics.privacy.classes,
    rows: statistics.rows,
    what: 'events',
    share: 'flavour, hour, event and result',
    setting: 'STAR_PRIVACY_LIMIT_PERCENT',
    limit: privacyLimit,
  });
  if (servers === undefined) return;
  refuseRisk(windowText(window), {
    figures: servers.privacy,
    rows: servers.rows,
    what: 'servers',
    share: 'flavour and day of creation',
    setting: 'STAR_PRIVACY_SERVERS_LIMIT_PERCENT',
    limit: privacyServersLimit,
  });
}
