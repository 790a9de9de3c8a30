import type { Masking } from '../mask/masking.ts';
import type { Settings } from '../settings.ts';
import type { Source } from '../source/source.ts';
import type { Place } from './place.ts';

/** Everything that lives as long as one invocation and is passed down. */
export interface Invocation extends Place {
  /** Unique; names the invocation in claims. */
  readonly run: string;
  readonly settings: Settings;
  readonly source: Source;
  readonly masking: Masking;
  readonly log: Log;
}

/** Counts, keys and windows only: never an identifier or a credential. */
export type Log = (message: string, fields?: Readonly<Record<string, unknown>>) => void;
