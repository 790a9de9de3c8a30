import type { Seconds } from '../../../lib/core/time.ts';
import type { ServiceDatabase } from '../nova/baremetal.ts';
import type { Cell } from '../nova/schema.ts';
import type { Accounts } from './accounts.ts';
import type { Tokens } from './tokens.ts';

/** What the services of one fake share. */
export interface Cloud {
  readonly cells: readonly Cell[];
  /** Databases of the other services; without one the catalogue does not name it. */
  readonly ironic: ServiceDatabase | undefined;
  readonly blazar: ServiceDatabase | undefined;
  /** The minor number of Ironic's highest microversion. */
  readonly maxIronicMinor: number;
  /** Off for a Blazar that has no list of properties, as before Yoga. */
  readonly blazarHasProperties: boolean;
  readonly accounts: Accounts;
  readonly tokens: Tokens;
  readonly region: string;
  readonly keystoneV2: boolean;
  readonly keystoneV3: boolean;
  /** Whether the catalogue's compute URL ends with the project's id, as it had to before Newton. */
  readonly projectInUrl: boolean;
  /** `[api] max_limit` */
  readonly maxLimit: number;
  /** The minor number of the highest microversion: 93. */
  readonly maxMinor: number;
  readonly cellTimeoutMs: number;
  readonly failingCellsAreSkipped: boolean;
  readonly silentCells: ReadonlySet<string>;
  readonly failingCells: ReadonlySet<string>;
  readonly deletedFlavors: ReadonlySet<string>;
  /** Of servers whose flavour has another name than its sizes give it, by their uuids. */
  readonly flavorNames: ReadonlyMap<string, string>;
  /** In which cell a server was found last: Nova's instance mappings, which are in another database there. */
  readonly mappings: Map<string, Cell>;
  now(): Seconds;
}
