import { DAY, type Seconds } from '../time.ts';
import type { Window } from '../window.ts';

/** A server as the cloud knows it when it is read; sizes are its present flavour's, also in rows of its past. */
export interface Instance {
  readonly uuid: string;
  readonly hostname: string | null;
  readonly userId: string | null;
  readonly projectId: string | null;
  /** The compute where it is now, or was when it was deleted. */
  readonly host: string | null;
  /** The hypervisor's own name: for bare metal, the machine. */
  readonly node: string | null;
  readonly memoryMb: number | null;
  readonly rootGb: number | null;
  readonly vcpus: number | null;
}

/** One finished instance action event. Events of one instance share the object that describes it. */
export interface TraceEvent {
  readonly instance: Instance;
  readonly event: string | null;
  readonly start: Seconds;
  readonly finish: Seconds;
  readonly result: string | null;
  /** Where the event was recorded: a compute, or a controller; absent before Rocky. */
  readonly host: string | null;
}

/** Some events in any order, and the promise that no later batch holds one that starts before `watermark`. */
export interface Batch {
  readonly events: readonly TraceEvent[];
  readonly watermark: Seconds;
}

/** What a source tells once a window is read from end to end. */
export interface WindowOutcome {
  /** What the source needs to continue cheaply; kept in the checkpoint, its form is the source's own. */
  readonly state: SourceState;
  readonly counts: SourceCounts;
  /** Start of the oldest event that the source still has: what lies before was purged, and is not "nothing". */
  readonly sourceFrom: Seconds | null;
  /** Only of the API, which never shows all. */
  readonly api?: ApiView;
}

/** How much of the cloud the API showed in a window. */
export interface ApiView {
  readonly microversion: string;
  /** Requests sent for the window, to Keystone too. */
  readonly requests: number;
  /** Whether every live server was asked for its actions, or only those that looked changed. */
  readonly swept: boolean;
  /** What could not be seen, by reason. */
  readonly unseen: readonly string[];
}

export type SourceState = Readonly<Record<string, unknown>>;

export interface SourceCounts {
  /** Finished before this window but not visible when its own window was read; published in this one. */
  readonly late: number;
  /**
   * Late as well, but finished before the trace's `begin`, so that no scheduled drop may hold them; not published.
   * Null where nobody can tell (the API).
   */
  readonly beforeBegin: number | null;
  /** Given up because they were open longer than the horizon. */
  readonly abandoned: number;
  /** Not finished at the end of the window. */
  readonly stillOpen: number;
  /** Published earlier and changed by Nova since; the published row stands. */
  readonly rewritten: number;
  /** Rows that are not events of their own, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
}

/** For how long an event may have been open where no checkpoint has to carry it. */
export const ANY_TIME: Seconds = 36_500 * DAY;

export interface ReadRequest {
  readonly window: Window;
  /** What finished earlier is not for this reader: the `begin` of a trace, or the start of a backfill's range. */
  readonly begin: Seconds;
  /** The state that the previous window's outcome gave; undefined for the first window ever. */
  readonly state: SourceState | undefined;
  readonly openHorizonSeconds: Seconds;
  /** How long a row may take from the time it carries until it can be seen. */
  readonly settleSeconds: Seconds;
  /** Fails rather than leave out what a later window would have to bring: here no later window looks for it. */
  readonly whole: boolean;
  /** Aborts the reading, before the invocation's deadline. */
  readonly signal: AbortSignal;
  readonly progress?: Progress;
}

/** Told how much there is to read and how much is read, in the source's own units: rows, or servers. */
export interface Progress {
  /** So much more is known to be there. */
  expect(count: number): void;
  /** So much more is read, and these events were in it. */
  done(count: number, events: number): void;
}

/**
 * A cloud that can be read. Knows nothing of masking, formats or S3. Every source yields the same events for the
 * same cloud and window.
 */
export interface Source {
  readonly kind: 'database' | 'api';
  /** Yields the events that finished in the window (and late ones) and returns what is to be remembered. */
  read(request: ReadRequest): AsyncGenerator<Batch, WindowOutcome, void>;
  /** What time it is there; null where it does not tell. */
  clock(signal: AbortSignal): Promise<Seconds | null>;
  /** What it still has of a range of time, without reading it. */
  history(range: Window, signal: AbortSignal): Promise<History>;
  /**
   * What a schedule would remember at the start of each range, so that reading it need not look back; undefined of
   * a source that has to look back all the same. Costs one look over the whole history, however many ranges.
   */
  statesAt(ranges: readonly Window[], signal: AbortSignal): Promise<readonly (SourceState | undefined)[]>;
}

export interface History {
  /** Nothing that it still has is older; null where it has nothing. */
  readonly from: Seconds | null;
  /** About how many events it has of the range; null where it cannot tell. */
  readonly events: number | null;
}
