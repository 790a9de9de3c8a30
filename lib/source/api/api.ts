import type { OpenStackConnection } from '../../connection/connection.ts';
import type { Seconds } from '../../time.ts';
import { readAhead } from '../ahead.ts';
import type { Progress, Source, TraceEvent } from '../source.ts';
import { type Account, LATEST_COMMIT, openAccount } from './account.ts';
import { listActions, mayHold, showEvents } from './actions.ts';
import { askClock } from './clock.ts';
import { type Candidate, discover } from './discovery.ts';
import { openHttp } from './http.ts';
import { openKeystone } from './keystone.ts';
import { CELL_TIMEOUT_SECONDS } from './listing.ts';
import { shaped } from './answers.ts';
import { type Nova, openNova } from './nova.ts';
import { SERVERS, ServerPage, toServer } from './servers.ts';
import { restoreState, storeState } from './state.ts';
import { unseenBy } from './unseen.ts';

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

/**
 * Nova's HTTP API as a source: the same events as from the databases, as far as the API shows them. Every window is
 * read by a session of its own. The events of a window are held in memory, about 300 bytes each, for the API has
 * them in no order.
 */
export function apiSource(connection: OpenStackConnection, options: ApiOptions): Source {
  const warned = new Set<string>();
  const warn = (text: string): void => {
    if (!warned.has(text)) options.warn?.(text);
    warned.add(text);
  };
  return {
    kind: 'api',
    async *read(toRead) {
      const { window, settleSeconds, openHorizonSeconds: horizon } = toRead;
      const state = toRead.state === undefined ? undefined : restoreState(toRead.state);
      const account = openAccount(state, toRead);
      const isDue = account.sweptUntil === null || window.end - account.sweptUntil >= options.sweepSeconds;
      const sweep = isDue || toRead.whole;
      // Without a sweep only changed servers are asked, and for the time that this window answers for.
      const since = sweep
        ? account.completeFrom
        : Math.max(account.completeFrom, window.start - settleSeconds);

      const stop = new AbortController();
      const signal = AbortSignal.any([toRead.signal, stop.signal]);
      using nova = await openNova(connection, options.concurrency, signal, warn);
      try {
        const { cellTimeoutSeconds = CELL_TIMEOUT_SECONDS } = options;
        const allowPartial = options.allowPartial && !toRead.whole;
        const request = {
          since,
          until: window.end,
          sweep,
          account,
          allowPartial,
          cellTimeoutSeconds,
        };
        const discovery = discover(nova, request);
        const reading: Reading = {
          nova,
          account,
          since,
          until: window.end,
          horizon,
          onServer: (events) => toRead.progress?.done(1, events),
        };
        for await (const page of readAhead(counted(discovery.candidates, toRead.progress))) {
          yield { events: await eventsOfAll(page, reading, stop), watermark: -Infinity };
        }
        const isPartial = discovery.isPartial();
        const { state: next, counts } = account.close(sweep && !isPartial);
        const { microversion, requests } = nova;
        return {
          state: storeState(next),
          counts,
          sourceFrom: null,
          api: { microversion, requests, swept: sweep, unseen: unseenBy(microversion, sweep, isPartial) },
        };
      } finally {
        stop.abort();
      }
    },
    async clock(signal) {
      using nova = await openNova(connection, options.concurrency, signal);
      using http = openHttp(connection.tls);
      const { time } = await askClock(nova, () => openKeystone(http, connection).issue(signal));
      return Number.isNaN(time) ? null : time;
    },
    // Servers and their actions would have to be kept by name, outside of the process.
    statesAt: async (ranges) => ranges.map(() => undefined),
    async history(_range, signal) {
      using nova = await openNova(connection, options.concurrency, signal, warn);
      return { from: await oldestCreated(nova), events: null };
    },
  };
}

/** When the oldest server was created that Nova still shows, deleted ones included. */
export async function oldestCreated(nova: Nova): Promise<Seconds | null> {
  const query = {
    'changes-since': '1970-01-01T00:00:00Z',
    all_tenants: '1',
    sort_key: 'created_at',
    sort_dir: 'asc',
    limit: '1',
  };
  const { json } = await nova.get({
    path: '/servers/detail',
    query: new URLSearchParams(query),
    what: SERVERS,
  });
  const [oldest] = shaped(ServerPage, json, SERVERS).servers;
  return oldest === undefined ? null : toServer(oldest, () => undefined).created;
}

interface Reading {
  readonly nova: Nova;
  readonly account: Account;
  readonly since: Seconds;
  readonly until: Seconds;
  readonly horizon: Seconds;
  /** Told of every server how many events of it are to be published. */
  readonly onServer: (events: number) => void;
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
    // The others would be tried again and again, and the next page waited for.
    stop.abort();
    throw error;
  }
}

/** The events of a server that are to be published. */
async function eventsOf(
  { instance, changed }: Candidate,
  { nova, account, since, until, horizon }: Reading,
): Promise<TraceEvent[]> {
  const { uuid } = instance;
  // What a restarted compute does to an open event leaves the time of its action alone; only all of them show it. A
  // finish that was committed late has its action changed in the past.
  const everything = account.looksThrough(uuid, changed);
  const from = account.waitsFor(uuid) ? since - LATEST_COMMIT : since;
  const actions = await listActions(nova, uuid, everything ? undefined : from);
  if (actions === undefined) {
    account.skip('serverGone');
    return [];
  }
  const wanted = actions.filter(
    (action) => mayHold(action, since, until, horizon) || account.waitsForAction(uuid, action.requestId),
  );
  // Of two actions with one request id the API shows the newer only, which comes first.
  const distinct = new Map(wanted.toReversed().map((action) => [action.requestId, action]));
  for (let hidden = wanted.length - distinct.size; hidden > 0; hidden--) account.skip('actionHidden');
  const events = await Promise.all(
    [...distinct.values()].map(async (action) => {
      const shown = await showEvents(nova, uuid, action.requestId);
      if (shown !== undefined) return account.take(uuid, action, shown);
      account.skip('actionGone');
      return [];
    }),
  );
  return events
    .flat()
    .map(({ event, start, finish, result, host }) => ({ instance, event, start, finish, result, host }));
}
