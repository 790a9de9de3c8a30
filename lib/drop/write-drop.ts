import type { Format } from '../format/format.ts';
import { loadFormat } from '../format/load-format.ts';
import { type Packing, packingOf } from '../format/packing.ts';
import type { Outcome } from '../source/source.ts';
import type { OpenObject } from '../store/store.ts';
import type { AnyTable } from '../tables/table.ts';
import { masksJoin } from '../transform/masking.ts';
import { type Transform, openTransform } from '../transform/transform.ts';
import { iso } from '../core/time.ts';
import type { Window } from '../core/window.ts';
import { dataPackageOf } from './data-package.ts';
import type { Invocation } from './invocation.ts';
import {
  type Manifest,
  type TableManifest,
  aboutFile,
  epochOf,
  makeManifest,
  tableManifest,
} from './manifest.ts';
import type { ManifestFile } from './manifest-file.ts';
import type { Watch } from './watch.ts';
import { openCompanion } from './write-companion.ts';
import { openReport } from './write-report.ts';
import { type OrderedRows, type Output, writeTable } from './write-table.ts';

/** The rows of one window, by table. */
export interface WindowRows extends AsyncDisposable {
  of(table: AnyTable): OrderedRows<unknown>;
}

export interface WrittenDrop {
  readonly manifest: Manifest;
  /** By name of the table. */
  readonly outcomes: Readonly<Record<string, Outcome>>;
}

/**
 * Writes everything of a window except its manifest: the data objects of one table after the other, then the data
 * package, then the report. All formats of a table are written and uploaded in one pass over its rows.
 *
 * @param mayFinish throws if this run has lost its claim; called after the last row, before any object becomes visible
 * @param previous for the manifest
 * @returns undefined if another run changed an object meanwhile; a rerun replaces what is visible then
 * @throws PrivacyError if the drop must not be published. No object is visible then; but where only the report's own
 *   text holds a raw identifier, the data files, which were scanned and hold none, are. The next run replaces them
 */
export async function writeDrop(
  invocation: Invocation,
  window: Window,
  rows: WindowRows,
  mayFinish: () => Promise<void>,
  previous: Manifest['previous'],
): Promise<WrittenDrop | undefined> {
  const { settings, masking, layout, run, tables } = invocation;
  using watch = invocation.openWatch?.(window, tables);
  const describe = await openCompanion(invocation, layout.datapackageOf(window), 'application/json');
  const report = watch && (await openReport(invocation, window, watch));
  const opened: OpenTable[] = [];
  try {
    for (const table of tables) opened.push(await openTable(invocation, window, table, watch));
    const written: TableParts[] = [];
    for (const one of opened) written.push(await fillTable(invocation, one, rows.of(one.table), watch));
    const privacy = watch?.finish();
    await mayFinish();

    const described: Record<string, TableManifest> = {};
    for (const { table, outputs, parts } of written) {
      const files = await finishAll(outputs, table, parts.counts.rows);
      if (files === undefined) return undefined;
      described[table.name] = tableManifest(table, invocation.source.kind, files, parts.counts, {
        ...parts.outcome,
        basis: parts.basis,
      });
    }
    const created = iso(Math.floor(Date.now() / 1000));
    const { cloud, licence } = settings;
    const { root } = layout;
    const files = { cloud, root, window, created, licence, descriptions: tables, tables: described };
    const datapackage = await describe(`${JSON.stringify(dataPackageOf(files), null, 2)}\n`);
    if (datapackage === undefined) return undefined;
    const manifest = makeManifest({
      settings,
      masking,
      window,
      tables: described,
      previous,
      privacy,
      datapackage,
      created,
      run,
    });
    const outcomes = Object.fromEntries(written.map(({ table, parts }) => [table.name, parts.outcome]));
    if (report === undefined) return { manifest, outcomes };
    const page = await report(manifest);
    return page && { manifest: { ...manifest, report: page }, outcomes };
  } finally {
    for (const { transform } of opened) transform[Symbol.dispose]();
    // Has no effect on finished objects.
    await Promise.all(opened.flatMap(({ outputs }) => outputs.map(({ object }) => object.abort())));
  }
}

/** Keys of all objects that {@link writeDrop} writes. */
export function keysToWrite(
  { settings, layout, tables, openWatch }: Pick<Invocation, 'settings' | 'layout' | 'tables' | 'openWatch'>,
  window: Window,
): string[] {
  const data = tables.flatMap(({ name }) =>
    settings.formats.map((format) => layout.data(window, name, format, settings.compression)),
  );
  const pages = openWatch === undefined ? [] : [layout.report(window)];
  return [...data, layout.datapackageOf(window), ...pages];
}

interface DataObject extends Output<unknown> {
  readonly key: string;
  readonly format: Format;
  readonly packing: Packing;
  readonly object: OpenObject;
}

interface OpenTable {
  readonly table: AnyTable;
  readonly transform: Transform<unknown, unknown>;
  readonly outputs: readonly DataObject[];
}

interface TableParts extends OpenTable {
  readonly parts: {
    readonly counts: TableManifest['counts'];
    readonly basis: TableManifest['basis'];
    readonly outcome: Outcome;
  };
}

async function openTable(
  { settings, masking, store, layout, signal }: Invocation,
  window: Window,
  table: AnyTable,
  watch: Watch | undefined,
): Promise<OpenTable> {
  const exactIn = masksJoin(settings) ? undefined : window;
  const transform = openTransform(table, { ...settings, exactIn }, masking.mask, watch?.identifier);
  const checked = { name: table.name, columns: transform.columns };
  const targets = await Promise.all(
    settings.formats.map(async (name) => {
      const format = await loadFormat(name, settings.formatVersion);
      const key = layout.data(window, table.name, name, settings.compression);
      return {
        format,
        packing: packingOf(name, settings.compression),
        key,
        expected: await store.expectedNow(key, signal),
      };
    }),
  );
  const outputs = targets.map(({ format, packing, key, expected }) => ({
    key,
    format,
    packing,
    encoder: format.encoder(checked, epochOf(settings, window), aboutFile(settings, masking.scope, window)),
    object: store.open({ key, contentType: packing.contentType, expected }, packing.compressor(), signal),
  }));
  return { table, transform, outputs };
}

async function fillTable(
  { signal }: Invocation,
  { table, transform, outputs }: OpenTable,
  ordered: OrderedRows<unknown>,
  watch: Watch | undefined,
): Promise<TableParts> {
  const onRows = watch && ((some: readonly unknown[]) => watch.rows(table.name, some));
  const { outcome, rows } = await writeTable(ordered, transform, outputs, signal, onRows);
  const skipped = { ...outcome.counts.skipped, ...transform.skipped };
  const counts = { rows, instances: transform.subjects(), ...outcome.counts, skipped };
  const basis = table.basis && transform.basis;
  return { table, transform, outputs, parts: { counts, basis, outcome } };
}

/** Makes all objects visible, one after the other. Undefined if another run has changed one. */
async function finishAll(
  outputs: readonly DataObject[],
  table: AnyTable,
  rows: number,
): Promise<ManifestFile[] | undefined> {
  const files: ManifestFile[] = [];
  for (const { key, format, packing, object } of outputs) {
    const summary = await object.finish();
    if (summary === undefined) return undefined;
    const { name, version } = format;
    const { compression } = packing;
    const columns = format.columns(table.columns);
    files.push({ key, format: name, formatVersion: version, compression, ...summary, rows, columns });
  }
  return files;
}
