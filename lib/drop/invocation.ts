import type { Log } from '../core/log.ts';
import type { Settings } from '../config/settings.ts';
import type { Progress, Source } from '../source/source.ts';
import type { AnyTable } from '../tables/table.ts';
import type { Window } from '../core/window.ts';
import type { Masking } from '../transform/masking.ts';
import type { Place } from './place.ts';
import type { OpenWatch } from './watch.ts';

/** Everything that lives as long as one invocation and is passed down. */
export interface Invocation extends Place {
  /** Unique; names the invocation in claims. */
  readonly run: string;
  readonly settings: Settings;
  readonly source: Source;
  /** What a drop holds. */
  readonly tables: readonly AnyTable[];
  readonly masking: Masking;
  /** Undefined if drops have no report. */
  readonly openWatch?: OpenWatch | undefined;
  readonly log: Log;
  /** Told how far the run is; undefined where nobody looks. */
  readonly progress?: RunProgress | undefined;
}

export interface RunProgress {
  /** So many windows are to be published, and this is the next one. */
  due(windows: number, next: Window): void;
  /** Of the window that is read. */
  readonly rows: Progress;
}
