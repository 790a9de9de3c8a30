import type { Watch } from '../drop/watch.ts';
import { PrivacyError } from '../core/errors.ts';
import { type ScanFigures, openLeakScan } from '../privacy/leak-scan.ts';
import type { Settings } from '../config/settings.ts';
import type { MaskedEvent } from '../tables/instance-events/row.ts';
import { instanceEvents } from '../tables/instance-events/table.ts';
import type { AnyTable } from '../tables/table.ts';
import { type Window, windowText } from '../core/window.ts';
import { renderReport } from './page.ts';
import type { Ranking } from './ranking.ts';
import { type DropStatistics, collectStatistics } from './statistics.ts';
import { watchWords } from './watch-words.ts';

/** Watches a drop for its page, its privacy figures, and raw identifiers in what is written. */
export function openWatch(
  { masking, formats, privacyLimit }: Pick<Settings, 'masking' | 'formats' | 'privacyLimit'>,
  window: Window,
  tables: readonly AnyTable[],
): Watch {
  const statistics = collectStatistics(window);
  let made: DropStatistics | undefined;
  // Without masks everything would be found.
  const scan = masking === 'none' ? undefined : openLeakScan();
  for (const { csv, jsonl, parquet } of tables.flatMap(({ columns }) => columns))
    scan?.publicText(`${csv} ${jsonl} ${parquet}`);
  // What Parquet holds is compressed by the time it can be looked at.
  const words = scan === undefined ? undefined : watchWords(scan, tables, formats.includes('parquet'));
  const refuseLeaks = (): ScanFigures | null => {
    const figures = scan?.figures() ?? null;
    if (figures !== null && figures.found > 0) {
      throw new PrivacyError(
        `window ${windowText(window)}: ${figures.found} raw identifier(s) in what was to be written; nothing is published. ` +
          'Has Nova an event that names a server, user, project or host? See docs/operating.md',
      );
    }
    return figures;
  };
  return {
    identifier: (value) => scan?.identifier(value),
    rows(table, rows) {
      words?.(table, rows);
      if (table === instanceEvents.name) for (const row of rows as MaskedEvent[]) statistics.add(row);
    },
    text: (text) => scan?.output(text),
    finish() {
      made = statistics.finish();
      refuseRisk(made, privacyLimit, window);
      return { ...made.privacy, scan: refuseLeaks() };
    },
    page(manifest, links) {
      const figures = manifest.privacy?.scan ?? null;
      const render = (of: DropStatistics): string =>
        renderReport({ manifest, statistics: of, links, ...(figures === null ? {} : { scan: figures }) });
      const of = made ?? statistics.finish();
      const page = render(of);
      // The same without what came from masked columns: all of it is the page's own words.
      scan?.publicText(render({ ...of, projects: nameless(of.projects), hosts: nameless(of.hosts) }));
      scan?.output(page);
      refuseLeaks();
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
      'Nothing is published; exclude who stands out, or raise the limit',
  );
}
