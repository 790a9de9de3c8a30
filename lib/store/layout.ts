import { FILES, type FormatName } from '../format/format.ts';
import { isoDate } from '../time.ts';
import { type Window, windowKey } from '../window.ts';

/** Keys of everything that a cloud's traces consist of, fixed by the cloud and the window. */
export interface Layout {
  data(window: Window, format: FormatName): string;
  manifest(window: Window): string;
  /** The page of a drop. */
  report(window: Window): string;
  /** The page over a cloud's drops. */
  readonly index: string;
  /** What that page was last made of. */
  readonly indexState: string;
  readonly claim: string;
  /** By which a backfill and the schedule agree on who publishes a window. */
  windowClaim(window: Window): string;
  /** Keys of what was planned for an execution of the backfill's state machine begin so. */
  backfillStates(execution: string): string;
  /** All keys of manifests begin so. */
  readonly manifests: string;
  readonly checkpoint: string;
}

/** Hive-style partitions, so that Athena and DuckDB prune by cloud and date. */
export function layoutOf({ prefix, cloud }: { prefix: string; cloud: string }): Layout {
  const root = `${prefix === '' ? '' : `${prefix}/`}cloud=${cloud}`;
  return {
    data(window, format) {
      const { folder, extension } = FILES[format];
      return `${root}/${folder}/date=${isoDate(window.start)}/instance-events-${windowKey(window)}.${extension}`;
    },
    manifest: (window) => `${root}/manifests/date=${isoDate(window.start)}/${windowKey(window)}.json`,
    report: (window) => `${root}/manifests/date=${isoDate(window.start)}/${windowKey(window)}.report.html`,
    index: `${root}/index.html`,
    indexState: `${root}/state/index.json`,
    claim: `${root}/state/claim.json`,
    windowClaim: (window) => `${root}/state/claims/${windowKey(window)}.json`,
    backfillStates: (execution) => `${root}/state/backfills/${execution}/`,
    manifests: `${root}/manifests/`,
    checkpoint: `${root}/state/checkpoint.json`,
  };
}
