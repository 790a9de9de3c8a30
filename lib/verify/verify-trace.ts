import { inGroups } from '../core/collections/in-groups.ts';
import { StoreError, firstLine } from '../core/errors.ts';
import { type Seconds, compactIso } from '../core/time.ts';
import { type Checkpoint, readCheckpoint } from '../drop/checkpoint.ts';
import type { Place } from '../drop/place.ts';
import { windowOfKey } from '../drop/published.ts';
import { type Trace, readTrace } from '../drop/trace.ts';
import { findClaims } from './claims.ts';
import { type CheckedDrop, checkDrop } from './drops.ts';
import { type Finding, fault, note } from './fault.ts';
import { checkRelease } from './release.ts';
import { checkClaims, checkContinuation, checkDecisions } from './states.ts';
import { checkSchedule } from './windows.ts';

export interface VerifyOptions {
  readonly now: Seconds;
  /** Only windows that end later. */
  readonly since: Seconds;
  /** Told how many manifests are done, of how many. */
  readonly progress: (done: number, all: number) => void;
}

/** Drops that are checked at once. */
const AT_ONCE = 4;

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

  const claims = await findClaims(place, now);
  const { atWork, decided } = claims;
  yield* claims.findings;
  const state = await readState(place);
  if ('text' in state) {
    yield state;
    return;
  }
  const { trace, checkpoint } = state;
  yield* checkClaims(place, claims, trace);
  const keys: string[] = [];
  for await (const { key } of store.list(layout.manifests, '', signal))
    if (key.endsWith('.json')) keys.push(key);

  const drops: CheckedDrop[] = [];
  const isAsked = (key: string): boolean => (windowOfKey(key)?.end ?? Infinity) > since;
  const asked = keys.filter(isAsked);
  progress(0, asked.length);
  let done = 0;
  for (const group of inGroups(asked, AT_ONCE)) {
    const checked = await Promise.all(group.map((key) => checkDrop(place, key, trace)));
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
        `${key}: is missing; ${claim.key} decided it, and ${
          claim.key === layout.claim ? 'the next run' : 'asking for the backfill or release again'
        } writes it`,
      );
  yield* checkDecisions(place, claims, trace, drops);

  if (trace.kind === 'release') yield* checkRelease(place, trace, drops, since);
  else {
    yield* checkSchedule(drops, trace.begin, checkpoint, since);
    const scheduled = drops.filter(({ window }) => window.start >= trace.begin);
    yield* await checkContinuation(place, checkpoint, scheduled);
  }

  const listed = new Set(drops.flatMap((drop) => drop.keys));
  for (const key of found)
    if (
      !listed.has(key) &&
      !atWork.has(key) &&
      (since === -Infinity || (drops.length > 0 && isWithin(key, drops)))
    )
      yield fault(`${key}: is in no manifest`);
}

/** Everything but what the trace keeps for itself, and manifests. */
function isData(key: string, { layout }: Place): boolean {
  if (key.startsWith(`${layout.root}/state/`)) return false;
  if (key.startsWith(layout.manifests) && key.endsWith('.json')) return false;
  return ![layout.index, layout.datapackage, layout.release].includes(key);
}

/** Whether a key tells by its date that it is of a drop that was looked at, or tells no date. */
function isWithin(key: string, drops: readonly CheckedDrop[]): boolean {
  const [, date] = /\/date=([\d-]+)\//.exec(key) ?? [];
  const [, start = date?.replaceAll('-', '')] = /\/(\d{8})T\d{6}Z-[^/]*$/.exec(key) ?? [];
  return start === undefined || drops.some(({ window }) => compactIso(window.start).startsWith(start));
}

async function readState(
  place: Place,
): Promise<{ readonly trace: Trace; readonly checkpoint: Checkpoint | undefined } | Finding> {
  try {
    const trace = await readTrace(place);
    if (trace === undefined) return fault(`${place.layout.trace}: is missing; nobody has begun this trace`);
    return { trace, checkpoint: (await readCheckpoint(place))?.checkpoint };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return fault(firstLine(error));
  }
}
