import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import type { ManifestFile } from '../../../lib/drop/manifest-file.ts';
import { TOOL, epochOf, filesOf, makeManifest, rowsOf, tableManifest } from '../../../lib/drop/manifest.ts';
import { createMasking } from '../../../lib/transform/masking.ts';
import { readSettings } from '../../../lib/config/settings.ts';
import type { Outcome } from '../../../lib/source/source.ts';
import { instanceEvents } from '../../../lib/tables/instance-events/table.ts';

const SETTINGS = { STAR_BUCKET: 'traces', STAR_CLOUD: 'aurora', STAR_SECRET: 'nova' };
const NOON = Date.UTC(2025, 5, 2, 12) / 1000;
const counts = {
  rows: 1,
  instances: 1,
  late: 0,
  beforeBegin: 0,
  abandoned: 0,
  stillOpen: 2,
  rewritten: 0,
  restored: 0,
  purged: 0,
  skipped: { actionGone: 3 },
};
const files: ManifestFile[] = [
  {
    key: 'a.csv.gz',
    format: 'csv',
    formatVersion: '0.2',
    compression: 'gzip',
    bytes: 5,
    sha256: 'ff',
    rows: 1,
    columns: ['EVENT'],
  },
];
const PACKAGE = { key: 'x.datapackage.json', bytes: 7, sha256: 'ff' };
const outcome: Outcome = { state: {}, counts, sourceFrom: NOON - 60 };
const tableOf = (more: Partial<Outcome> = {}, source: 'database' | 'api' = 'database') =>
  tableManifest(instanceEvents, source, files, counts, { ...outcome, ...more });

function made(
  env: Record<string, string> = {},
  more: Partial<Parameters<typeof makeManifest>[0]> = {},
): ReturnType<typeof makeManifest> {
  using masking = createMasking('sha1-raw', undefined);
  return makeManifest({
    settings: readSettings({ ...SETTINGS, ...env }),
    masking,
    window: { start: NOON, end: NOON + 3600 },
    tables: { instance_events: tableOf() },
    previous: undefined,
    privacy: undefined,
    datapackage: PACKAGE,
    created: '2025-06-02T13:30:00Z',
    run: 'me',
    ...more,
  });
}

describe('A manifest', () => {
  test('names the tool and version of package.json', async () => {
    const text = await readFile(new URL('../../../package.json', import.meta.url), 'utf8');
    expect(JSON.parse(text)).toMatchObject(TOOL);
  });

  test('says everything about a drop, and nothing that was not looked at', () => {
    expect(made()).toEqual({
      manifestVersion: 2,
      tool: TOOL,
      cloud: 'aurora',
      window: { start: '2025-06-02T12:00:00Z', end: '2025-06-02T13:00:00Z' },
      epoch: '2015-09-06T23:31:16Z',
      masking: { method: 'sha1-raw', scope: 'sha1-raw' },
      hostFrom: 'event',
      created: '2025-06-02T13:30:00Z',
      run: 'me',
      tables: {
        instance_events: {
          kind: 'events',
          source: 'database',
          files,
          counts,
          sourceFrom: '2025-06-02T11:59:00Z',
        },
      },
      datapackage: PACKAGE,
    });
  });

  test('has its licence, and where the source goes back to nobody knows where, null', () => {
    const tables = { instance_events: tableOf({ sourceFrom: null }) };
    const manifest = made({ STAR_LICENCE: 'CC-BY-4.0' }, { tables });
    expect(manifest.tables['instance_events']?.sourceFrom).toBeNull();
    expect(manifest.licence).toBe('CC-BY-4.0');
  });

  test.each([null, { key: 'manifests/before.json', sha256: 'ff' }])(
    'of a scheduled drop names the one before it, or that it is the first: %j',
    (previous) => {
      expect(made({}, { previous }).previous).toEqual(previous);
    },
  );

  test('of a backfill names none', () => {
    expect(Object.keys(made())).not.toContain('previous');
  });

  test('tells of the API, and of privacy, where there is anything to tell', () => {
    const api = { microversion: '2.90', requests: 7, swept: true, unseen: [] };
    const privacy = { scan: null } as unknown as NonNullable<ReturnType<typeof made>['privacy']>;
    const manifest = made({}, { tables: { instance_events: tableOf({ api }, 'api') }, privacy });
    expect(manifest).toMatchObject({
      tables: { instance_events: { source: 'api', api } },
      privacy: { scan: null },
    });
  });

  test('of several tables has the files and rows of all', () => {
    const more = { ...tableOf(), files: [], counts: { ...counts, rows: 2 } };
    const tables = { instance_events: tableOf(), other: more };
    expect([filesOf({ tables }), rowsOf({ tables })]).toEqual([files, 3]);
  });

  test('counts from its own beginning, where that is the epoch', () => {
    const window = { start: NOON, end: NOON + 3600 };
    expect(made({ STAR_EPOCH: 'window' }).epoch).toBe('2025-06-02T12:00:00Z');
    expect(epochOf(readSettings({ ...SETTINGS, STAR_EPOCH: 'window' }), window)).toBe(NOON);
    expect(epochOf(readSettings({ ...SETTINGS, STAR_EPOCH: '2025-01-01T00:00:00Z' }), window)).toBe(
      Date.UTC(2025, 0, 1) / 1000,
    );
  });
});
