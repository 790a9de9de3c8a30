import { DAY, type Seconds } from '../core/time.ts';
import type { Window } from '../core/window.ts';

/** Some rows in any order, and the promise that no later batch holds one whose order is below `watermark`. */
export interface Batch<Row> {
  readonly rows: readonly Row[];
  readonly watermark: number;
}

/** What a reader tells once a window is read from end to end. */
export interface Outcome {
  /** What the reader needs to continue cheaply; kept in the checkpoint, its form is the reader's own. */
  readonly state: SourceState;
  readonly counts: SourceCounts;
  /** Start of the oldest row that the source still has: what lies before was purged, and is not "nothing". */
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
  /** Of servers: rows whose time of deletion is that of their last change. */
  readonly approximate?: number;
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

/** Of a table in which nothing is late, open or left out. */
export const NO_COUNTS: SourceCounts = {
  late: 0,
  beforeBegin: 0,
  abandoned: 0,
  stillOpen: 0,
  rewritten: 0,
  skipped: {},
};

/** For how long an event may have been open where no checkpoint has to carry it. */
export const ANY_TIME: Seconds = 36_500 * DAY;

export interface ReadRequest {
  readonly window: Window;
  /** What finished earlier is not for this reader: the `begin` of a trace, or the start of a backfill's range. */
  readonly begin: Seconds;
  /** The state that the previous window's outcome gave; undefined for the table's first window. */
  readonly state: SourceState | undefined;
  readonly openHorizonSeconds: Seconds;
  /** How long a row may take from the time it carries until it can be seen. */
  readonly settleSeconds: Seconds;
  /** Fails rather than leave out what a later window would have to bring: here no later window looks for it. */
  readonly whole: boolean;
  readonly progress?: Progress;
}

/** Reads one table. */
export type Reader<Row> = (request: ReadRequest) => AsyncGenerator<Batch<Row>, Outcome, void>;

/** Told how much there is to read and how much is read, in the source's own units: rows, or servers. */
export interface Progress {
  /** So much more is known to be there. */
  expect(count: number): void;
  /** So much more is read, and these rows were in it. */
  done(count: number, rows: number): void;
}

/**
 * A cloud that can be read. Knows nothing of masking, formats or stores. Every source yields the same rows for the
 * same cloud and window.
 */
export interface Source {
  readonly kind: 'database' | 'api';
  /** Opens it for reading: all tables of one opening are read in one snapshot, as far as the source has any. */
  open(signal: AbortSignal): Promise<OpenSource>;
  /** What time it is there; null where it does not tell. */
  clock(signal: AbortSignal): Promise<Seconds | null>;
  /** What it still has of a range of time, without reading it. */
  history(range: Window, signal: AbortSignal): Promise<History>;
  /**
   * By range and table, what the schedule would remember at its start, so that reading it need not look back; empty
   * for a source that has to look back in any case. Costs one look over the whole history, however many ranges.
   */
  statesAt(
    ranges: readonly Window[],
    tables: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly TableStates[]>;
}

/** By name of the table. */
export type TableStates = Readonly<Record<string, SourceState>>;

export interface OpenSource extends AsyncDisposable {
  /**
   * Yields the rows that belong to the window (and late ones) and returns what is to be remembered.
   *
   * @throws InputError for a table that this source cannot read
   */
  read(table: string, request: ReadRequest): AsyncGenerator<Batch<unknown>, Outcome, void>;
}

export interface History {
  /** Nothing that it still has is older; null where it has nothing. */
  readonly from: Seconds | null;
  /** About how many events it has of the range; null where it cannot tell. */
  readonly events: number | null;
}
