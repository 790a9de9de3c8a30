import type { Watch } from '../drop/watch.ts';
import { PrivacyError } from '../core/errors.ts';
import { type ScanFigures, openLeakScan } from '../privacy/leak-scan.ts';
import { refuseLeaks } from '../privacy/refuse-leaks.ts';
import { watchText } from '../privacy/watch-text.ts';
import type { Settings } from '../config/settings.ts';
import type { MaskedEvent } from '../tables/instance-events/row.ts';
import { instanceEvents } from '../tables/instance-events/table.ts';
import type { AnyTable } from '../tables/table.ts';
import { type Window, windowText } from '../core/window.ts';
import { renderReport } from './page.ts';
import type { Ranking } from './ranking.ts';
import { type DropStatistics, collectStatistics } from './statistics.ts';

/** Watches a drop for its page, its privacy figures, and raw identifiers in what is written unmasked. */
export function openWatch(
  { masking, privacyLimit }: Pick<Settings, 'masking' | 'privacyLimit'>,
  window: Window,
  tables: readonly AnyTable[],
): Watch {
  const statistics = collectStatistics(window);
  let made: DropStatistics | undefined;
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
    },
    finish() {
      made = statistics.finish();
      refuseRisk(made, privacyLimit, window);
      return { ...made.privacy, scan: check() };
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

function refuseRisk({ privacy, rows }: DropStatistics, limit: number, window: Window): void {
  const { rareRows, rareShare, fewerThanUsers } = privacy.classes;
  if (rareShare <= limit) return;
  throw new PrivacyError(
    `window ${windowText(window)}: ${rareRows} of ${rows} rows (${(rareShare * 100).toFixed(1)} %) share flavour, hour, ` +
      `event and result with fewer than ${fewerThanUsers} users; STAR_PRIVACY_LIMIT_PERCENT accepts ${limit * 100} %. ` +
      'Nothing is published; exclude the users that stand out, or raise the limit',
  );
}
