import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { readSettings } from '../../../lib/config/settings.ts';
import { DAY, iso } from '../../../lib/core/time.ts';
import type { ManifestFile } from '../../../lib/drop/manifest-file.ts';
import { type Manifest, makeManifest, tableManifest } from '../../../lib/drop/manifest.ts';
import { loadFormat } from '../../../lib/format/load-format.ts';
import { packingOf } from '../../../lib/format/packing.ts';
import { layoutOf } from '../../../lib/store/layout.ts';
import { instanceEvents } from '../../../lib/tables/instance-events/table.ts';
import { createMasking } from '../../../lib/transform/masking.ts';
import { MANIFEST_SCHEMA, manifestFaults } from '../../support/manifest-schema.ts';

const SHA = 'ab'.repeat(32);
const START = Date.UTC(2025, 5, 2) / 1000;
const WINDOW = { start: START, end: START + DAY };

/** A manifest that has everything that any has. */
async function everything(): Promise<Manifest> {
  const settings = readSettings({
    STAR_BUCKET: 'traces',
    STAR_CLOUD: 'aurora',
    STAR_SECRET: 'nova',
    STAR_FORMATS: 'csv,jsonl,parquet',
    STAR_LICENCE: 'CC-BY-4.0',
  });
  const layout = layoutOf(settings);
  const files = await Promise.all(
    settings.formats.map(async (name): Promise<ManifestFile> => {
      const format = await loadFormat(name, '0.3');
      return {
        key: layout.data(WINDOW, instanceEvents.name, name, 'zstd'),
        format: name,
        formatVersion: format.version,
        compression: packingOf(name, 'zstd').compression,
        bytes: 5,
        sha256: SHA,
        rows: 1,
        columns: format.columns(instanceEvents.columns),
      };
    }),
  );
  const none = {
    late: 0,
    beforeBegin: null,
    abandoned: 0,
    stillOpen: 0,
    rewritten: 0,
    restored: 0,
    purged: null,
  };
  const counts = { rows: 1, instances: 1, ...none, skipped: { cloned: 1 } };
  const api = { microversion: '2.96', requests: 7, swept: true, unseen: ['quietServers'], approximate: 3 };
  using masking = createMasking('sha2-salted', undefined);
  const manifest = makeManifest({
    settings,
    masking,
    window: WINDOW,
    tables: {
      instance_events: tableManifest(
        { ...instanceEvents, cannotShow: ['what is gone'] },
        'api',
        files,
        counts,
        { sourceFrom: START, api, reading: { reads: 1, longestGapSeconds: DAY }, basis: { recorded: 1 } },
      ),
    },
    previous: { key: layout.manifest({ start: START - DAY, end: START }), sha256: SHA },
    privacy: {
      distinct: { users: 1, projects: 1, hosts: 1, instances: 1 },
      classes: {
        by: ['flavour', 'hour', 'event', 'result'],
        count: 1,
        fewerThanUsers: 5,
        rare: 1,
        rareRows: 1,
        rareShare: 1,
      },
      singleOwnerFlavours: { count: 1, rows: 1, of: 1 },
      scan: { values: 1, tokens: 1, found: 0, ambiguous: 0 },
    },
    datapackage: { key: layout.datapackageOf(WINDOW), bytes: 9, sha256: SHA },
    created: iso(WINDOW.end + 60),
    run: randomUUID(),
  });
  return { ...manifest, report: { key: layout.report(WINDOW), bytes: 7, sha256: SHA } };
}

type Path = readonly (string | number)[];

/** Every object of a value, and where it is. */
function objectsOf(value: unknown, path: Path = []): { path: Path; object: Record<string, unknown> }[] {
  if (typeof value !== 'object' || value === null) return [];
  const within = Object.entries(value).flatMap(([name, one]) => objectsOf(one, [...path, name]));
  return Array.isArray(value) ? within : [{ path, object: value as Record<string, unknown> }, ...within];
}

/** A copy with one object of it changed. */
function changed(manifest: Manifest, path: Path, change: (object: Record<string, unknown>) => void): unknown {
  const copy = structuredClone(manifest);
  let at = copy as unknown as Record<string | number, unknown>;
  for (const step of path) at = at[step] as Record<string | number, unknown>;
  change(at);
  return copy;
}

/** What may be missing: see the fields with a question mark in `Manifest` and what it is made of. */
const OPTIONAL = ['previous', 'api', 'licence', 'approximate', 'reading', 'basis', 'cannotShow', 'recorded'];
/** Objects whose names are free. */
const isFree = (path: Path): boolean => ['skipped', 'tables', 'basis'].includes(String(path.at(-1)));

describe('The schema of manifests', () => {
  test('accepts one that has everything, and one that has the least', async () => {
    const full = await everything();
    expect(manifestFaults(full)).toEqual([]);
    const { previous: _, privacy: __, report: ___, ...least } = full;
    expect(manifestFaults(least)).toEqual([]);
    expect(manifestFaults({ ...full, previous: null })).toEqual([]);
    expect(manifestFaults({ ...full, privacy: { ...full.privacy, scan: null } })).toEqual([]);
  });

  test('refuses one with more, wherever it is', async () => {
    const full = await everything();
    const objects = objectsOf(full).filter(({ path }) => !isFree(path));
    expect(objects.length).toBeGreaterThan(15);
    const accepted = objects.filter(
      ({ path }) => manifestFaults(changed(full, path, (object) => (object['more'] = 1))).length === 0,
    );
    expect(accepted.map(({ path }) => path)).toEqual([]);
  });

  test('refuses one with less, unless it may be missing', async () => {
    const full = await everything();
    const missing = objectsOf(full)
      .filter(({ path }) => !isFree(path))
      .flatMap(({ path, object }) => Object.keys(object).map((name) => [...path, name]));
    const accepted = missing.filter((path) => {
      const less = changed(full, path.slice(0, -1), (object) => delete object[String(path.at(-1))]);
      return manifestFaults(less).length === 0;
    });
    expect(accepted.filter((path) => !OPTIONAL.includes(String(path.at(-1))))).toEqual([]);
  });

  test.each<[string, (manifest: Record<string, unknown>) => void]>([
    ['of another version', (manifest) => (manifest['manifestVersion'] = 1)],
    ['without a table', (manifest) => (manifest['tables'] = {})],
    ['with times between seconds', (manifest) => (manifest['created'] = '2025-06-02T00:00:00.5Z')],
    ['with a page and no privacy figures', (manifest) => delete manifest['privacy']],
    ['with privacy figures and no page', (manifest) => delete manifest['report']],
  ])('refuses one %s', async (_, change) => {
    expect(manifestFaults(changed(await everything(), [], change))).not.toEqual([]);
  });

  test('refuses what the API showed in a table from the database', async () => {
    const table = ['tables', 'instance_events'];
    const wrong = changed(await everything(), table, (object) => (object['source'] = 'database'));
    expect(manifestFaults(wrong)).not.toEqual([]);
  });

  test('describes every property, and knows none that no manifest has', async () => {
    const full = JSON.stringify(await everything());
    const schemas = objectsOf(MANIFEST_SCHEMA);
    const properties = schemas
      .filter(({ path }) => path.at(-1) === 'properties' && !path.includes('if') && !path.includes('then'))
      .flatMap(({ object }) => Object.entries(object as Record<string, { description?: string }>));
    expect(properties.length).toBeGreaterThan(60);
    expect(properties.filter(([, { description = '' }]) => description === '').map(([name]) => name)).toEqual(
      [],
    );
    expect(properties.map(([name]) => name).filter((name) => !full.includes(`"${name}":`))).toEqual([]);
  });
});
