import { hash, randomUUID } from 'node:crypto';
import { type Counts, type Manifest, makeManifest } from '../../../lib/drop/manifest.ts';
import { csv } from '../../../lib/format/csv.ts';
import { FILES } from '../../../lib/format/format.ts';
import { jsonLines } from '../../../lib/format/json-lines.ts';
import { createMasking } from '../../../lib/mask/masking.ts';
import { eventMasker } from '../../../lib/mask/mask-event.ts';
import { type DropStatistics, collectStatistics } from '../../../lib/report/statistics.ts';
import { readSettings } from '../../../lib/settings.ts';
import { DAY, MINUTE, isoDate } from '../../../lib/time.ts';
import { windowKey } from '../../../lib/window.ts';
import type { Day } from './days.ts';

export interface ReportedDrop {
  readonly manifest: Manifest;
  readonly statistics: DropStatistics;
}

const SETTINGS = {
  STAR_BUCKET: 'traces',
  STAR_PREFIX: 'openstack',
  STAR_CLOUD: 'aurora-1',
  STAR_SECRET: 'aurora/nova',
  STAR_FORMATS: 'csv,jsonl',
};

/** What a drop of that day says of itself: masked and counted as in the product, its files made up. */
export function reportedDrop({ window, events }: Day, counts: Partial<Counts> = {}): ReportedDrop {
  const settings = readSettings(SETTINGS);
  using masking = createMasking(settings.masking, undefined);
  const collector = collectStatistics(window);
  for (const event of events.map(eventMasker(masking.mask, settings.hostFrom))) collector.add(event);
  const statistics = collector.finish();
  const { rows, late, privacy } = statistics;
  const { instances } = privacy.distinct;
  const none = { beforeBegin: 0, abandoned: 0, stillOpen: 0, rewritten: 0, skipped: {} };
  const manifest = makeManifest({
    settings,
    source: 'database',
    masking,
    window,
    files: [csv('0.2'), jsonLines].map(({ name, version, columns }) => {
      const { folder, extension } = FILES[name];
      const key = `openstack/cloud=aurora-1/${folder}/date=${isoDate(window.start)}/instance-events-${windowKey(window)}.${extension}`;
      const bytes = rows * (name === 'csv' ? 46 : 58) + 180;
      return { key, format: name, formatVersion: version, bytes, sha256: hash('sha256', key), rows, columns };
    }),
    counts: { ...none, events: rows, instances, late, ...counts },
    outcome: {
      state: {},
      counts: { ...none, late },
      sourceFrom: window.start - 400 * DAY,
    },
    previous: undefined,
    privacy: undefined,
    created: window.end + 45 * MINUTE,
    run: randomUUID(),
  });
  return { manifest, statistics };
}
