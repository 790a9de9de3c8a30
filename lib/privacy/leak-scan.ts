import { numberSet } from '../core/collections/number-set.ts';
import { spilledNumbers } from '../core/collections/spilled-numbers.ts';
import { fingerprintTokens } from './tokens.ts';

/** What a scan has found; docs/privacy.md says what it can and cannot show. */
export interface ScanFigures {
  /** Distinct tokens of raw identifiers that were looked for. */
  readonly values: number;
  /** Distinct tokens of unmasked text that were compared with theirs. */
  readonly tokens: number;
  /** Tokens of raw identifiers that are in that text. */
  readonly found: number;
  /** Identifiers' tokens that are ordinary words of the trace as well, such as a server called Success or null. */
  readonly ambiguous: number;
}

/**
 * Looks for raw identifiers of a drop in the text that is written unmasked, whichever comes first. It keeps fingerprints
 * of the tokens of both for as long as the drop is written: of identifiers on disk where they are many, of text, which
 * has some dozens of words, in memory.
 */
export interface LeakScan extends Disposable {
  /** A value that must not be in any output. */
  readonly identifier: (value: string | null) => void;
  /** Text that does not depend on the users of the cloud: names of events and columns, words of a page. */
  publicText(text: string): void;
  /** Text that is written as the source has it. `place` says where, for people; it holds no identifier. */
  output(text: string, place: string): void;
  figures(): ScanFigures;
  /** Where raw identifiers were found, a few places at most. */
  places(): string[];
}

/** Equal values follow each other; this many are remembered, so that most are examined once. */
const REMEMBERED = 1000;

/** Distinct tokens whose place is remembered: events and results have some dozens. */
const PLACED = 10_000;

/** Places that are reported. */
const TOLD = 3;

/**
 * Text that encoders add: literals, numbers, dates, times and their parts. Masked columns are checked one by one and
 * are not scanned, so a server with such a name is no leak.
 */
const WRITTEN_BY_ENCODERS = [
  /^(?:null|true|false|nan|[+-]?infinity)$/i,
  /^[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?n?$/i,
  /^(?:(?:\d{4}-)?\d\d-)?\d\d(?:T\d\d(?::\d\d){0,2}(?:\.\d+)?)?Z?$/i,
  /^T?\d\d(?::\d\d){0,2}(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?$/i,
];

export function openLeakScan(): LeakScan {
  const raw = spilledNumbers();
  const known = numberSet();
  const written = numberSet();
  const placeOf = new Map<number, string>();
  const recent = new Set<string>();
  const found = (): number[] => raw.among(written).filter((fingerprint) => !known.has(fingerprint));
  return {
    identifier(value) {
      if (value === null || recent.has(value)) return;
      if (recent.size >= REMEMBERED) recent.clear();
      recent.add(value);
      // Digits alone give no token: they are in every trace, and can neither be found nor ruled out.
      fingerprintTokens(value, raw.add);
      if (WRITTEN_BY_ENCODERS.some((shape) => shape.test(value))) fingerprintTokens(value, known.add);
    },
    publicText: (text) => fingerprintTokens(text, known.add),
    output(text, place) {
      fingerprintTokens(text, (fingerprint) => {
        written.add(fingerprint);
        if (placeOf.size < PLACED && !placeOf.has(fingerprint)) placeOf.set(fingerprint, place);
      });
    },
    figures() {
      const ambiguous = raw.among(known).length;
      return { values: raw.count(), tokens: written.size, found: found().length, ambiguous };
    },
    places() {
      const places = found().map((fingerprint) => placeOf.get(fingerprint) ?? 'a later row');
      return [...new Set(places)].slice(0, TOLD);
    },
    [Symbol.dispose]: () => raw[Symbol.dispose](),
  };
}
