import { SourceError } from '../../core/errors.ts';
import type { Seconds } from '../../core/time.ts';
import type { PropertyChoice } from '../ironic-db/properties.ts';
import type { LeasesSource } from '../leases/readers.ts';
import type { MachinesSource } from '../machines/readers.ts';
import type { Seal } from '../seal.ts';
import type { Nova } from './nova.ts';

export interface ApiOptions {
  /** Most requests at once. */
  readonly concurrency: number;
  /** Called once for each condition that is no error but should be corrected. */
  readonly warn?: (text: string) => void;
  /** Hours between windows that ask every live server; 0: every window does. */
  readonly sweepSeconds: Seconds;
  /** Whether windows are published while a cell does not answer. */
  readonly allowPartial: boolean;
  /** Whether a host that is forced down counts as disabled. */
  readonly forcedDownDisables?: boolean;
  /** Keeps names of machines between runs. */
  readonly seal?: Seal | undefined;
  /** Where machines are Ironic's nodes: what is told of them. Undefined where they are Nova's hosts. */
  readonly bareMetal?: PropertyChoice | undefined;
  /** Properties of hosts that may be told of what leases ask for. */
  readonly leaseProperties?: readonly string[];
  /** How long Nova waits for a cell: 60, unless its source was changed. */
  readonly cellTimeoutSeconds?: Seconds;
}

/** One opening of the API. */
export interface OpenApi extends MachinesSource {
  readonly nova: Nova;
  readonly options: ApiOptions;
  /** What readers of leases need. */
  readonly ofLeases: LeasesSource;
  /** Ends all requests of the opening, so that after a permanent failure no others are repeated. */
  readonly stop: AbortController;
}

/** @throws SourceError always: what a cell would show must not be left out without a word */
export function refuseSilentCell(): never {
  throw new SourceError(
    'Nova: a cell does not answer, and lists lack its servers; ' +
      'read the window when the cell answers again, or without the cell by STAR_ALLOW_PARTIAL=true (--allow-partial on the command line)',
    { transient: true },
  );
}
