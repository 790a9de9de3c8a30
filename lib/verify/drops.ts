import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import { isoDate } from '../core/time.ts';
import { type Window, windowText } from '../core/window.ts';
import type { Place } from '../drop/place.ts';
import { windowOfKey } from '../drop/published.ts';
import { checkFile } from './check-file.ts';
import { type Finding, fault } from './fault.ts';

const File = z.object({
  key: z.string(),
  format: z.string(),
  formatVersion: z.string(),
  compression: z.enum(['gzip', 'zstd', 'none']),
  bytes: z.int(),
  sha256: z.string(),
  rows: z.int(),
  columns: z.array(z.string()),
});

/** What of a manifest can be held against the store. */
const Manifest = z.object({
  manifestVersion: z.literal(2),
  window: z.object({ start: z.string(), end: z.string() }),
  previous: z.optional(z.nullable(z.object({ key: z.string(), sha256: z.string() }))),
  tables: z.record(z.string(), z.object({ files: z.array(File), counts: z.object({ rows: z.int() }) })),
  report: z.optional(z.object({ key: z.string(), bytes: z.int(), sha256: z.string() })),
});

export interface CheckedDrop {
  readonly key: string;
  readonly window: Window;
  /** Of the manifest. */
  readonly sha256: string;
  /** Undefined for a drop that the schedule did not make. */
  readonly previous: { readonly key: string; readonly sha256: string } | null | undefined;
  readonly keys: readonly string[];
}

/**
 * Holds one manifest against its key, and every file against the manifest.
 *
 * @returns undefined for the drop where it is none
 */
export async function checkDrop(
  place: Place,
  key: string,
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
  const files = Object.values(manifest.tables).flatMap((table) => table.files);
  for (const [name, { files: of, counts }] of Object.entries(manifest.tables))
    for (const { key: file, rows } of of)
      if (rows !== counts.rows)
        findings.push(fault(`${key}: says that ${file} has ${rows} of the ${counts.rows} rows of ${name}`));
  const listed = [...files, ...(manifest.report === undefined ? [] : [manifest.report])];
  for (const file of listed) {
    const isOurs =
      file.key.startsWith(`${layout.root}/`) && file.key.includes(`/date=${isoDate(window.start)}/`);
    const wrong = isOurs ? await checkFile(place, file) : 'lies where no file of this drop belongs';
    if (wrong !== undefined) findings.push(fault(`${file.key}: ${wrong}`));
  }
  const sha256 = createHash('sha256').update(stored.text).digest('hex');
  const { previous } = manifest;
  return { drop: { key, window, sha256, previous, keys: listed.map((file) => file.key) }, findings };
}
