import { PrivacyError } from '../errors.ts';
import { COLUMNS } from '../format/columns.ts';
import type { OnText } from '../format/pieces.ts';
import type { MaskedEvent, MaskedInstance } from '../mask/masked-event.ts';
import { type LeakScan, type ScanFigures, openLeakScan } from '../privacy/leak-scan.ts';
import { type DropStatistics, collectStatistics } from '../report/statistics.ts';
import type { Settings } from '../settings.ts';
import { type Window, windowText } from '../window.ts';
import type { Watcher } from './pump.ts';

/** Sees everything that is written of a drop, for its report, its privacy figures and the scan. */
export interface Watch extends Watcher {
  /** A text of which a file is joined. */
  readonly text: OnText;
  /** @throws PrivacyError where the drop must not be published */
  finish(): Watched;
  /**
   * @param page what is about to be written as well
   * @param bare the same without anything that came from masked columns
   * @throws PrivacyError where it holds a raw identifier
   */
  page(page: string, bare: string): void;
}

export interface Watched {
  readonly statistics: DropStatistics;
  /** Null where nothing was masked, and everything would be found. */
  readonly scan: ScanFigures | null;
}

export function openWatch(
  { masking, formats, privacyLimit }: Pick<Settings, 'masking' | 'formats' | 'privacyLimit'>,
  window: Window,
): Watch {
  const statistics = collectStatistics(window);
  const scan = masking === 'none' ? undefined : openLeakScan();
  scan?.publicText(COLUMNS.map(({ csv, jsonl, parquet }) => `${csv} ${jsonl} ${parquet}`).join(' '));
  // What Parquet holds is compressed by the time it can be looked at.
  const words = scan === undefined ? undefined : watchWords(scan, formats.includes('parquet'));
  const refuseLeaks = (): ScanFigures | null => {
    const figures = scan?.figures() ?? null;
    if (figures !== null && figures.found > 0) {
      throw new PrivacyError(
        `window ${windowText(window)}: ${figures.found} raw identifier(s) in what was to be written; nothing is published. ` +
          'Has Nova an event that names a server, user, project or host? README: "Operating"',
      );
    }
    return figures;
  };
  return {
    identifier: (value) => scan?.identifier(value),
    events(events) {
      for (const event of events) {
        statistics.add(event);
        words?.(event);
      }
    },
    text: (text) => scan?.output(text),
    finish() {
      const made = statistics.finish();
      refuseRisk(made, privacyLimit, window);
      return { statistics: made, scan: refuseLeaks() };
    },
    page(page, bare) {
      scan?.publicText(bare);
      scan?.output(page);
      refuseLeaks();
    },
  };
}

/** Names that Nova gives events, after its functions, and results. Anything else might name a server. */
const OF_NOVA = /^(?:[a-z]+(?:_+[a-z]+)*|Success|Error)$/;

/** Tells the scan what is public in an event, and what is masked where no piece of text will show it. */
function watchWords(scan: LeakScan, isBinary: boolean): (event: MaskedEvent) => void {
  const seen = new Set<string | null>();
  const instances = new WeakSet<MaskedInstance>();
  return ({ event, result, host, instance }) => {
    for (const word of [event, result]) {
      if (word === null || seen.has(word)) continue;
      seen.add(word);
      if (OF_NOVA.test(word)) scan.publicText(word);
    }
    if (!isBinary) return;
    if (!seen.has(host)) {
      seen.add(host);
      scan.output(host ?? '');
    }
    if (instances.has(instance)) return;
    instances.add(instance);
    const { uuid, hostname, userId, projectId } = instance;
    for (const value of [uuid, hostname, userId, projectId]) scan.output(value ?? '');
  };
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
