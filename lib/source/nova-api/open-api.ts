import type { Seconds } from '../../core/time.ts';
import type { Nova } from './nova.ts';

export interface ApiOptions {
  /** Most requests at once. */
  readonly concurrency: number;
  /** Called once for each condition that is no error but should be corrected. */
  readonly warn?: (text: string) => void;
  /** Hours between windows that ask every live server; 0: every window does. */
  readonly sweepSeconds: Seconds;
  /** Whether windows are published while a cell does not answer. */
  readonly allowPartial: boolean;
  /** How long Nova waits for a cell: 60, unless its source was changed. */
  readonly cellTimeoutSeconds?: Seconds;
}

/** One opening of the API. */
export interface OpenApi {
  readonly nova: Nova;
  readonly options: ApiOptions;
  /** Ends all requests of the opening, so that after a permanent failure no others are repeated. */
  readonly stop: AbortController;
}
