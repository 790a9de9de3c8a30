import type { Masking } from '../mask/masking.ts';
import type { ScanFigures } from '../privacy/leak-scan.ts';
import type { PrivacyFigures } from '../report/privacy.ts';
import type { Settings } from '../settings.ts';
import type { ApiView, Source, WindowOutcome } from '../source/source.ts';
import { iso } from '../time.ts';
import type { ManifestRef } from './checkpoint.ts';
import { type DataPackage, dataPackageOf } from './data-package.ts';
import type { Window } from '../window.ts';

export const TABLE = 'instance_events';

/** What a drop is: written last, it makes a drop exist. What it lists is there, byte for byte. */
export interface Manifest {
  readonly manifestVersion: 1;
  readonly tool: { readonly name: string; readonly version: string };
  readonly cloud: string;
  readonly table: typeof TABLE;
  readonly source: Source['kind'];
  readonly window: { readonly start: string; readonly end: string };
  readonly epoch: string;
  readonly masking: string;
  /** Public id shared by drops whose masks join. */
  readonly maskingScope: string;
  readonly hostFrom: string;
  readonly created: string;
  /** Random id of the invocation that made it. No two manifests are alike, so that one can be told from the next. */
  readonly run: string;
  /** The scheduled drop before this one; null for the first. Drops of a backfill or release have none. */
  readonly previous?: ManifestRef | null;
  readonly files: readonly ManifestFile[];
  readonly counts: Counts;
  /** Start of the oldest event that the source still had; what is older was purged. Null where nobody can tell (the API). */
  readonly sourceFrom: string | null;
  /** Only of a drop that came over the API. */
  readonly api?: ApiView;
  /** How well the people behind it are hidden, and whether a raw identifier was found in it; null: not looked for. */
  readonly privacy?: PrivacyFigures & { readonly scan: ScanFigures | null };
  /** Its page. */
  readonly report?: Pick<ManifestFile, 'key' | 'bytes' | 'sha256'>;
  /** The files as a Frictionless data package. */
  readonly datapackage: DataPackage;
}

export interface ManifestFile {
  readonly key: string;
  readonly format: string;
  readonly formatVersion: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly rows: number;
  readonly columns: readonly string[];
}

export interface Counts {
  /** Rows in each file. */
  readonly events: number;
  /** Distinct instances among them. */
  readonly instances: number;
  readonly late: number;
  readonly beforeBegin: number | null;
  readonly abandoned: number;
  readonly stillOpen: number;
  readonly rewritten: number;
  /** Rows left out, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
}

/** Kept in step with package.json by a test. */
export const TOOL = { name: 'star-compactor', version: '0.1.0' } as const;

export function makeManifest(drop: {
  settings: Settings;
  source: Source['kind'];
  masking: Masking;
  window: Window;
  files: readonly ManifestFile[];
  counts: Counts;
  outcome: WindowOutcome;
  previous: Manifest['previous'];
  privacy: Manifest['privacy'];
  created: number;
  run: string;
}): Manifest {
  const { settings, masking, window, outcome, files } = drop;
  const { cloud, licence } = settings;
  const created = iso(drop.created);
  return {
    manifestVersion: 1,
    tool: TOOL,
    cloud,
    table: TABLE,
    source: drop.source,
    window: { start: iso(window.start), end: iso(window.end) },
    epoch: iso(epochOf(settings, window)),
    masking: masking.method,
    maskingScope: masking.scope,
    hostFrom: settings.hostFrom,
    created,
    run: drop.run,
    ...(drop.previous === undefined ? {} : { previous: drop.previous }),
    files,
    counts: drop.counts,
    sourceFrom: outcome.sourceFrom === null ? null : iso(outcome.sourceFrom),
    ...(outcome.api === undefined ? {} : { api: outcome.api }),
    ...(drop.privacy === undefined ? {} : { privacy: drop.privacy }),
    datapackage: dataPackageOf({ cloud, window, created, licence, files }),
  };
}

export function epochOf(settings: Settings, window: Window): number {
  return settings.epoch === 'window' ? window.start : settings.epoch;
}
