import type { Seconds } from '../core/time.ts';

export interface ExamineOptions {
  readonly signal: AbortSignal;
  /** How far in the past a window must end before it is read; clock differences are compared with it. */
  readonly settleSeconds: Seconds;
}
