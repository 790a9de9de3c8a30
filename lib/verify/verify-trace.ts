import * as z from 'zod/mini';
import { inGroups } from '../core/collections/in-groups.ts';
import { StoreError, firstLine } from '../core/errors.ts';
import type { Seconds } from '../core/time.ts';
import { type Checkpoint, readCheckpoint } from '../drop/checkpoint.ts';
import type { Place } from '../drop/place.ts';
import { windowOfKey } from '../drop/published.ts';
import { type Trace, readTrace } from '../drop/trace.ts';
import { findClaims } from './claims.ts';
import { type CheckedDrop, checkDrop } from './drops.ts';
import { type Finding, fault, note } from './fault.ts';
import { checkRange, checkSchedule } from './windows.ts';

export interface VerifyOptions {
  readonly now: Seconds;
  /** Only windows that end later. */
  readonly since: Seconds;
  /** Told how many manifests are done, of how many. */
  readonly progress: (done: number, all: number) => void;
}

/** Drops that are checked at once. */
const AT_ONCE = 4;

const Release = z.object({ manifests: z.array(z.object({ key: z.string(), sha256: z.string() })) });

/**
 * Proves that a trace is whole, or tells what is wrong. Changes nothing. A run may be at work meanwhile: so what it
 * writes is looked for in the opposite order, data first.
 */
export async function* verifyTrace(
  place: Place,
  { now, since, progress }: VerifyOptions,
): AsyncGenerator<Finding, void, void> {
  const { store, layout, signal } = place;
  const found = new Set<string>();
  for await (const { key } of store.list(`${layout.root}/`, '', signal))
    if (isData(key, place)) found.add(key);

  const { atWork, decided, findings } = await findClaims(place, now);
  yield* findings;
  const state = await readState(place);
  if ('text' in state) {
    yield state;
    return;
  }
  const { trace, checkpoint } = state;
  const keys: string[] = [];
  for await (const { key } of store.list(layout.manifests, '', signal))
    if (key.endsWith('.json')) keys.push(key);

  const drops: CheckedDrop[] = [];
  const isAsked = (key: string): boolean => (windowOfKey(key)?.end ?? Infinity) > since;
  const asked = keys.filter(isAsked);
  progress(0, asked.length);
  let done = 0;
  for (const group of inGroups(asked, AT_ONCE)) {
    const checked = await Promise.all(group.map((key) => checkDrop(place, key)));
    for (const { drop, findings: wrong } of checked) {
      yield* wrong;
      if (drop !== undefined) drops.push(drop);
    }
    progress((done += group.length), asked.length);
  }
  drops.sort((a, b) => a.window.start - b.window.start);
  const there = new Set(keys);
  for (const [key, claim] of decided)
    if (!there.has(key) && isAsked(key))
      yield (claim.isOld ? fault : note)(
        `${key}: is missing; ${claim.key} decided it, and the next run writes it`,
      );

  if (trace?.kind === 'scheduled') yield* checkSchedule(drops, trace.begin, checkpoint, since);
  if (trace?.kind === 'release') yield* checkRelease(place, trace, drops, since);

  const listed = new Set(drops.flatMap((drop) => drop.keys));
  const dates = (key: string): boolean => drops.length > 0 && isWithin(key, drops);
  for (const key of found)
    if (!listed.has(key) && !atWork.has(key) && (since === -Infinity || dates(key)))
      yield fault(`${key}: is in no manifest`);
}

/** Everything but what the trace keeps for itself, and manifests. */
function isData(key: string, { layout }: Place): boolean {
  if (key.startsWith(`${layout.root}/state/`)) return false;
  if (key.startsWith(layout.manifests) && key.endsWith('.json')) return false;
  return ![layout.index, layout.datapackage, layout.release].includes(key);
}

/** Whether a key lies under a date of a drop that was looked at. */
function isWithin(key: string, drops: readonly CheckedDrop[]): boolean {
  const [, date] = /\/date=([\d-]+)\//.exec(key) ?? [];
  return date === undefined || drops.some((drop) => drop.key.includes(`/date=${date}/`));
}

async function readState(
  place: Place,
): Promise<{ readonly trace: Trace | undefined; readonly checkpoint: Checkpoint | undefined } | Finding> {
  try {
    const trace = await readTrace(place);
    if (trace === undefined) return fault(`${place.layout.trace}: is missing; nobody has begun this trace`);
    return { trace, checkpoint: (await readCheckpoint(place))?.checkpoint };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return fault(firstLine(error));
  }
}

async function* checkRelease(
  { store, layout, signal }: Place,
  { range }: Extract<Trace, { kind: 'release' }>,
  drops: readonly CheckedDrop[],
  since: Seconds,
): AsyncGenerator<Finding, void, void> {
  const stored = await store.readText(layout.release, signal);
  if (stored === undefined) yield note(`${layout.release}: is not there; the release is not complete`);
  const asked = { start: Math.max(range.start, since), end: range.end };
  yield* checkRange(drops, asked, stored !== undefined);
  if (stored === undefined) return;
  const { data } = z.safeParse(Release, stored.json());
  if (data === undefined) {
    yield fault(`${layout.release}: is no list of manifests`);
    return;
  }
  const byKey = new Map(drops.map((drop) => [drop.key, drop.sha256]));
  for (const { key, sha256 } of data.manifests) {
    const is = byKey.get(key);
    byKey.delete(key);
    if ((windowOfKey(key)?.end ?? Infinity) <= since) continue;
    if (is === undefined) yield fault(`${key}: is missing; ${layout.release} lists it`);
    else if (is !== sha256)
      yield fault(`${key}: is not the manifest that ${layout.release} lists by its SHA-256`);
  }
  for (const key of byKey.keys()) yield fault(`${key}: is not in ${layout.release}`);
}
