import type { Seconds } from '../../core/time.ts';
import type { ApiState, Pending } from './state.ts';

/** What earlier windows recorded about an event, which is identified by its fingerprint. */
export interface Memory {
  /** Pending events, by fingerprint; for an action without events, that of the action. */
  readonly carried: ReadonlyMap<string, Pending>;
  /** The finish that the event was published with, if it is remembered. */
  finishOf(key: string): Seconds | undefined;
  /**
   * Whether the event has been in a drop, or may have been. An overwritten finish does not make the event new.
   *
   * @param server fingerprint of its server
   * @param hasNamesake whether its action has another event of its name
   */
  wasPublished(key: string, server: string, start: Seconds, hasNamesake: boolean): boolean;
}

/**
 * @param isFirst whether there was no window before
 * @param begin of the trace
 * @param horizon events that began before are abandoned
 */
export function recall(state: ApiState, isFirst: boolean, begin: Seconds, horizon: Seconds): Memory {
  const carried = new Map(state.pending.map((pending) => [pending.event ?? pending.action, pending]));
  const siblings = new Map(state.siblings.map(({ event, finish }) => [event, finish]));
  const { sweep, sweptUntil } = state;
  // Of a first sweep that takes several windows, also a server that none of them has asked.
  const isNew = (server: string): boolean =>
    isFirst || (sweptUntil === null && sweep !== null && !sweep.asked.has(server));
  return {
    carried,
    finishOf: (key) => state.published.get(key) ?? siblings.get(key),
    wasPublished(key, server, start, hasNamesake) {
      if (carried.has(key)) return false;
      if (state.published.has(key) || siblings.has(key)) return true;
      // Its first finish would be remembered; and of a server that was never asked nothing was published.
      if (start >= state.completeFrom || isNew(server)) return false;
      // It began before the trace, so it is unknown whether it was open. Nova finishes an event again only if its
      // action has two events of one name.
      return start >= begin || hasNamesake || start < horizon;
    },
  };
}
