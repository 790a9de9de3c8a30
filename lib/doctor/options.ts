import type { Seconds } from '../core/time.ts';

export interface ExamineOptions {
  readonly signal: AbortSignal;
  /** How far in the past a window has to end before it is read; what a clock difference is held against. */
  readonly settleSeconds: Seconds;
}
