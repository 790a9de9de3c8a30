import type { Seconds } from '../../core/time.ts';
import type { Nova } from './nova.ts';

export interface ApiOptions {
  /** Requests under way at once, at the most. */
  readonly concurrency: number;
  /** Told once of what is no error and should not stay so. */
  readonly warn?: (text: string) => void;
  /** At least so often every live server is asked; 0: in every window. */
  readonly sweepSeconds: Seconds;
  /** Whether to publish windows while a cell does not answer. */
  readonly allowPartial: boolean;
  /** How long Nova waits for a cell: 60, unless its source was changed. */
  readonly cellTimeoutSeconds?: Seconds;
}

/** One opening of the API. */
export interface OpenApi {
  readonly nova: Nova;
  readonly options: ApiOptions;
  /** Ends all requests of the opening: one that failed for good must not leave others to be tried again and again. */
  readonly stop: AbortController;
}
