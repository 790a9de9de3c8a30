import type { Masking } from '../mask/masking.ts';
import type { Settings } from '../settings.ts';
import type { Source } from '../source/source.ts';
import type { Bucket } from '../store/bucket.ts';
import type { Layout } from '../store/layout.ts';

/** Everything that lives as long as one invocation and is passed down. */
export interface Invocation {
  /** Unique; names the invocation in claims. */
  readonly run: string;
  readonly settings: Settings;
  readonly source: Source;
  readonly masking: Masking;
  readonly bucket: Bucket;
  readonly layout: Layout;
  /** Aborts shortly before the invocation's time is over, with a DeadlineError. */
  readonly signal: AbortSignal;
  readonly log: Log;
}

/** Counts, keys and windows only: never an identifier or a credential. */
export type Log = (message: string, fields?: Readonly<Record<string, unknown>>) => void;
