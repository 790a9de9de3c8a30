import type { HostFrom, MaskingMethod } from '../config/choices.ts';
import type { ScanFigures } from '../privacy/leak-scan.ts';
import type { PrivacyFigures } from '../privacy/figures.ts';
import type { ServerFigures } from '../privacy/server-classes.ts';
import type { Settings } from '../config/settings.ts';
import type { ApiView, Outcome, Reading, Source } from '../source/source.ts';
import type { AnyTable } from '../tables/table.ts';
import { iso } from '../core/time.ts';
import type { Masking } from '../transform/masking.ts';
import { type Window, isoWindow, windowText } from '../core/window.ts';
import type { ManifestRef } from './checkpoint.ts';
import type { ManifestFile } from './manifest-file.ts';

/** What a drop is: written last, it makes a drop exist. What it lists is there, byte for byte. */
export interface Manifest {
  readonly manifestVersion: 2;
  readonly tool: { readonly name: string; readonly version: string };
  readonly cloud: string;
  readonly window: { readonly start: string; readonly end: string };
  readonly epoch: string;
  /** The scope is a public id shared by drops whose masks join. */
  readonly masking: { readonly method: MaskingMethod; readonly scope: string };
  readonly hostFrom: HostFrom;
  readonly created: string;
  /** Under which the trace is published, as SPDX names it; absent where none was chosen. */
  readonly licence?: string;
  /** Random id of the invocation that made it. No two manifests are alike, so that one can be told from the next. */
  readonly run: string;
  /** The scheduled drop before this one; null for the first. Drops of a backfill or release have none. */
  readonly previous?: ManifestRef | null;
  readonly tables: Readonly<Record<string, TableManifest>>;
  /** How well people are hidden in it, and whether it holds a raw identifier; the scan is null if it was not made. */
  readonly privacy?: PrivacyFigures & {
    /** Of the servers, where the drop has their table. */
    readonly instances?: ServerFigures;
    readonly scan: ScanFigures | null;
  };
  /** The files as a Frictionless data package. */
  readonly datapackage: Companion;
  /** Its page. */
  readonly report?: Companion;
}

/** An object that belongs to a drop and holds no rows. */
export type Companion = Pick<ManifestFile, 'key' | 'bytes' | 'sha256'>;

export interface TableManifest {
  readonly kind: AnyTable['kind'];
  readonly source: Source['kind'];
  readonly files: readonly ManifestFile[];
  readonly counts: Counts;
  /** Start of the oldest row that the source still had; what is older was purged. Null if unknown (the API). */
  readonly sourceFrom: string | null;
  /** Only of a table that tells what reads differ in. */
  readonly reading?: Reading;
  /** Rows by how their time is known; only of a table that tells it. */
  readonly basis?: Readonly<Record<string, number>>;
  /** What the table does not show, whatever its source. */
  readonly cannotShow?: readonly string[];
  /** Only of a table that came over the API. */
  readonly api?: ApiView;
}

export interface Counts {
  /** In each file. */
  readonly rows: number;
  /** Distinct servers among them. */
  readonly instances: number;
  readonly late: number;
  readonly beforeBegin: number | null;
  readonly abandoned: number;
  readonly stillOpen: number;
  readonly rewritten: number;
  readonly restored: number;
  readonly purged: number | null;
  /** Rows left out, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
}

/** A test compares it with package.json. */
export const TOOL = { name: 'star-compactor', version: '0.1.0' } as const;

export function makeManifest(drop: {
  settings: Settings;
  masking: Masking;
  window: Window;
  tables: Readonly<Record<string, TableManifest>>;
  previous: Manifest['previous'];
  privacy: Manifest['privacy'];
  datapackage: Companion;
  /** As an instant in text. */
  created: string;
  run: string;
}): Manifest {
  const { settings, masking, window } = drop;
  const { cloud, licence } = settings;
  return {
    manifestVersion: 2,
    tool: TOOL,
    cloud,
    window: isoWindow(window),
    epoch: iso(epochOf(settings, window)),
    masking: { method: masking.method, scope: masking.scope },
    hostFrom: settings.hostFrom,
    created: drop.created,
    ...(licence === '' ? {} : { licence }),
    run: drop.run,
    ...(drop.previous === undefined ? {} : { previous: drop.previous }),
    tables: drop.tables,
    ...(drop.privacy === undefined ? {} : { privacy: drop.privacy }),
    datapackage: drop.datapackage,
  };
}

export function tableManifest(
  { kind, cannotShow }: Pick<AnyTable, 'kind' | 'cannotShow'>,
  source: Source['kind'],
  files: readonly ManifestFile[],
  counts: Counts,
  {
    sourceFrom,
    api,
    reading,
    basis,
  }: Pick<Outcome, 'sourceFrom' | 'api' | 'reading'> & { basis?: TableManifest['basis'] },
): TableManifest {
  return {
    kind,
    source,
    files,
    counts,
    sourceFrom: sourceFrom === null ? null : iso(sourceFrom),
    ...(reading === undefined ? {} : { reading }),
    ...(basis === undefined ? {} : { basis }),
    ...(cannotShow === undefined ? {} : { cannotShow }),
    ...(api === undefined ? {} : { api }),
  };
}

export function epochOf(settings: Pick<Settings, 'epoch'>, window: Window): number {
  return settings.epoch === 'window' ? window.start : settings.epoch;
}

/** What a file says of itself, where its format has a place for it: what an analyst needs who has nothing but the file. */
export function aboutFile(
  { cloud, epoch, licence }: Pick<Settings, 'cloud' | 'epoch' | 'licence'>,
  maskingScope: string,
  window: Window,
): Record<string, string> {
  return {
    cloud,
    window: windowText(window),
    epoch: iso(epochOf({ epoch }, window)),
    masking_scope: maskingScope,
    ...(licence === '' ? {} : { licence }),
  };
}

/** All files of a drop, of all its tables. */
export function filesOf({ tables }: Pick<Manifest, 'tables'>): ManifestFile[] {
  return Object.values(tables).flatMap(({ files }) => files);
}

/** What else a drop consists of. */
export function companionsOf({ datapackage, report }: Pick<Manifest, 'datapackage' | 'report'>): Companion[] {
  return [datapackage, ...(report === undefined ? [] : [report])];
}

/** Rows of all tables of a drop. */
export function rowsOf({ tables }: Pick<Manifest, 'tables'>): number {
  return Object.values(tables).reduce((sum, { counts }) => sum + counts.rows, 0);
}
