import { PrivacyError } from '../core/errors.ts';
import type { PrivacyFigures } from './figures.ts';

/** What a limit is held against, and what the message calls it. */
interface Risk {
  readonly figures: Pick<PrivacyFigures['classes'], 'rareRows' | 'rareShare' | 'fewerThanUsers'>;
  readonly rows: number;
  /** What a row is, in the plural. */
  readonly what: string;
  /** What rows of a class have in common. */
  readonly share: string;
  readonly setting: string;
  /** 0 to 1. */
  readonly limit: number;
}

/** @throws PrivacyError if more rows are in rare classes than the operator accepts */
export function refuseRisk(window: string, { figures, rows, what, share, setting, limit }: Risk): void {
  const { rareRows, rareShare, fewerThanUsers } = figures;
  if (rareShare <= limit) return;
  throw new PrivacyError(
    `window ${window}: ${rareRows} of ${rows} ${what} (${(rareShare * 100).toFixed(1)} %) share ${share} with fewer than ` +
      `${fewerThanUsers} users; ${setting} accepts ${limit * 100} %. ` +
      'Nothing is published; exclude the users that stand out, or raise the limit',
  );
}
