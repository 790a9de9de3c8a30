import { numberSet } from '../core/collections/number-set.ts';
import { fingerprintTokens } from './tokens.ts';

/** What a scan has found; docs/report.md tells what it can and cannot show. */
export interface ScanFigures {
  /** Distinct tokens of raw identifiers that were looked for. */
  readonly values: number;
  /** Distinct tokens of the output that were compared with theirs. */
  readonly tokens: number;
  /** Tokens of raw identifiers that are in the output. */
  readonly found: number;
  /** Identifiers' tokens that are ordinary words of the trace as well, such as a server called Success. */
  readonly ambiguous: number;
}

/**
 * Looks for raw identifiers of a drop in what is written of it, whichever comes first. It holds fingerprints of the
 * tokens of both, no text, for as long as the drop is written.
 */
export interface LeakScan {
  /** A value that must not be in any output. */
  identifier(value: string | null): void;
  /** Text that is the same whoever uses the cloud: names of events and columns, a page's own words. */
  publicText(text: string): void;
  output(text: string): void;
  figures(): ScanFigures;
}

/** Values come in runs; this many are remembered, so that most are looked at once. */
const REMEMBERED = 1000;

export function openLeakScan(): LeakScan {
  const raw = numberSet();
  const known = numberSet();
  const written = numberSet();
  const recent = new Set<string>();
  return {
    identifier(value) {
      if (value === null || recent.has(value)) return;
      if (recent.size >= REMEMBERED) recent.clear();
      recent.add(value);
      // Digits alone give no token: they are in every trace, and can neither be found nor ruled out.
      fingerprintTokens(value, raw.add);
    },
    publicText: (text) => fingerprintTokens(text, known.add),
    output: (text) => fingerprintTokens(text, written.add),
    figures() {
      let [found, ambiguous] = [0, 0];
      for (const fingerprint of raw.values()) {
        if (known.has(fingerprint)) ambiguous++;
        else if (written.has(fingerprint)) found++;
      }
      return { values: raw.size, tokens: written.size, found, ambiguous };
    },
  };
}
