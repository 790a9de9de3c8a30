import type { Seconds } from '../../core/time.ts';
import type { Window } from '../../core/window.ts';
import type { Seal } from '../seal.ts';
import type { LeasesRead } from './found.ts';
import type { LeasesState } from './state.ts';

export interface CompareRequest {
  /** As the window before left it; undefined where nothing is known of one. */
  readonly before: LeasesState | undefined;
  readonly read: LeasesRead;
  readonly window: Window;
  /** Changes that were recorded earlier are not for this reader. */
  readonly begin: Seconds;
  /** Whether a first window tells what existed at its start. */
  readonly opens: boolean;
  /** Whether changes are told of which no time is recorded. Not where several windows share one read. */
  readonly bounds: boolean;
  /** Keeps names for the day when nobody else can tell them. */
  readonly seal: Seal | undefined;
}
