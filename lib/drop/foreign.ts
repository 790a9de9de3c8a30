import type { FormatName } from '../config/choices.ts';
import { type Packing, packingOf } from '../format/packing.ts';
import type { Manifest, TableManifest } from './manifest.ts';
import type { ManifestFile } from './manifest-file.ts';
import type { ReleaseTrace } from './trace.ts';

/** What of a manifest is compared with its release. */
interface Compared {
  readonly masking: Pick<Manifest['masking'], 'scope'>;
  readonly tables: Readonly<
    Record<
      string,
      {
        readonly source: TableManifest['source'];
        readonly files: readonly Pick<ManifestFile, 'format' | 'compression'>[];
      }
    >
  >;
}

/**
 * Compares a manifest with what its release was begun with. One that differs was made by a worker with other settings, or
 * copied there.
 *
 * @returns the first field that differs, what came, and what the release was begun with; undefined where all are alike
 */
export function foreignField(
  { masking, tables }: Compared,
  trace: ReleaseTrace,
): { readonly field: string; readonly came: string; readonly begun: string } | undefined {
  const named = trace.formats.map((name) => packed(name, packingOf(name as FormatName, trace.compression)));
  const fields = [
    ['masking.scope', masking.scope, trace.maskingScope],
    ['tables', Object.keys(tables).toSorted().join(), trace.tables.toSorted().join()],
    ...Object.entries(tables).flatMap(([table, { source, files }]) => [
      [`tables.${table}.source`, source, trace.source],
      [`tables.${table}.files`, listed(files.map((file) => packed(file.format, file))), listed(named)],
    ]),
  ];
  const [field = '', came = '', begun = ''] = fields.find(([, is, was]) => is !== was) ?? [];
  return field === '' ? undefined : { field, came, begun };
}

const packed = (format: string, { compression }: Pick<Packing, 'compression'>): string =>
  `${format} ${compression}`;
const listed = (formats: readonly string[]): string => formats.toSorted().join(', ');
