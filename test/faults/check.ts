import { createHash } from 'node:crypto';
import { type Drop, listKeys, readDrops, readObject } from '../support/drops.ts';
import { compareWithTruth, identityOf } from '../support/nova/compare.ts';
import { finishedEvents } from '../support/nova/truth.ts';
import { DAY, iso } from '../../lib/time.ts';
import type { World } from './world.ts';

/** What is to hold once the last window is published: nothing, or what does not, one line each. */
export async function violations(
  world: World,
  prefix: string,
  end: number,
  excused: ReadonlySet<string>,
): Promise<string[]> {
  const { client } = world.stage;
  const wrong: string[] = [];
  let drops: Drop[];
  try {
    drops = await readDrops(client, prefix);
  } catch (error) {
    return [`a manifest lists what is not there: ${String(error)}`];
  }
  const truth = await finishedEvents(world.cells, end);
  const windows = drops
    .map(({ manifest }) => manifest.window)
    .toSorted((a, b) => (a.start < b.start ? -1 : 1));
  // What finished before the first window is not in the trace.
  const begun = windows[0]?.start ?? '';
  const { onlyInDrops, onlyInDatabase } = compareWithTruth(drops, truth);
  const extra = onlyInDrops.map(identityOf).toSorted();
  const missing = onlyInDatabase.map(identityOf).toSorted();
  // What Nova rewrote after it was published differs in its finish, and is the same event.
  const later = await laterThan(world, end);
  const unknown = extra.filter((row) => !missing.includes(row) && !later.has(row));
  const lost = onlyInDatabase
    .filter((row) => !extra.includes(identityOf(row)))
    .filter((row) => String((JSON.parse(row) as unknown[])[3]) >= begun);
  if (unknown.length > 0) wrong.push(`${unknown.length} rows too many: ${unknown[0]}`);
  const rewritten = drops.reduce((sum, { manifest }) => sum + manifest.counts.rewritten, 0);
  // One that had finished before the first window is not in the trace, whatever Nova makes of its finish later.
  const isOlder = (row: string): boolean => String((JSON.parse(row) as unknown[])[2]) < begun;
  // One that finishes behind the last window by now is counted by the next, unless an earlier one has.
  const beyond = extra.filter((row) => later.has(row)).length;
  const all = extra.length + lost.length;
  const isCounted = rewritten >= all - beyond && rewritten <= all;
  if (!(lost.every(isOlder) && isCounted)) {
    if (lost.length > 0) wrong.push(`${lost.length} rows missing: ${lost[0]}`);
    if (!isCounted) wrong.push(`${all} rows were rewritten, ${rewritten} are counted`);
  }

  let reached = begun;
  for (const window of windows) {
    if (window.start !== reached)
      wrong.push(`a window begins at ${window.start} where ${reached} was reached`);
    reached = window.end;
  }
  if (reached !== iso(end)) wrong.push(`drops end at ${reached}`);
  for (const drop of drops) wrong.push(...lateWrong(drop));
  wrong.push(...(await objectsWrong(world, prefix, drops, excused)));
  return wrong;
}

/** Events that finish behind the last window by now, but may have been published before they were rewritten. */
async function laterThan(world: World, end: number): Promise<Set<string>> {
  const rows = await finishedEvents(world.cells, end + 30 * DAY);
  const at = (time: unknown): string => `${String(time).replace(' ', 'T')}Z`;
  const late = rows.filter((row) => at(row['finish_time']) >= iso(end));
  return new Set(
    late.map((row) => `${String(row['uuid'])} ${String(row['event'])} ${at(row['start_time'])}`),
  );
}

function lateWrong({ manifest: { window, counts }, rows }: Drop): string[] {
  const finishes = (rows['jsonl'] ?? []).map((row) => String(row['finish_time']));
  const late = finishes.filter((finish) => finish < window.start).length;
  const early = finishes.filter((finish) => finish >= window.end).length;
  const starts = (rows['jsonl'] ?? []).map((row) => String(row['start_time']));
  return [
    ...(late === counts.late ? [] : [`${window.start}: ${late} late rows, ${counts.late} counted`]),
    ...(early === 0 ? [] : [`${window.start}: ${early} rows finished after the window`]),
    ...(starts.join() === starts.toSorted().join() ? [] : [`${window.start}: rows are not in order`]),
    ...(finishes.length === counts.events ? [] : [`${window.start}: ${counts.events} events counted`]),
  ];
}

/** Every object is one that a manifest lists, or the state; and a report is what its manifest says. */
async function objectsWrong(
  { stage: { client } }: World,
  prefix: string,
  drops: readonly Drop[],
  excused: ReadonlySet<string>,
): Promise<string[]> {
  const wrong: string[] = [];
  const listed = new Set<string>();
  for (const { manifest } of drops) {
    for (const { key } of manifest.files) listed.add(key);
    const { report } = manifest;
    if (report === undefined) {
      wrong.push(`${manifest.window.start}: no report`);
      continue;
    }
    listed.add(report.key);
    const bytes = await readObject(client, report.key).catch(() => Buffer.alloc(0));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    if (bytes.length !== report.bytes || sha256 !== report.sha256)
      wrong.push(`${report.key} is not what its manifest says`);
  }
  for (const key of await listKeys(client, prefix)) {
    const isState = key.includes('/state/') || key.includes('/manifests/') || key.endsWith('/index.html');
    if (!isState && !listed.has(key)) wrong.push(`${key} is in no manifest`);
    if (key.includes('/state/claims/') && !(excused.has(key) && (await isOpenClaim(client, key))))
      wrong.push(`${key} is left`);
  }
  return wrong;
}

/** One that decides nothing, and that whoever comes next takes over. */
async function isOpenClaim(client: World['stage']['client'], key: string): Promise<boolean> {
  const claim = JSON.parse((await readObject(client, key)).toString('utf8')) as { committed: unknown };
  return claim.committed === null;
}
