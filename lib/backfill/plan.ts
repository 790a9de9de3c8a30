import { type Checkpoint, readCheckpoint } from '../drop/checkpoint.ts';
import type { Invocation } from '../drop/invocation.ts';
import type { Where } from '../drop/where.ts';
import { InputError } from '../errors.ts';
import type { Source } from '../source/source.ts';
import { type Seconds, iso } from '../time.ts';
import { type Window, floorTo, windowKey, windowText, windowsOf } from '../window.ts';
import { type Displaced, displacedSince, manifestsOf, publishedIn } from './published.ts';
import { type Tie, isOf, newReplacement, standOf, tiesOf } from './replacement.ts';
import type { BackfillRequest } from './request.ts';

/** What a backfill would do, window by window. */
export interface BackfillPlan {
  readonly windows: number;
  /** To be made. */
  readonly due: readonly Window[];
  /** Left as they are. */
  readonly published: readonly Window[];
  /** Older than anything that the source still has. */
  readonly beforeHistory: readonly Window[];
  readonly sourceFrom: Seconds | null;
  /** Id of the replacement, which drops bear that are not made again; undefined where nothing is replaced. */
  readonly replacement: string | undefined;
  /** Of a replacement, which windows belong together. */
  readonly ties: readonly Tie[];
  /** Events of the due windows that the source has, about; null where it cannot tell beforehand. */
  readonly events: number | null;
}

/** A backfill beside the schedule of its place. */
export interface BesideSchedule {
  readonly request: BackfillRequest;
  /** Undefined where no schedule has published yet. */
  readonly checkpoint: Checkpoint | undefined;
}

/**
 * The request, up to where the schedule stands: it publishes what follows by itself, and what came late for a window
 * that was made ahead of it could be neither told from what is in there nor held back.
 *
 * @returns that, and how the schedule stood before anything else was looked at: what it had not published then, it
 *   publishes itself
 * @throws InputError where the range reaches further and is not to be cut
 */
export async function besideSchedule(
  { bucket, layout, signal }: Where,
  request: BackfillRequest,
): Promise<BesideSchedule> {
  const { range, cut } = request;
  const checkpoint = (await readCheckpoint(bucket, layout.checkpoint, signal))?.checkpoint;
  const stands = checkpoint?.window.end ?? Infinity;
  if (range.end <= stands) return { request, checkpoint };
  if (cut && range.start < stands)
    return { request: { ...request, range: { start: range.start, end: stands } }, checkpoint };
  throw new InputError(
    `event: ${cut ? 'start' : 'end'}: the schedule stands at ${iso(stands)} and publishes what follows; ` +
      `accepted: up to there${cut ? '' : ', or "cut": true'}`,
  );
}

/**
 * Looks at what is published and at how far back the source goes.
 *
 * @param checkpoint of the schedule beside it
 * @param isPart the range is part of a larger one that was looked at as a whole
 * @throws InputError where the range cannot be published as it is
 */
export async function planBackfill(
  invocation: Invocation,
  request: BackfillRequest,
  checkpoint: Checkpoint | undefined,
  isPart = false,
): Promise<BackfillPlan> {
  const { settings, source, signal } = invocation;
  if (request.replace) refuseOtherSource(source.kind, checkpoint?.source.kind);
  const { range, replace } = request;
  const windows = windowsOf(range, settings.windowSeconds);
  const displaced = replace && !isPart ? await displacedWithin(invocation, range) : [];
  const keys = await publishedIn(invocation, windows);
  const isOut = (window: Window): boolean => keys.has(windowKey(window));
  if (replace && checkpoint === undefined) await refuseSchedules(invocation, windows.filter(isOut));
  const earlier = replace ? await madeBy(invocation, windows.filter(isOut), request.replacement) : NOTHING;
  // What the schedule has displaced since an earlier try, that one may have left out: then all is to be made again.
  const isOvertaken = displaced.some(({ window }) => window.end > earlier.stand);
  const replacement = isOvertaken ? undefined : request.replacement;
  const isNew = isOvertaken ? NOTHING.keys : earlier.keys;
  const isDone = (window: Window): boolean => isOut(window) && (!replace || isNew.has(windowKey(window)));

  const history = await source.history(range, signal);
  const from = history.from ?? Infinity;
  const isGone = ({ end }: Window): boolean => end <= from;
  const due = windows.filter((window) => !isGone(window) && !isDone(window));
  return {
    windows: windows.length,
    due,
    published: windows.filter((window) => isDone(window) || (isGone(window) && isOut(window))),
    beforeHistory: windows.filter((window) => isGone(window) && !isOut(window)),
    sourceFrom: history.from,
    replacement: replace ? (replacement ?? newReplacement()) : undefined,
    ties: tiesOf(displaced.map((one) => tieFrom(one, settings.windowSeconds))),
    events: history.events === null ? null : Math.round((history.events * due.length) / windows.length),
  };
}

/** What the schedule has published is only known by what it remembers, which means nothing to another source. */
function refuseOtherSource(ours: Source['kind'], schedules: Source['kind'] = ours): void {
  if (ours === schedules) return;
  throw new InputError(
    `event: replace: got true with a secret for the source "${ours}", while the schedule has read from "${schedules}"; ` +
      `accepted: a secret for that, or no replace`,
  );
}

/** Without a checkpoint nobody can tell what a schedule is yet to publish. */
async function refuseSchedules(where: Where, windows: readonly Window[]): Promise<void> {
  for await (const [window, { backfill }] of manifestsOf(where, windows)) {
    if (backfill !== undefined) continue;
    throw new InputError(
      `event: replace: window ${windowText(window)} was published by the schedule, whose checkpoint is gone; ` +
        'accepted: a range without it, or its last good version brought back',
    );
  }
}

interface Made {
  readonly keys: ReadonlySet<string>;
  /** The earliest stand of the schedule beside which one of them was made. */
  readonly stand: Seconds;
}

const NOTHING: Made = { keys: new Set(), stand: Infinity };

/** Which of these published windows a replacement has made. */
async function madeBy(
  where: Where,
  windows: readonly Window[],
  replacement: string | undefined,
): Promise<Made> {
  if (replacement === undefined) return NOTHING;
  const keys = new Set<string>();
  let stand = Infinity;
  for await (const [window, manifest] of manifestsOf(where, windows)) {
    if (!isOf(manifest, replacement)) continue;
    keys.add(windowKey(window));
    stand = Math.min(stand, standOf(manifest));
  }
  return { keys, stand };
}

function tieFrom({ window, from, rewritten }: Displaced, windowSeconds: Seconds): Tie {
  return { window: { start: floorTo(from, windowSeconds), end: window.end }, rewritten };
}

/**
 * A drop of the schedule may hold events of windows before it that came late, and lack what has been rewritten into
 * it. Made anew, every event is in its own window: so the drop that holds it and the one that should have to be made
 * anew together.
 *
 * @throws InputError where the range parts them
 */
async function displacedWithin(where: Invocation, range: Window): Promise<readonly Displaced[]> {
  const within: Displaced[] = [];
  let { start, end } = range;
  let parted: Displaced | undefined;
  for await (const displaced of displacedSince(where, range.start)) {
    const { window, from } = displaced;
    const isIn = window.start < range.end;
    if (isIn) within.push(displaced);
    if (isIn ? from >= range.start : from >= range.end) continue;
    parted ??= displaced;
    start = Math.min(start, floorTo(from, where.settings.windowSeconds));
    end = Math.max(end, window.end);
  }
  if (parted === undefined) return within;
  const reach = [
    ...(start < range.start ? [`a start at ${iso(start)} or before`] : []),
    ...(end > range.end ? [`an end at ${iso(end)} or after`] : []),
  ];
  throw new InputError(
    `event: replace: the published window ${windowText(parted.window)} has ${parted.count} events that came late for ` +
      `earlier ones or were rewritten, back to ${iso(parted.from)}; accepted: ${reach.join(', and ')}`,
  );
}
