import { DAY, type Seconds } from '../../time.ts';
import type { ReadRequest, SourceCounts } from '../source.ts';
import type { Action, ActionEvent } from './actions.ts';
import { type Parts, fingerprinter } from './fingerprint.ts';
import { recall } from './memory.ts';
import { scheduleView } from './schedule-view.ts';
import { type ApiState, type Pending, type Sibling, firstState } from './state.ts';

/**
 * Decides the fate of every event that is read, and remembers what the next window has to know. This is where
 * "exactly once" is kept without ids:
 *
 * - An event is published in the window in which it finished. The window before was read some time after its end,
 *   and this one looks back as far again: what finished there and is not among the published came late.
 * - An event that began before that look-back is news only if it was open when the last window ended. Otherwise it
 *   has been published, and what shows now is a finish that Nova wrote over the first.
 */
export interface Account {
  /** What finished from then on may be unpublished. */
  readonly completeFrom: Seconds;
  readonly sweptUntil: Seconds | null;
  /** Whether earlier windows have told what is pending. */
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
  /** @param isComplete whether every server could be asked, so that nothing before is left to be found */
  close(isComplete: boolean): { state: ApiState; counts: SourceCounts; displacedFrom: Seconds | null };
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

export function openAccount(stored: ApiState | undefined, request: ReadRequest): Account {
  const { window, openHorizonSeconds, settleSeconds } = request;
  const state = stored ?? firstState(window.start);
  const fingerprint = fingerprinter(state.salt);
  const horizon = window.end - openHorizonSeconds;

  const memory = recall(state, stored === undefined, horizon);
  const { awaited } = memory;
  const schedule = request.schedule === undefined ? undefined : scheduleView(request.schedule, window);
  const awaitedActions = new Set(state.pending.map(({ action }) => action));
  const awaitedServers = new Map<string, Seconds>();
  for (const { server, start } of state.pending) {
    awaitedServers.set(server, Math.max(start, awaitedServers.get(server) ?? -Infinity));
  }
  const reread = new Set<string>();
  const met = new Set<string>();
  const pending = new Map<string, Pending>();
  const published = new Map(state.published);
  /** Published events as they were met. */
  const noted = new Map<string, Sibling>();
  const skipped: Record<string, number> = {};
  let late = 0;
  let abandoned = 0;
  let rewritten = 0;
  let displacedFrom = Infinity;
  let isHolding = false;

  const skip = (reason: string): void => {
    skipped[reason] = (skipped[reason] ?? 0) + 1;
  };

  /** Whether to publish the event now; if not, it is carried, given up, or none of this window's. */
  const settle = (entry: Pending & { event: string }, event: ActionEvent, hasNamesake: boolean): boolean => {
    const { event: key } = entry;
    const { start, finish } = event;
    if (start === undefined) {
      if (finish !== null) skip('noStartTime');
      return false;
    }
    if (finish === null) {
      if (start < horizon) abandoned += awaited.has(key) ? 1 : 0;
      else if (start < window.end) pending.set(key, entry);
      return false;
    }
    const isKnown = memory.wasPublished(key, start, hasNamesake);
    const first = memory.finishOf(key);
    const note = (as: Seconds): void => void noted.set(key, { action: entry.action, event: key, finish: as });
    if (finish >= window.end) {
      if (start < window.end && !isKnown) pending.set(key, entry);
      if (first !== undefined) note(first);
      return false;
    }
    if (finish < state.completeFrom && !awaited.has(key) && (first ?? finish) === finish) {
      note(finish);
      return false;
    }
    if (isKnown) {
      note(finish);
      if (first === undefined && start < horizon) skip('abandoned');
      else if (first !== finish) {
        rewritten++;
        displacedFrom = Math.min(displacedFrom, first ?? start);
      }
      published.set(key, finish);
      return false;
    }
    if (finish < window.start && request.holdLate) {
      isHolding = true;
      pending.set(key, entry);
      return false;
    }
    if (finish < window.start) {
      late++;
      displacedFrom = Math.min(displacedFrom, finish);
    }
    published.set(key, finish);
    note(finish);
    return true;
  };

  /** The event as the schedule knows it; undefined where it is left to that. */
  const asPublished = (event: ActionEvent, parts: Parts, hasNamesake: boolean): ActionEvent | undefined => {
    if (schedule === undefined || !isFinished(event)) return event;
    const finish = schedule.publishedFinish(parts, event.start, event.finish, hasNamesake);
    if (finish !== null) return { ...event, finish };
    if (event.finish >= window.start && event.finish < window.end) skip('awaited');
    return undefined;
  };

  return {
    completeFrom: state.completeFrom,
    sweptUntil: state.sweptUntil,
    continues: stored !== undefined,
    pendingFrom(servers) {
      const others = new Set(awaitedServers.keys());
      if (others.size > 0) for (const server of servers) others.delete(fingerprint(server));
      return state.pending.reduce(
        (oldest, { server, start }) => (others.has(server) ? Math.min(oldest, start) : oldest),
        Infinity,
      );
    },
    waitsFor: (server) => awaitedServers.has(fingerprint(server)),
    looksThrough(server, hasChanged) {
      const newest = awaitedServers.get(fingerprint(server));
      return newest !== undefined && (hasChanged || newest >= window.start - LATEST_COMMIT);
    },
    waitsForAction: (server, requestId) => awaitedActions.has(fingerprint(server, requestId)),
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
      return events.flatMap((shown): readonly FinishedEvent[] => {
        // Later ones are added behind, so the order among those that look alike stays.
        const look = `${shown.event} ${shown.start}`;
        const nth = alike.get(look) ?? 0;
        alike.set(look, nth + 1);
        const parts = [server, requestId, shown.event, shown.start ?? null, nth];
        const key = fingerprint(...parts);
        met.add(key);
        const hasNamesake = (names.get(shown.event) ?? 0) > 1;
        const event = asPublished(shown, parts, hasNamesake);
        if (event === undefined) return [];
        const entry = { ...ofAction, event: key, start: event.start ?? 0 };
        return settle(entry, event, hasNamesake) && isFinished(event) ? [event] : [];
      });
    },
    skip,
    close(isComplete) {
      for (const [key, entry] of awaited) {
        // What was not looked at again has not changed; of what was, `settle` knows what is still open.
        if (reread.has(entry.action)) {
          if (entry.event !== null && !met.has(key)) skip('eventGone');
        } else if (entry.start >= horizon || !isComplete) pending.set(key, entry);
        else if (entry.event !== null) abandoned++;
      }
      // The next window has to look as far back again for what this one was not to publish.
      // Never further back than what is remembered reaches, also where the settle time has been raised.
      const reached = isComplete && !isHolding ? window.end - settleSeconds : -Infinity;
      const completeFrom = Math.max(state.completeFrom, reached);
      const waiting = new Set([...pending.values()].map(({ action }) => action));
      const siblings = [...state.siblings.filter(({ event }) => !noted.has(event)), ...noted.values()];
      return {
        state: {
          salt: state.salt,
          traceFrom: state.traceFrom,
          completeFrom,
          sweptUntil: isComplete ? window.end : state.sweptUntil,
          pending: [...pending.values()],
          published: new Map([...published].filter(([, finish]) => finish >= completeFrom)),
          siblings: siblings.filter(({ action, finish }) => waiting.has(action) && finish < completeFrom),
        },
        counts: {
          late,
          abandoned,
          stillOpen: [...pending.values()].filter(({ event }) => event !== null).length,
          rewritten,
          skipped,
        },
        displacedFrom: displacedFrom === Infinity ? null : displacedFrom,
      };
    },
  };
}
