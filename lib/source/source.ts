import { DAY, type Seconds } from '../core/time.ts';
import type { Window } from '../core/window.ts';

/** Some rows in any order, and the promise that no later batch holds one whose order or time is below `watermark`. */
export interface Batch<Row> {
  readonly rows: readonly Row[];
  readonly watermark: number;
  /** Where the reader knows it before its rows, because it has read everything before it gives the first. */
  readonly outcome?: Outcome;
}

/** What a reader tells once a window is read from end to end. */
export interface Outcome {
  /** State that lets the reader continue cheaply. The checkpoint keeps it; only the reader knows its form. */
  readonly state: SourceState;
  readonly counts: SourceCounts;
  /**
   * Start of the oldest row that the source still has: earlier rows were purged, which does not mean that there were
   * none.
   */
  readonly sourceFrom: Seconds | null;
  /** Only for the API, which never shows everything. */
  readonly api?: ApiView;
  /** Only of a table that tells what reads differ in. */
  readonly reading?: Reading;
}

/** How often a table was read that tells what two reads differ in. */
export interface Reading {
  readonly reads: number;
  /** Between two reads; null where there was none before. */
  readonly longestGapSeconds: Seconds | null;
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
   * Late as well, but finished before the trace's `begin`, so that no scheduled drop may hold them; not published. Null
   * if the source cannot know (the API).
   */
  readonly beforeBegin: number | null;
  /** Abandoned because they were open for longer than the horizon. */
  readonly abandoned: number;
  /** Not finished at the end of the window. */
  readonly stillOpen: number;
  /** Published earlier and changed by Nova since; the published row stays as it is. */
  readonly rewritten: number;
  /** Found under ids that other rows had before: the database was restored, or has given ids again. */
  readonly restored: number;
  /** About how many rows of the window were purged before it was read; null where that cannot be told. */
  readonly purged: number | null;
  /** Rows that were left out, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
}

/** Of a table in which nothing is late, open or left out. */
export const NO_COUNTS: SourceCounts = {
  late: 0,
  beforeBegin: 0,
  abandoned: 0,
  stillOpen: 0,
  rewritten: 0,
  restored: 0,
  purged: null,
  skipped: {},
};

/** How long an event may be open if no checkpoint has to carry it. */
export const ANY_TIME: Seconds = 36_500 * DAY;

export interface ReadRequest {
  readonly window: Window;
  /** Events that finished earlier are not read: the `begin` of a trace, or the start of a backfill's range. */
  readonly begin: Seconds;
  /** The state that the previous window's outcome gave; undefined for the table's first window. */
  readonly state: SourceState | undefined;
  /** The same of the other tables, by name: for a snapshot that follows from another table's events. */
  readonly others?: TableStates;
  /** Whether a first window tells what existed at its start; it does unless told otherwise. */
  readonly opens?: boolean;
  readonly openHorizonSeconds: Seconds;
  /** The longest time between the time of a row and the moment when it becomes visible. */
  readonly settleSeconds: Seconds;
  /** Fails instead of leaving out rows for a later window, because no later window looks for them here. */
  readonly whole: boolean;
  /** Whether there is time for what a later window can also ask; there is unless told otherwise. */
  readonly hasTime?: () => boolean;
  /** Of past windows that share one read: start of the first. */
  readonly passFrom?: Seconds;
  readonly progress?: Progress;
}

/** Reads one table. */
export type Reader<Row> = (request: ReadRequest) => AsyncGenerator<Batch<Row>, Outcome, void>;

/** Receives how much there is to read and how much has been read, in units of the source: rows, or servers. */
export interface Progress {
  /** That many more are known to exist. */
  expect(count: number): void;
  /** That many more have been read, and gave that many rows. */
  done(count: number, rows: number): void;
}

/**
 * A cloud that can be read. Knows nothing of masking, formats or stores. Every source yields the same rows for the
 * same cloud and window.
 */
export interface Source {
  readonly kind: 'database' | 'api';
  /** Opens it for reading. All tables are read in one snapshot, if the source has snapshots. */
  open(signal: AbortSignal): Promise<OpenSource>;
  /** The source's time; null if it does not tell. */
  clock(signal: AbortSignal): Promise<Seconds | null>;
  /** How much of a range of time the source still has, without reading it. */
  history(range: Window, signal: AbortSignal): Promise<History>;
  /** About how many events of each window were purged; null where it cannot tell. */
  purged(windows: readonly Window[], signal: AbortSignal): Promise<readonly (number | null)[]>;
  /**
   * By range and table, the state that a schedule would have at its start, so that reading the range need not look
   * back; empty for a source that always looks back. Costs one scan of the whole history for any number of ranges.
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
   * Yields the rows that belong to the window, and late ones, and returns the outcome with the next state.
   *
   * @throws InputError for a table that this source cannot read
   */
  read(table: string, request: ReadRequest): AsyncGenerator<Batch<unknown>, Outcome, void>;
}

export interface History {
  /** Start of the oldest row that it still has; null if it has none. */
  readonly from: Seconds | null;
  /** Estimated number of events in the range; null if unknown. */
  readonly events: number | null;
  /** About how many of the range's were purged; null where it cannot tell. */
  readonly purged: number | null;
}
