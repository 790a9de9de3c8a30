import type { Compression, FormatName } from '../config/choices.ts';
import { folderOf } from '../format/folder.ts';
import { packingOf } from '../format/packing.ts';
import { compactIso, isoDate } from '../core/time.ts';
import { type Window, windowKey } from '../core/window.ts';

/** Keys of everything that a trace consists of, fixed by trace, table, format and window. */
export interface Layout {
  /** Of the trace; all other keys begin so, and a slash. */
  readonly root: string;
  data(window: Window, table: string, format: FormatName, compression: Compression): string;
  manifest(window: Window): string;
  /** The page of a drop. */
  report(window: Window): string;
  /** A drop's files as a data package. It lies above them, for its paths may not point upwards. */
  datapackageOf(window: Window): string;
  /** The page over a cloud's drops. */
  readonly index: string;
  /** What that page was last made of. */
  readonly indexState: string;
  /** What is fixed for the whole trace. */
  readonly trace: string;
  /** Of the schedule, for one window after the other. */
  readonly claim: string;
  /** Of one window of a backfill or release. */
  windowClaim(window: Window): string;
  /** All keys of these begin so. */
  readonly windowClaims: string;
  /** What a complete release is proven by, and all its files as one data package. */
  readonly release: string;
  readonly datapackage: string;
  /** Keys of what was planned for executions of the backfill's state machine begin so, and of one of them. */
  readonly backfills: string;
  backfillStates(execution: string): string;
  /** All keys of manifests begin so. */
  readonly manifests: string;
  readonly checkpoint: string;
  /** Keys at which it is tried what the store can do begin so. */
  readonly probes: string;
}

/** Hive-style partitions, so that Athena and DuckDB prune by cloud and date. */
export function layoutOf({ prefix, cloud }: { prefix: string; cloud: string }): Layout {
  const root = `${prefix === '' ? '' : `${prefix}/`}cloud=${cloud}`;
  return {
    root,
    data(window, table, format, compression) {
      const name = `${table}-${windowKey(window)}.${packingOf(format, compression).extension}`;
      return `${root}/${folderOf(table, format)}/date=${isoDate(window.start)}/${name}`;
    },
    manifest: (window) => `${root}/manifests/date=${isoDate(window.start)}/${windowKey(window)}.json`,
    report: (window) => `${root}/manifests/date=${isoDate(window.start)}/${windowKey(window)}.report.html`,
    datapackageOf: (window) => `${root}/${windowKey(window)}.datapackage.json`,
    index: `${root}/index.html`,
    indexState: `${root}/state/index.json`,
    trace: `${root}/state/trace.json`,
    claim: `${root}/state/claim.json`,
    windowClaim: ({ start }) => `${root}/state/claims/${compactIso(start)}.json`,
    windowClaims: `${root}/state/claims/`,
    release: `${root}/release.json`,
    datapackage: `${root}/datapackage.json`,
    backfills: `${root}/state/backfills/`,
    backfillStates: (execution) => `${root}/state/backfills/${execution}/`,
    manifests: `${root}/manifests/`,
    checkpoint: `${root}/state/checkpoint.json`,
    probes: `${root}/state/probe/`,
  };
}
