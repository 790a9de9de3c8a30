import {
  BackfillIncompleteError,
  HistoryGoneError,
  InputError,
  StarError,
  SupersededError,
  UnexpectedError,
} from '../../lib/core/errors.ts';
import { HOUR, type Seconds, iso } from '../../lib/core/time.ts';
import type { Random } from '../support/nova/prng.ts';
import { type Planned, execute } from '../support/release.ts';
import type { Stage } from '../support/stage.ts';
import type { Move, Outcome } from './trouble.ts';

export const WINDOW = HOUR;

export const MOVES = ['run', 'backfill', 'release'] as const;
export type MoveKind = (typeof MOVES)[number];

/** A release that was asked for, and its executions so far. */
export interface Release {
  readonly name: string;
  readonly event: { readonly start: string; readonly end: string; readonly release: string };
  readonly executions: Execution[];
}

interface Execution {
  readonly name: string;
  planned?: Planned;
  /** Whether it is under way, or has succeeded: then nobody redrives it. */
  isBusy: boolean;
}

/** What moves depend on. */
export interface Board {
  readonly stage: Stage;
  readonly prefix: string;
  readonly now: Seconds;
  /** Start of the history. */
  readonly start: Seconds;
  /** Of the trace; undefined where nobody has begun it. */
  readonly begin: Seconds | undefined;
  /** Whether a backfill that comes first would set `begin` to where the schedule can reach it. */
  readonly isRecent: boolean;
  /** Up to where windows ended 24 hours ago, by the real clock. */
  readonly edge: Seconds;
  readonly releases: Release[];
}

/** Draws a move of a kind; undefined where there is none. */
export function moveOf(board: Board, kind: MoveKind, random: Random): Move | undefined {
  if (kind === 'run') return () => board.stage.run(board.now);
  if (kind === 'backfill') return backfillOf(board, random);
  const release = pickRelease(board, random);
  return release && releaseMove(board, release, random);
}

/** Asks for windows before `begin`, or before where that would be. */
function backfillOf({ stage, start, begin, edge, isRecent }: Board, random: Random): Move | undefined {
  if (begin === undefined && !isRecent) return undefined;
  const limit = Math.min(begin ?? edge, edge);
  const windows = (limit - start) / WINDOW;
  if (windows < 1) return undefined;
  const first = random.whole(0, windows - 1);
  const length = random.whole(1, 4);
  const end = start + (first + length) * WINDOW;
  const isBeyond = end > limit;
  const event = { start: iso(start + first * WINDOW), end: iso(end), ...(isBeyond ? { cut: true } : {}) };
  return () => stage.backfill(event);
}

const MOST_RELEASES = 3;

function pickRelease({ releases, start, now, edge }: Board, random: Random): Release | undefined {
  if (releases.length > 0 && (releases.length === MOST_RELEASES || random.chance(0.6)))
    return random.pick(releases);
  const windows = Math.floor((Math.min(now, edge) - start) / WINDOW);
  if (windows < 1) return undefined;
  const first = random.whole(0, windows - 1);
  const length = random.whole(1, Math.min(8, windows - first));
  const [from, to] = [first, first + length].map((nth) => iso(start + nth * WINDOW));
  const name = `r${releases.length + 1}`;
  const release: Release = {
    name,
    event: { start: from ?? '', end: to ?? '', release: name },
    executions: [],
  };
  releases.push(release);
  return release;
}

/** Asks for the release again, or redrives one of its executions. */
export function releaseMove({ stage, prefix }: Board, release: Release, random: Random): Move {
  const { name, event, executions } = release;
  const failed = executions.filter(({ isBusy }) => !isBusy);
  const redriven = failed.length > 0 && random.chance(0.5) ? random.pick(failed) : undefined;
  const execution = redriven ?? { name: `${prefix}-${name}-${executions.length + 1}`, isBusy: true };
  execution.isBusy = true;
  if (redriven === undefined) executions.push(execution);
  const { planned } = execution;
  const onPlanned = (now: Planned): void => {
    execution.planned = now;
  };
  return () =>
    execute(stage, execution.name, event, { planned, onPlanned }).catch((error: unknown) => {
      execution.isBusy = false;
      throw error;
    });
}

/**
 * What a move may fail with: what was done to it, and what another made of its plans meanwhile.
 *
 * @throws Error for everything else
 */
export function excuse(outcome: Outcome, { isMet, isPair }: { isMet: boolean; isPair: boolean }): void {
  if (!('error' in outcome)) return;
  const { error } = outcome;
  // Rows were purged, or are gone by a restore, since a release was planned: a new execution plans again.
  if (error instanceof HistoryGoneError) return;
  const isOurs = error instanceof StarError && !(error instanceof UnexpectedError);
  const isOutrun =
    error instanceof BackfillIncompleteError ||
    error instanceof SupersededError ||
    (error instanceof InputError && error.message.includes(' another run has just begun '));
  if (isOurs && ((isPair && isOutrun) || (isMet && !(error instanceof InputError)))) return;
  const cause = error instanceof UnexpectedError ? error.cause : error;
  throw new Error(`a move failed: ${cause instanceof Error ? cause.stack : String(cause)}`, { cause: error });
}
