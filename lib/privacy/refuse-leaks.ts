import { PrivacyError } from '../core/errors.ts';
import type { LeakScan, ScanFigures } from './leak-scan.ts';

/** Words of the message. */
export interface Refusal {
  /** What holds the identifier: `window …`, or a file. */
  readonly of: string;
  /** What becomes of it. */
  readonly outcome: string;
  /** How the operator leaves a user or project out. */
  readonly exclusions: string;
}

/** @throws PrivacyError if a raw identifier was found; the message names the place, never the identifier */
export function refuseLeaks(scan: LeakScan, { of, outcome, exclusions }: Refusal): ScanFigures {
  const figures = scan.figures();
  if (figures.found === 0) return figures;
  throw new PrivacyError(
    `${of}: got ${figures.found} raw identifier(s) in unmasked text (${scan.places().join('; ')}), accepted: none; ${outcome}. ` +
      `Exclude the user or project of the server in that row, or of the one that the text names, by ${exclusions}. ` +
      'Nova writes no such text; see docs/operating.md',
  );
}
