import { spilledOrder } from '../../core/collections/spilled-order.ts';
import type { TraceEvent } from '../../tables/instance-events/row.ts';
import { instanceEvents } from '../../tables/instance-events/table.ts';
import { earlierOf } from '../../tables/table.ts';
import type { Seconds } from '../../core/time.ts';
import { readAhead } from '../ahead.ts';
import type { Batch, Outcome, Progress, ReadRequest } from '../source.ts';
import { type Ledger, LATEST_COMMIT, openLedger } from './ledger.ts';
import { listActions, mayHold, showEvents } from './actions.ts';
import { type Candidate, MARGIN, discover } from './discovery.ts';
import { CELL_TIMEOUT_SECONDS } from './listing.ts';
import type { Nova } from './nova.ts';
import type { OpenApi } from './open-api.ts';
import { restoreState, storeState } from './state.ts';
import { unseenBy } from './unseen.ts';

/** The API does not sort events. So many are held in memory, about 300 bytes each; more are sorted on disk. */
const HELD = 50_000;

/** Finished events, as far as the API shows them. None is given before every server has been asked. */
export async function* readInstanceEvents(
  { nova, options, stop }: OpenApi,
  toRead: ReadRequest,
): AsyncGenerator<Batch<TraceEvent>, Outcome, void> {
  const { window, settleSeconds, openHorizonSeconds: horizon } = toRead;
  const state = toRead.state === undefined ? undefined : restoreState(toRead.state);
  const ledger = openLedger(state, toRead);
  const sweep = toRead.whole || ledger.isSweepDue(options.sweepSeconds);
  // Without a sweep only changed servers are asked, and for the time that this window answers for.
  const own = Math.max(ledger.completeFrom, window.start - settleSeconds);
  const since = sweep ? ledger.completeFrom : own;

  const { cellTimeoutSeconds = CELL_TIMEOUT_SECONDS } = options;
  const allowPartial = options.allowPartial && !toRead.whole;
  const before = nova.requests;
  const discovery = discover(nova, {
    since,
    until: window.end,
    sweep,
    ledger,
    allowPartial,
    cellTimeoutSeconds,
  });
  const reading: Reading = {
    nova,
    ledger,
    since,
    until: window.end,
    horizon,
    onServer: (events) => toRead.progress?.done(1, events),
  };
  const earliest = earlierOf(instanceEvents);
  using events = spilledOrder<TraceEvent>(earliest, HELD);
  const part = sweepInParts(ledger, sweep, own, toRead.whole ? undefined : toRead.hasTime);
  for await (const page of readAhead(counted(discovery.candidates, toRead.progress))) {
    for (const { instance, isDeleted } of page) ledger.meet(instance.uuid, isDeleted);
    const asked = part.of(page);
    for (let passed = page.length - asked.length; passed > 0; passed--) toRead.progress?.done(1, 0);
    events.add(await eventsOfAll(asked, reading, stop));
    if (sweep) for (const { instance } of asked) ledger.ask(instance.uuid);
  }
  const isPartial = discovery.isPartial();
  const isComplete = sweep && !isPartial && !part.isCut();
  // The others were asked before this window was over.
  const swept = sweep && !part.isCut() && !ledger.isInSweep;
  // Where only a cell was silent, the next window asks all again: the cell may be silent for days.
  const { state: next, counts } = ledger.close(isComplete, part.isCut());
  // Where all servers of the last window are accounted for, none was archived.
  const mayLack = !isComplete || !ledger.continues || (counts.skipped['serverArchived'] ?? 0) > 0;
  const { microversion } = nova;
  const requests = nova.requests - before;
  const outcome: Outcome = {
    state: storeState(next),
    counts,
    sourceFrom: null,
    api: {
      microversion,
      requests,
      swept,
      unseen: unseenBy(microversion, { sweep: swept, isPartial, mayLack }),
    },
  };
  for (const rows of events.sorted()) yield { rows, watermark: earliest(rows.at(-1) as TraceEvent), outcome };
  return outcome;
}

interface Reading {
  readonly nova: Nova;
  readonly ledger: Ledger;
  readonly since: Seconds;
  readonly until: Seconds;
  readonly horizon: Seconds;
  /** Told of every server how many events of it are to be published. */
  readonly onServer: (events: number) => void;
}

/**
 * Chooses whom to ask. A sweep of many servers takes longer than an invocation may: those that show no change since
 * `own` and were asked by an earlier window of the same sweep are passed over, and once time is short, the others too.
 */
function sweepInParts(ledger: Ledger, sweep: boolean, own: Seconds, hasTime: () => boolean = () => true) {
  let [isCut, hasBegun] = [false, false];
  const mayWait = ({ instance: { uuid }, isDeleted, updated }: Candidate): boolean =>
    sweep && !isDeleted && updated < own - MARGIN && !ledger.waitsFor(uuid);
  return {
    of(page: readonly Candidate[]): readonly Candidate[] {
      const isDue = (server: Candidate): boolean =>
        !mayWait(server) || !ledger.wasAsked(server.instance.uuid);
      const due = page.filter(isDue);
      if (!due.some(mayWait)) return due;
      // At least one page in each window, so that the sweep ends.
      if (!hasBegun || hasTime()) {
        hasBegun = true;
        return due;
      }
      isCut = true;
      return due.filter((server) => !mayWait(server));
    },
    isCut: () => isCut,
  };
}

/** Tells of every page that is found. */
async function* counted(
  pages: AsyncGenerator<readonly Candidate[], void, void>,
  progress: Progress | undefined,
): AsyncGenerator<readonly Candidate[], void, void> {
  for await (const page of pages) {
    progress?.expect(page.length);
    yield page;
  }
}

async function eventsOfAll(
  servers: readonly Candidate[],
  reading: Reading,
  stop: AbortController,
): Promise<TraceEvent[]> {
  try {
    const events = await Promise.all(
      servers.map(async (server) => {
        const found = await eventsOf(server, reading);
        reading.onServer(found.length);
        return found;
      }),
    );
    return events.flat();
  } catch (error) {
    // Otherwise the other requests would be repeated, and the next page awaited.
    stop.abort();
    throw error;
  }
}

/** The events of a server that are to be published. */
async function eventsOf(
  { instance, changed }: Candidate,
  { nova, ledger, since, until, horizon }: Reading,
): Promise<TraceEvent[]> {
  const { uuid } = instance;
  // What a restarted compute does to an open event leaves the time of its action alone; only all of them show it. A
  // finish that was committed late has its action changed in the past.
  const everything = ledger.looksThrough(uuid, changed);
  const from = ledger.waitsFor(uuid) ? since - LATEST_COMMIT : since;
  const actions = await listActions(nova, uuid, everything ? undefined : from);
  if (actions === undefined) {
    ledger.skip('serverGone');
    return [];
  }
  const wanted = actions.filter(
    (action) => mayHold(action, since, until, horizon) || ledger.waitsForAction(uuid, action.requestId),
  );
  // Of two actions with one request id the API shows the newer only, which comes first.
  const distinct = new Map(wanted.toReversed().map((action) => [action.requestId, action]));
  for (let hidden = wanted.length - distinct.size; hidden > 0; hidden--) ledger.skip('actionHidden');
  const events = await Promise.all(
    [...distinct.values()].map(async (action) => {
      const shown = await showEvents(nova, uuid, action.requestId);
      if (shown !== undefined) return ledger.take(uuid, action, shown);
      ledger.skip('actionGone');
      return [];
    }),
  );
  return events
    .flat()
    .map(({ event, start, finish, result, host }) => ({ instance, event, start, finish, result, host }));
}
