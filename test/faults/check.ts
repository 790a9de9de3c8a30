import { type Drop, eventsOf, readDrops } from '../support/drops.ts';
import type { Row } from '../support/mariadb/index.ts';
import { compareWithTruth, identityOf } from '../support/nova/compare.ts';
import { sqlTime } from '../support/nova/sql-time.ts';
import { finishedEvents } from '../support/nova/truth.ts';
import { brokenPromises } from '../support/trace/promises.ts';
import { readObjects, tracesAmong } from '../support/trace/read.ts';
import { DAY, iso } from '../../lib/core/time.ts';
import type { Range, Schedule } from './schedule.ts';
import type { World } from './world.ts';

/**
 * What is to hold once everything is published: nothing, or what does not, one line each.
 *
 * @param limits end of the last window, and up to where a backfill could publish
 * @param releases that are complete
 */
export async function violations(
  world: World,
  { seed, start, unsteady }: Schedule,
  { end, limit }: { readonly end: number; readonly limit: number },
  releases: ReadonlyMap<string, Range>,
): Promise<string[]> {
  const { client } = world.stage;
  const prefix = `s${seed}/`;
  const traces = tracesAmong(await readObjects(client, prefix));
  const wrong = [...traces.values()].flatMap((trace) => [
    ...brokenPromises(trace),
    ...(trace.tried.size > 0 ? [`${trace.root}: a claim is undecided`] : []),
    ...trace.drops
      .filter(({ manifest }) => manifest.report === undefined)
      .map(({ key }) => `${key}: no report`),
  ]);
  if (wrong.length > 0) return wrong;

  const truth = await finishedEvents(world.cells, end + 30 * DAY);
  const begin = traces.get('test')?.fixed?.begin ?? Number.NaN;
  const drops = await readDrops(client, `${prefix}cloud=test/`);
  const scheduled = drops.filter(({ manifest }) => manifest.previous !== undefined);
  const backfilled = drops.filter(({ manifest }) => manifest.previous === undefined);
  wrong.push(...scheduleWrong(scheduled, truth, begin, end));
  for (const drop of scheduled) wrong.push(...lateWrong(drop));
  const newest = traces.get('test')?.checkpoint?.end;
  if (newest !== end) wrong.push(`the checkpoint is at ${iso(newest ?? 0)}`);

  const isSteady = (row: Row): boolean => !unsteady.has(`${String(row['cell'])} ${Number(row['id'])}`);
  // Where no run began the trace in time, windows before `begin` may be too young for a backfill.
  const early = truth.filter(within(start, limit));
  wrong.push(...pastWrong('backfill', backfilled, early, isSteady));
  const beforeBegin = scheduled.reduce(
    (sum, { manifest }) => sum + (eventsOf(manifest).counts.beforeBegin ?? 0),
    0,
  );
  // Its finish may have been written over since, with one in another window.
  const most = truth.filter((row) => !isSteady(row) && String(row['start_time']) < sqlTime(begin)).length;
  if (beforeBegin > most) wrong.push(`${beforeBegin} counted as before begin, of at most ${most}`);
  wrong.push(...twice(drops, truth.filter(isSteady)));

  for (const [name, range] of releases) {
    const ofRelease = await readDrops(client, `${prefix}cloud=test-${name}/`);
    const rows = truth.filter(within(range.start, range.end));
    wrong.push(...pastWrong(`release ${name}`, ofRelease, rows, isSteady));
    if (traces.get(`test-${name}`)?.release === undefined) wrong.push(`release ${name}: is not complete`);
  }
  return wrong;
}

const isoOf = (time: unknown): string => `${String(time).replace(' ', 'T')}Z`;
const identity = (row: Row): string =>
  `${String(row['uuid'])} ${String(row['event'])} ${isoOf(row['start_time'])}`;

function within(start: number, end: number): (row: Row) => boolean {
  return ({ finish_time: finish }) => String(finish) >= sqlTime(start) && String(finish) < sqlTime(end);
}

/** Every steady event of past windows is in one drop, as it is in the source. */
function pastWrong(
  what: string,
  drops: readonly Drop[],
  rows: readonly Row[],
  isSteady: (row: Row) => boolean,
): string[] {
  const unsteady = new Set(rows.filter((row) => !isSteady(row)).map(identity));
  const { onlyInDrops, onlyInDatabase } = compareWithTruth(drops, rows);
  const lost = onlyInDatabase.filter((row) => !unsteady.has(identityOf(row)));
  // What was written over may have had its finish in these windows.
  const extra = onlyInDrops.filter((row) => lost.some((other) => identityOf(other) === identityOf(row)));
  return [
    ...(lost.length > 0 ? [`${what}: ${lost.length} rows missing: ${lost[0]}`] : []),
    ...(extra.length > 0 ? [`${what}: ${extra.length} rows differ: ${extra[0]}`] : []),
  ];
}

/** Steady events that are in two drops of a trace. */
function twice(drops: readonly Drop[], steady: readonly Row[]): string[] {
  const all = steady.map(identity);
  // Two that began in the same second look alike.
  const names = new Set(all.filter((name) => all.indexOf(name) === all.lastIndexOf(name)));
  const seen = new Map<string, string>();
  return drops.flatMap(({ manifest: { window }, rows }) =>
    (rows['jsonl'] ?? []).flatMap((row) => {
      const name = `${String(row['uuid'])} ${String(row['event'])} ${String(row['start_time'])}`;
      const before = seen.get(name);
      seen.set(name, window.start);
      return before !== undefined && names.has(name) ? [`${name} is in ${before} and ${window.start}`] : [];
    }),
  );
}

/** Every event that finished from `begin` on is in one scheduled drop; what was rewritten since is counted. */
function scheduleWrong(drops: readonly Drop[], all: readonly Row[], begin: number, end: number): string[] {
  const wrong: string[] = [];
  const begun = iso(begin);
  const truth = all.filter(within(0, end));
  const { onlyInDrops, onlyInDatabase } = compareWithTruth(drops, truth);
  const extra = onlyInDrops.map(identityOf).toSorted();
  const missing = onlyInDatabase.map(identityOf).toSorted();
  // What Nova rewrote after it was published differs in its finish, and is the same event.
  const later = new Set(all.filter(within(end, end + 30 * DAY)).map(identity));
  const unknown = extra.filter((row) => !missing.includes(row) && !later.has(row));
  const lost = onlyInDatabase
    .filter((row) => !extra.includes(identityOf(row)))
    .filter((row) => String((JSON.parse(row) as unknown[])[3]) >= begun);
  if (unknown.length > 0) wrong.push(`${unknown.length} rows too many: ${unknown[0]}`);
  const rewritten = drops.reduce((sum, { manifest }) => sum + eventsOf(manifest).counts.rewritten, 0);
  // One that had finished before `begin` is backfill's, whatever Nova makes of its finish later.
  const isOlder = (row: string): boolean => String((JSON.parse(row) as unknown[])[2]) < begun;
  // One that finishes behind the last window by now is counted by the next, unless an earlier one has.
  const beyond = extra.filter((row) => later.has(row)).length;
  const either = extra.length + lost.length;
  const isCounted = rewritten >= either - beyond && rewritten <= either;
  if (!(lost.every(isOlder) && isCounted)) {
    if (lost.length > 0) wrong.push(`${lost.length} rows missing: ${lost[0]}`);
    if (!isCounted) wrong.push(`${either} rows were rewritten, ${rewritten} are counted`);
  }
  const windows = drops.map(({ manifest }) => manifest.window);
  if (windows[0]?.start !== begun)
    wrong.push(`the schedule begins at ${windows[0]?.start}, the trace at ${begun}`);
  if (windows.at(-1)?.end !== iso(end)) wrong.push(`drops end at ${windows.at(-1)?.end}`);
  return wrong;
}

function lateWrong({ manifest, rows }: Drop): string[] {
  const { window } = manifest;
  const { counts } = eventsOf(manifest);
  const finishes = (rows['jsonl'] ?? []).map((row) => String(row['finish_time']));
  const late = finishes.filter((finish) => finish < window.start).length;
  const early = finishes.filter((finish) => finish >= window.end).length;
  const starts = (rows['jsonl'] ?? []).map((row) => String(row['start_time']));
  return [
    ...(late === counts.late ? [] : [`${window.start}: ${late} late rows, ${counts.late} counted`]),
    ...(early === 0 ? [] : [`${window.start}: ${early} rows finished after the window`]),
    ...(starts.join() === starts.toSorted().join() ? [] : [`${window.start}: rows are not in order`]),
    ...(finishes.length === counts.rows ? [] : [`${window.start}: ${counts.rows} rows counted`]),
  ];
}
