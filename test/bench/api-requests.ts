/*
 * What a window costs over the API of a real cloud, in requests and time, against reading it as the original tool
 * did: all servers, then the actions of each, then each action, in every run. `npm run bench -- api-requests`, with `OS_*` of an
 * administrator in the environment. Windows of five minutes over the last hour; `--minutes 60 --hours 24` for a
 * cloud where less happens.
 */
import { parseArgs } from 'node:util';
import { instanceEvents } from '../../lib/tables/instance-events/table.ts';
import type { OpenStackConnection } from '../../lib/connection/connection.ts';
import { parseSecret } from '../../lib/connection/secret.ts';
import { listActions, showEvents } from '../../lib/source/nova-api/actions.ts';
import { apiSource } from '../../lib/source/nova-api/nova-api.ts';
import { CELL_TIMEOUT_SECONDS, listServers } from '../../lib/source/nova-api/listing.ts';
import { openNova } from '../../lib/source/nova-api/nova.ts';
import type { Outcome, SourceState } from '../../lib/source/source.ts';
import { DAY, HOUR, MINUTE } from '../../lib/core/time.ts';
import { type Window, windowText } from '../../lib/core/window.ts';
import { median, table } from './subject.ts';

const ROUNDS = 3;
const CONCURRENCY = 8;

interface Cost {
  readonly events: number;
  readonly requests: number;
  readonly seconds: number;
}

interface Reading extends Cost {
  readonly state: SourceState;
}

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '5' }, hours: { type: 'string', default: '1' } },
});
const length = Number(values.minutes) * MINUTE;
const end = Math.floor(Date.now() / 1000 / length) * length;
const start = end - Number(values.hours) * HOUR;
const { signal } = new AbortController();
const environment = Object.entries(process.env).filter(([name]) => name.startsWith('OS_'));
const connection = (await parseSecret(
  JSON.stringify(Object.fromEntries(environment)),
)) as OpenStackConnection;

/** The windows as they come, and the state that each begins with. */
const windows: { window: Window; before: SourceState | undefined; reading: Reading }[] = [];
for (let at = start, before: SourceState | undefined; at + length <= end; at += length) {
  const window = { start: at, end: at + length };
  const reading = await readWindow(window, before, 0);
  windows.push({ window, before, reading });
  before = reading.state;
}
const [first] = windows;
// Of those alike the latest is last, when the cloud has most servers.
const later = windows.slice(1).toSorted((a, b) => b.reading.events - a.reading.events);
const [busy, quiet] = [later[0], later.at(-1)];
if (first === undefined || quiet === undefined || busy === undefined) throw new Error('too few windows');

const subjects: { what: string; run: () => Promise<Cost> }[] = [
  { what: 'as the original', run: readAsTheOriginal },
  { what: 'first window', run: () => readWindow(first.window, undefined, 0) },
  { what: 'busiest window', run: () => readWindow(busy.window, busy.before, 0) },
  { what: 'quietest window', run: () => readWindow(quiet.window, quiet.before, 0) },
  { what: 'busiest, no sweep', run: () => readWindow(busy.window, busy.before, 30 * DAY) },
  { what: 'quietest, no sweep', run: () => readWindow(quiet.window, quiet.before, 30 * DAY) },
];
const costs = new Map(subjects.map(({ what }) => [what, [] as Cost[]]));
for (let round = 0; round < ROUNDS; round++) {
  for (const { what, run } of subjects) costs.get(what)?.push(await run());
}
const of = (what: string, part: keyof Cost): number =>
  median((costs.get(what) ?? []).map((cost) => cost[part]));
const original = subjects[0]?.what ?? '';
console.log(`busiest ${windowText(busy.window)}, quietest ${windowText(quiet.window)}, medians of ${ROUNDS}`);
console.log(
  table(
    subjects.map(({ what }) => ({
      '': what,
      events: of(what, 'events'),
      requests: of(what, 'requests'),
      ratio: (of(what, 'requests') / of(original, 'requests')).toFixed(3),
      seconds: of(what, 'seconds').toFixed(2),
      'time ratio': (of(what, 'seconds') / of(original, 'seconds')).toFixed(3),
    })),
  ),
);

async function readWindow(
  window: Window,
  state: SourceState | undefined,
  sweepSeconds: number,
): Promise<Reading> {
  const began = performance.now();
  const source = apiSource(connection, { concurrency: CONCURRENCY, sweepSeconds, allowPartial: false });
  await using open = await source.open(signal);
  const reader = open.read(instanceEvents.name, {
    window,
    state,
    openHorizonSeconds: 30 * DAY,
    settleSeconds: MINUTE,
    begin: start,
    whole: false,
  });
  let events = 0;
  let outcome: Outcome | undefined;
  while (outcome === undefined) {
    const next = await reader.next();
    if (next.done === true) outcome = next.value;
    else events += next.value.rows.length;
  }
  const seconds = (performance.now() - began) / 1000;
  return { events, requests: outcome.api?.requests ?? 0, seconds, state: outcome.state };
}

/** One request after the other, as it did; but live and deleted servers in one list, which is less than it took. */
async function readAsTheOriginal(): Promise<Cost> {
  const began = performance.now();
  using nova = await openNova(connection, 1, signal);
  const query = { 'changes-since': '1970-01-01T00:00:00Z' };
  const doubt = { onDoubt: () => undefined, isDoubted: () => false, doubtSeconds: CELL_TIMEOUT_SECONDS };
  const options = { query, ...doubt };
  let events = 0;
  for await (const page of listServers(nova, options)) {
    for (const { id } of page) {
      for (const { requestId } of (await listActions(nova, id, undefined)) ?? []) {
        events += (await showEvents(nova, id, requestId))?.length ?? 0;
      }
    }
  }
  return { events, requests: nova.requests, seconds: (performance.now() - began) / 1000 };
}
