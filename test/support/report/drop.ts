import { hash, randomUUID } from 'node:crypto';
import { type Counts, type Manifest, makeManifest, tableManifest } from '../../../lib/drop/manifest.ts';
import { csv } from '../../../lib/format/csv.ts';
import { packingOf } from '../../../lib/format/packing.ts';
import { jsonLines } from '../../../lib/format/json-lines.ts';
import { type Collected, collect } from '../../../lib/report/collect.ts';
import { readSettings } from '../../../lib/config/settings.ts';
import { DAY, MINUTE, iso } from '../../../lib/core/time.ts';
import { layoutOf } from '../../../lib/store/layout.ts';
import { instanceEvents } from '../../../lib/tables/instance-events/table.ts';
import { instances } from '../../../lib/tables/instances/table.ts';
import { leaseEvents } from '../../../lib/tables/lease-events/table.ts';
import { leases } from '../../../lib/tables/leases/table.ts';
import { machineEvents } from '../../../lib/tables/machine-events/table.ts';
import { machines } from '../../../lib/tables/machines/table.ts';
import type { AnyTable } from '../../../lib/tables/table.ts';
import { createMasking } from '../../../lib/transform/masking.ts';
import { openTransform } from '../../../lib/transform/transform.ts';
import type { Day } from './days.ts';
import type { Estate } from './estate.ts';

export interface ReportedDrop extends Collected {
  readonly manifest: Manifest;
}

const SETTINGS = {
  STAR_BUCKET: 'traces',
  STAR_PREFIX: 'openstack',
  STAR_CLOUD: 'aurora-1',
  STAR_SECRET: 'aurora/nova',
  STAR_FORMATS: 'csv,jsonl',
};

/**
 * What a drop of that day says of itself: masked and counted as in the product, its files made up.
 *
 * @param estate for a drop of more tables; without it, it has the events alone
 */
export function reportedDrop(
  { window, events }: Day,
  counts: Partial<Counts> = {},
  estate?: Estate,
): ReportedDrop {
  const settings = readSettings(SETTINGS);
  using masking = createMasking(settings.masking, undefined);
  const masked: [AnyTable, readonly unknown[]][] = [[instanceEvents as AnyTable, events]];
  if (estate !== undefined) {
    masked.push(
      [instances as AnyTable, estate.servers],
      [machines as AnyTable, estate.machines],
      [machineEvents as AnyTable, estate.changes],
    );
  }
  if (estate?.leases !== undefined) masked.push([leases as AnyTable, estate.leases]);
  if (estate?.leaseEvents !== undefined) masked.push([leaseEvents as AnyTable, estate.leaseEvents]);
  const tables = masked.map(([table]) => table);
  using collector = collect(window, tables);
  const rackPattern = /^r\d+/u;
  for (const [table, rows] of masked) {
    using transform = openTransform(table, { ...settings, rackPattern }, masking.mask);
    collector.rows(table.name, transform.apply(rows));
  }
  const collected = collector.finish();
  const { late, privacy } = collected.statistics;
  const { instances: servers } = privacy.distinct;
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
  const described = masked.map(([table, { length: rows }]) => {
    const files = [csv('0.2'), jsonLines].map((format) => {
      const { name, version } = format;
      const { compression } = packingOf(name, settings.compression);
      const key = layout.data(window, table.name, name, settings.compression);
      const bytes = rows * (name === 'csv' ? 46 : 58) + 180;
      const columns = format.columns(table.columns);
      const sha256 = hash('sha256', key);
      return { key, format: name, formatVersion: version, compression, bytes, sha256, rows, columns };
    });
    const isEvents = table.name === instanceEvents.name;
    const own = isEvents ? { instances: servers, late, ...counts } : { instances: rows, late: 0 };
    const outcome = { sourceFrom: window.start - 400 * DAY };
    return [table.name, tableManifest(table, 'database', files, { ...none, rows, ...own }, outcome)] as const;
  });
  const manifest = makeManifest({
    settings,
    masking,
    window,
    tables: Object.fromEntries(described),
    previous: undefined,
    privacy: undefined,
    datapackage: { key: layout.datapackageOf(window), bytes: 4711, sha256: hash('sha256', 'package') },
    created: iso(window.end + 45 * MINUTE),
    run: randomUUID(),
  });
  return { manifest, ...collected };
}
