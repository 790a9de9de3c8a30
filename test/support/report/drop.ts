import { hash, randomUUID } from 'node:crypto';
import { type Counts, type Manifest, makeManifest, tableManifest } from '../../../lib/drop/manifest.ts';
import { csv } from '../../../lib/format/csv.ts';
import { packingOf } from '../../../lib/format/packing.ts';
import { jsonLines } from '../../../lib/format/json-lines.ts';
import { type DropStatistics, collectStatistics } from '../../../lib/report/statistics.ts';
import { readSettings } from '../../../lib/config/settings.ts';
import { DAY, MINUTE } from '../../../lib/core/time.ts';
import { layoutOf } from '../../../lib/store/layout.ts';
import { instanceEvents } from '../../../lib/tables/instance-events/table.ts';
import { createMasking } from '../../../lib/transform/masking.ts';
import { openTransform } from '../../../lib/transform/transform.ts';
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
  for (const event of openTransform(instanceEvents, settings, masking.mask).apply(events))
    collector.add(event);
  const statistics = collector.finish();
  const { rows, late, privacy } = statistics;
  const { instances } = privacy.distinct;
  const none = {
    beforeBegin: 0,
    abandoned: 0,
    stillOpen: 0,
    rewritten: 0,
    restored: 0,
    purged: 0,
    skipped: {},
  };
  const layout = layoutOf(settings);
  const files = [csv('0.2'), jsonLines].map((format) => {
    const { name, version } = format;
    const { compression } = packingOf(name, settings.compression);
    const key = layout.data(window, instanceEvents.name, name, settings.compression);
    const bytes = rows * (name === 'csv' ? 46 : 58) + 180;
    const columns = format.columns(instanceEvents.columns);
    const sha256 = hash('sha256', key);
    return { key, format: name, formatVersion: version, compression, bytes, sha256, rows, columns };
  });
  const described = tableManifest(
    instanceEvents,
    'database',
    files,
    { ...none, rows, instances, late, ...counts },
    { sourceFrom: window.start - 400 * DAY },
  );
  const manifest = makeManifest({
    settings,
    masking,
    window,
    descriptions: [instanceEvents],
    tables: { [instanceEvents.name]: described },
    previous: undefined,
    privacy: undefined,
    created: window.end + 45 * MINUTE,
    run: randomUUID(),
  });
  return { manifest, statistics };
}
