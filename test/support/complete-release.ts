import type { Transform } from 'node:stream';
import { completeRelease } from '../../lib/backfill/complete.ts';
import { readSettings } from '../../lib/config/settings.ts';
import { HOUR } from '../../lib/core/time.ts';
import { windowKey, windowsOf } from '../../lib/core/window.ts';
import type { ReleaseTrace } from '../../lib/drop/trace.ts';
import { csv } from '../../lib/format/csv.ts';
import { layoutOf } from '../../lib/store/layout.ts';
import { type Store, parseJson } from '../../lib/store/store.ts';
import { COLUMNS } from '../../lib/tables/instance-events/columns.ts';

/*
 * Completes a release of so many hourly drops in a process of its own. Its store makes every manifest when it is asked
 * for, and counts what is written, so that no heap but that of the product grows.
 */

const [drops = 0] = process.argv.slice(2).map(Number);
const start = Date.UTC(2025, 0, 1) / 1000;
const range = { start, end: start + drops * HOUR };
const settings = readSettings({ STAR_BUCKET: 'traces', STAR_SECRET: 'nova', STAR_CLOUD: 'test' });
const layout = layoutOf(settings);
const windows = windowsOf(range, HOUR);
const trace: ReleaseTrace = {
  kind: 'release',
  range,
  windowSeconds: HOUR,
  tables: ['instance_events'],
  formats: ['csv'],
  compression: 'gzip',
  source: 'database',
  maskingScope: 'scope',
  settings: 'ff',
};
/** As much as the figures, the description and the report of a drop take. */
const figures = Array.from({ length: 400 }, (_, nth) => ({ hour: nth % 24, rows: nth }));

function manifestOf(key: string): string {
  const window = key.slice(-39, -5);
  const file = {
    key: `${layout.root}/instance_events/date=2025-01-01/instance_events-${window}.csv.gz`,
    format: 'csv',
    formatVersion: '0.2',
    compression: 'gzip',
    bytes: 10,
    sha256: 'ab'.repeat(32),
    rows: 1,
    columns: csv('0.2').columns(COLUMNS),
  };
  const table = { source: 'database', files: [file], counts: { rows: 1 }, figures };
  const masking = { method: 'sha2-salted', scope: 'scope' };
  return JSON.stringify({ created: '2026-01-01T00:00:00Z', masking, tables: { instance_events: table } });
}

let bytes = 0;
const store = {
  async *list() {
    for (const window of windows) yield { key: layout.manifest(window), bytes: 1, tag: '', modified: 0 };
  },
  async readText(key: string) {
    const text = manifestOf(key);
    return { text, version: windowKey(range), json: () => parseJson(text) };
  },
  expectedNow: async () => 'absent',
  async writeText(_: string, text: string) {
    bytes += text.length;
    return '1';
  },
  open: (_: object, through: Transform) => {
    through.on('data', (piece: Buffer) => (bytes += piece.length));
    return {
      write: async (piece: string) => void through.write(piece),
      finish: async () => void through.end(),
      abort: async () => void through.destroy(),
    };
  },
} as unknown as Store;

const { signal } = new AbortController();
await completeRelease({ store, layout, signal, settings }, trace);
process.stdout.write(`${bytes}\n`);
