import { type Checkpoint, readCheckpoint } from '../drop/checkpoint.ts';
import type { Invocation } from '../drop/invocation.ts';
import type { Where } from '../drop/where.ts';
import { InputError } from '../errors.ts';
import { nextSecond } from '../pause.ts';
import { type Seconds, iso } from '../time.ts';
import { type Window, floorTo, windowKey, windowText, windowsOf } from '../window.ts';
import { type Displaced, displacedSince, madeSince, publishedIn } from './published.ts';
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
  /** Events that will lie in a later drop of the range than now. */
  readonly rewritten: number;
  /** Drops that are made from then on are this backfill's, and not made again; undefined where nothing is replaced. */
  readonly replaceBefore: Seconds | undefined;
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
 * @param isPart the range is part of a larger one that was looked at as a whole
 * @throws InputError where the range cannot be published as it is
 */
export async function planBackfill(
  invocation: Invocation,
  request: BackfillRequest,
  isPart = false,
): Promise<BackfillPlan> {
  const { settings, source, signal } = invocation;
  const { range, replace, dryRun } = request;
  const windows = windowsOf(range, settings.windowSeconds);
  const displaced = replace && !isPart ? await displacedWithin(invocation, range) : [];
  // What the schedule has displaced since an earlier try, that one may have left out: then all is to be made again.
  const isOvertaken = displaced.some(({ created }) => created >= (request.replaceBefore ?? Infinity));
  const earlier = replace && !isOvertaken ? request.replaceBefore : undefined;
  // Manifests tell the second, so what was made in this one could not be told from what is made now.
  const replaceBefore = replace && !dryRun ? (earlier ?? (await nextSecond(signal))) : undefined;
  const keys = await publishedIn(invocation, windows);
  const isOut = (window: Window): boolean => keys.has(windowKey(window));
  const isNew =
    earlier === undefined ? new Set<string>() : await madeSince(invocation, windows.filter(isOut), earlier);
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
    rewritten: displaced.reduce((total, { rewritten }) => total + rewritten, 0),
    replaceBefore,
    events: history.events === null ? null : Math.round((history.events * due.length) / windows.length),
  };
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
