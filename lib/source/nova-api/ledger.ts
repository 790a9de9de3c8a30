import { DAY, type Seconds } from '../../core/time.ts';
import type { ReadRequest, SourceCounts } from '../source.ts';
import type { Action, ActionEvent } from './actions.ts';
import { fingerprinter } from './fingerprint.ts';
import { recall } from './memory.ts';
import { type ApiState, type Pending, type Sibling, firstState } from './state.ts';

/**
 * Decides what happens to every event that is read, and keeps what the next window has to know. This is where "exactly
 * once" is kept without ids:
 *
 * - An event is published in the window in which it finished. The window before was read some time after its end, and
 *   this one looks back as far again: events that finished there and are not among the published ones came late.
 * - An event that began before that look-back is new only if it was open when the last window ended. Otherwise it has
 * been published, and Nova has overwritten its first finish since.
 */
export interface Ledger {
  /** Events that finished from then on may be unpublished. */
  readonly completeFrom: Seconds;
  /** Whether every server is to be asked, so many seconds after the last time; also while a sweep goes on. */
  isSweepDue(sweepSeconds: Seconds): boolean;
  /** Whether this window goes on with a sweep that an earlier one began. */
  readonly isInSweep: boolean;
  /** Whether an earlier window has asked the server in this sweep. */
  wasAsked(server: string): boolean;
  /** A server that a sweep has asked. */
  ask(server: string): void;
  /** Whether the state of earlier windows lists pending events. */
  readonly continues: boolean;
  /** When the oldest began that is pending, of servers other than these; Infinity if nothing is. */
  pendingFrom(met: ReadonlySet<string>): Seconds;
  /** Whether anything of the server is pending. */
  waitsFor(server: string): boolean;
  /** Whether to look at all its actions for that, and not only at those that changed. */
  looksThrough(server: string, hasChanged: boolean): boolean;
  /** Whether the action has open events, or had none yet. */
  waitsForAction(server: string, requestId: string): boolean;
  /** Of all events of an action, oldest first, those to publish. */
  take(server: string, action: Action, events: readonly ActionEvent[]): FinishedEvent[];
  skip(reason: string): void;
  /** A server that is in a list. */
  meet(server: string, isDeleted: boolean): void;
  /**
   * @param isComplete whether every server was asked, in this window or in earlier ones of the same sweep
   * @param goesOn whether the next window goes on with this sweep
   */
  close(isComplete: boolean, goesOn: boolean): { state: ApiState; counts: SourceCounts };
}

/**
 * A finish that is committed long after the time it carries leaves its action's time of change in the past. So for
 * servers with open events actions are listed from so long before; and all of them for as long after an event began,
 * later only when its server has changed: of a hundred events one never finishes, and each costs a request.
 */
export const LATEST_COMMIT = DAY;

export type FinishedEvent = ActionEvent & { readonly start: Seconds; readonly finish: Seconds };

const isFinished = (event: ActionEvent): event is FinishedEvent =>
  event.start !== undefined && event.finish !== null;

export function openLedger(stored: ApiState | undefined, request: ReadRequest): Ledger {
  const { window, begin, openHorizonSeconds, settleSeconds } = request;
  const state = stored ?? firstState(window.start);
  const fingerprint = fingerprinter(state.salt);
  const horizon = window.end - openHorizonSeconds;

  const memory = recall(state, stored === undefined, begin, horizon);
  const { carried } = memory;
  const carriedActions = new Set(state.pending.map(({ action }) => action));
  const carriedServers = new Map<string, Seconds>();
  for (const { server, start } of state.pending) {
    carriedServers.set(server, Math.max(start, carriedServers.get(server) ?? -Infinity));
  }
  const sweepFrom = state.sweep?.from ?? window.end;
  const asked = new Set(state.sweep?.asked);
  const reread = new Set<string>();
  const met = new Set<string>();
  const pending = new Map<string, Pending>();
  const published = new Map(state.published);
  /** Published events in the order in which they were found. */
  const noted = new Map<string, Sibling>();
  const skipped: Record<string, number> = {};
  /** Servers that are there, and others that were listed. */
  const [there, deleted] = [new Set<string>(), new Set<string>()];
  let late = 0;
  let abandoned = 0;
  let rewritten = 0;

  const skip = (reason: string): void => {
    skipped[reason] = (skipped[reason] ?? 0) + 1;
  };

  /** Whether to publish the event now; otherwise it is carried, abandoned, or belongs to another window. */
  const settle = (entry: Pending & { event: string }, event: ActionEvent, hasNamesake: boolean): boolean => {
    const { event: key } = entry;
    const { start, finish } = event;
    if (start === undefined) {
      if (finish !== null) skip('noStartTime');
      return false;
    }
    if (finish === null) {
      if (start < horizon) abandoned += carried.has(key) ? 1 : 0;
      else if (start < window.end) pending.set(key, entry);
      return false;
    }
    const isKnown = memory.wasPublished(key, entry.server, start, hasNamesake);
    const first = memory.finishOf(key);
    const note = (as: Seconds): void => void noted.set(key, { action: entry.action, event: key, finish: as });
    if (finish >= window.end) {
      if (start < window.end && !isKnown) pending.set(key, entry);
      if (first !== undefined) note(first);
      return false;
    }
    if (finish < state.completeFrom && !carried.has(key) && (first ?? finish) === finish) {
      note(finish);
      return false;
    }
    if (isKnown) {
      note(finish);
      if (first === undefined && start < horizon) skip('abandoned');
      else if (first !== finish) rewritten++;
      published.set(key, finish);
      return false;
    }
    if (finish < window.start) late++;
    published.set(key, finish);
    note(finish);
    return true;
  };

  return {
    completeFrom: state.completeFrom,
    isSweepDue: (seconds) =>
      state.sweep !== null || state.sweptUntil === null || window.end - state.sweptUntil >= seconds,
    isInSweep: state.sweep !== null,
    wasAsked: (server) => state.sweep?.asked.has(fingerprint(server)) === true,
    ask: (server) => void asked.add(fingerprint(server)),
    continues: stored !== undefined,
    pendingFrom(servers) {
      const others = new Set(carriedServers.keys());
      if (others.size > 0) for (const server of servers) others.delete(fingerprint(server));
      return state.pending.reduce(
        (oldest, { server, start }) => (others.has(server) ? Math.min(oldest, start) : oldest),
        Infinity,
      );
    },
    waitsFor: (server) => carriedServers.has(fingerprint(server)),
    looksThrough(server, hasChanged) {
      const newest = carriedServers.get(fingerprint(server));
      return newest !== undefined && (hasChanged || newest >= window.start - LATEST_COMMIT);
    },
    waitsForAction: (server, requestId) => carriedActions.has(fingerprint(server, requestId)),
    take(server, { requestId, start: requested }, events) {
      const ofAction = { server: fingerprint(server), action: fingerprint(server, requestId) };
      reread.add(ofAction.action);
      if (events.length === 0 && requested !== undefined && requested >= horizon) {
        // Its first event may be one that leaves the action's time of change alone.
        pending.set(ofAction.action, { ...ofAction, event: null, start: requested });
      }
      const alike = new Map<string, number>();
      const names = new Map<string | null, number>();
      for (const { event } of events) names.set(event, (names.get(event) ?? 0) + 1);
      return events.flatMap((event): readonly FinishedEvent[] => {
        // Later ones are added behind, so the order among those that look alike stays.
        const look = `${event.event} ${event.start}`;
        const nth = alike.get(look) ?? 0;
        alike.set(look, nth + 1);
        const key = fingerprint(server, requestId, event.event, event.start ?? null, nth);
        met.add(key);
        const hasNamesake = (names.get(event.event) ?? 0) > 1;
        const entry = { ...ofAction, event: key, start: event.start ?? 0 };
        return settle(entry, event, hasNamesake) && isFinished(event) ? [event] : [];
      });
    },
    skip,
    meet(server, isDeleted) {
      (isDeleted ? deleted : there).add(fingerprint(server));
    },
    close(isComplete, goesOn) {
      const missing = [...state.servers].filter((server) => !there.has(server) && !deleted.has(server));
      if (isComplete && missing.length > 0) skipped['serverArchived'] = missing.length;
      for (const [key, entry] of carried) {
        // Actions that were not read again have not changed; for the others `settle` knows which events are still open.
        if (reread.has(entry.action)) {
          if (entry.event !== null && !met.has(key)) skip('eventGone');
        } else if (entry.start >= horizon || !isComplete) pending.set(key, entry);
        else if (entry.event !== null) abandoned++;
      }
      // Never further back than the remembered events, even if the settle time has been raised.
      const reached = isComplete ? sweepFrom - settleSeconds : -Infinity;
      const completeFrom = Math.max(state.completeFrom, reached);
      const waiting = new Set([...pending.values()].map(({ action }) => action));
      const siblings = [...state.siblings.filter(({ event }) => !noted.has(event)), ...noted.values()];
      return {
        state: {
          salt: state.salt,
          completeFrom,
          sweptUntil: isComplete ? sweepFrom : state.sweptUntil,
          sweep: goesOn ? { from: sweepFrom, asked } : null,
          pending: [...pending.values()],
          published: new Map([...published].filter(([, finish]) => finish >= completeFrom)),
          siblings: siblings.filter(({ action, finish }) => waiting.has(action) && finish < completeFrom),
          servers: isComplete ? there : there.union(new Set(missing)),
        },
        counts: {
          late,
          beforeBegin: null,
          abandoned,
          stillOpen: [...pending.values()].filter(({ event }) => event !== null).length,
          rewritten,
          restored: 0,
          purged: null,
          skipped,
        },
      };
    },
  };
}
