import type { Seconds } from '../../core/time.ts';
import type { ApiState, Pending } from './state.ts';

/** What the windows before have left behind about an event, which is known by its fingerprint. */
export interface Memory {
  /** What was pending, by the fingerprint of the event, or of the action where that had none. */
  readonly carried: ReadonlyMap<string, Pending>;
  /** The finish that the event was published with, where that is remembered. */
  finishOf(key: string): Seconds | undefined;
  /**
   * Whether the event has been in a drop, or may have been. A finish that Nova writes over the first is no news.
   *
   * @param hasNamesake whether its action has another event of its name
   */
  wasPublished(key: string, start: Seconds, hasNamesake: boolean): boolean;
}

/**
 * @param isFirst whether there was no window before
 * @param begin of the trace
 * @param horizon what began before is given up
 */
export function recall(state: ApiState, isFirst: boolean, begin: Seconds, horizon: Seconds): Memory {
  const carried = new Map(state.pending.map((pending) => [pending.event ?? pending.action, pending]));
  const siblings = new Map(state.siblings.map(({ event, finish }) => [event, finish]));
  return {
    carried,
    finishOf: (key) => state.published.get(key) ?? siblings.get(key),
    wasPublished(key, start, hasNamesake) {
      if (carried.has(key)) return false;
      if (state.published.has(key) || siblings.has(key)) return true;
      // Its first finish would be remembered; and before a first window nothing was published.
      if (start >= state.completeFrom || isFirst) return false;
      // It began before there was a trace, and so before anybody looked whether it was open. Only where an action
      // has two events of one name does Nova finish one again.
      return start >= begin || hasNamesake || start < horizon;
    },
  };
}
