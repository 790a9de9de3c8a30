import * as z from 'zod/mini';
import type { FormatName } from '../config/choices.ts';
import { sha256 } from '../core/bytes.ts';
import { type Window, windowText } from '../core/window.ts';
import type { Place } from '../drop/place.ts';
import { windowOfKey } from '../drop/published.ts';
import { foreignField } from '../drop/foreign.ts';
import type { Trace } from '../drop/trace.ts';
import { checkFile } from './check-file.ts';
import { type Finding, fault } from './fault.ts';
import { type Described, checkDropPackage, describedAs } from './packages.ts';

const Companion = z.object({ key: z.string(), bytes: z.int(), sha256: z.string() });

const File = z.object({
  ...Companion.shape,
  format: z.string(),
  formatVersion: z.string(),
  compression: z.enum(['gzip', 'zstd', 'none']),
  rows: z.int(),
  columns: z.array(z.string()),
});

/** What of a manifest can be held against the store. */
const Manifest = z.object({
  manifestVersion: z.literal(2),
  cloud: z.string(),
  window: z.object({ start: z.string(), end: z.string() }),
  masking: z.object({ scope: z.string() }),
  previous: z.optional(z.nullable(z.object({ key: z.string(), sha256: z.string() }))),
  tables: z.record(
    z.string(),
    z.object({
      source: z.enum(['database', 'api']),
      files: z.array(File),
      counts: z.object({ rows: z.int() }),
    }),
  ),
  datapackage: Companion,
  report: z.optional(Companion),
});

export interface CheckedDrop {
  readonly key: string;
  readonly window: Window;
  /** Of the manifest. */
  readonly sha256: string;
  /** Undefined for a drop that the schedule did not make. */
  readonly previous: { readonly key: string; readonly sha256: string } | null | undefined;
  readonly keys: readonly string[];
  /** The data files, as data packages have to describe them. */
  readonly files: readonly Described[];
  readonly totals: Readonly<Record<string, Total>>;
}

/** Of a table. */
export interface Total {
  readonly rows: number;
  readonly files: number;
  readonly bytes: number;
}

/**
 * Holds one manifest against its key and its trace, every file against the manifest, and the data package against both.
 *
 * @returns undefined for the drop where it is none
 */
export async function checkDrop(
  place: Place,
  key: string,
  trace: Trace,
): Promise<{ readonly drop: CheckedDrop | undefined; readonly findings: readonly Finding[] }> {
  const { store, layout, signal } = place;
  const window = windowOfKey(key);
  if (window === undefined || layout.manifest(window) !== key)
    return { drop: undefined, findings: [fault(`${key}: lies where no manifest of this trace belongs`)] };
  const stored = await store.readText(key, signal);
  const { data: manifest, error } = z.safeParse(Manifest, stored?.json());
  if (stored === undefined || manifest === undefined) {
    const field = error?.issues[0]?.path.join('.') ?? '';
    return { drop: undefined, findings: [fault(`${key}: is no manifest of this version (${field})`)] };
  }
  const findings: Finding[] = [];
  const inside = `${manifest.window.start}/${manifest.window.end}`;
  if (inside !== windowText(window)) findings.push(fault(`${key}: says that its window is ${inside}`));
  const { cloud, datapackage, report, previous } = manifest;
  if (!layout.root.endsWith(`cloud=${cloud}`))
    findings.push(fault(`${key}: says that its cloud is ${cloud}`));
  const foreign = trace.kind === 'release' ? foreignField(manifest, trace) : undefined;
  if (foreign !== undefined) {
    const { field, came, begun } = foreign;
    findings.push(fault(`${key}: ${field}: is ${came}; ${layout.trace} says ${begun}`));
  }
  const described = Object.values(manifest.tables).flatMap(({ files }) => files.map(describedAs));
  const listed: { readonly file: Checkable; readonly belongs: string }[] = [];
  const totals: Record<string, Total> = {};
  for (const [name, { files, counts }] of Object.entries(manifest.tables)) {
    for (const file of files) {
      const { format, compression, rows } = file;
      // Parquet compresses its parts itself, whatever the setting.
      const packed = compression === 'none' ? 'gzip' : compression;
      listed.push({ file, belongs: layout.data(window, name, format as FormatName, packed) });
      if (rows !== counts.rows)
        findings.push(
          fault(`${key}: says that ${file.key} has ${rows} of the ${counts.rows} rows of ${name}`),
        );
    }
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    totals[name] = { rows: counts.rows, files: files.length, bytes };
  }
  listed.push({ file: datapackage, belongs: layout.datapackageOf(window) });
  if (report !== undefined) listed.push({ file: report, belongs: layout.report(window) });
  for (const { file, belongs } of listed) {
    const wrong =
      file.key === belongs ? await checkFile(place, file) : 'lies where no file of this drop belongs';
    if (wrong !== undefined) findings.push(fault(`${file.key}: ${wrong}`));
    else if (file === datapackage) findings.push(...(await checkDropPackage(place, file.key, described)));
  }
  const keys = listed.map(({ file }) => file.key);
  const drop = { key, window, sha256: sha256(stored.text), previous, keys, files: described, totals };
  return { drop, findings };
}

type Checkable = Parameters<typeof checkFile>[1];
