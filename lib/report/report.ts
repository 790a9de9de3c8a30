import type { Manifest } from '../drop/manifest.ts';
import type { PageLinks } from '../drop/watch.ts';
import type { ScanFigures } from '../privacy/leak-scan.ts';
import type { LeaseStatistics } from './lease-statistics.ts';
import type { MachineStatistics } from './machine-statistics.ts';
import type { ServerStatistics } from './server-statistics.ts';
import type { DropStatistics } from './statistics.ts';

/** What a page is made of. Everything on it is counted from masked rows, or from the manifest. */
export interface Report {
  readonly manifest: Manifest;
  readonly statistics: DropStatistics;
  /** Where the drop has their tables. */
  readonly servers?: ServerStatistics | undefined;
  readonly machines?: MachineStatistics | undefined;
  readonly leases?: LeaseStatistics | undefined;
  /** Where there was one. */
  readonly scan?: ScanFigures | undefined;
  /** Whether times before the window are cut to the day. */
  readonly isCut?: boolean;
  readonly links?: Partial<PageLinks>;
}
