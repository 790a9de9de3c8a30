import type { LeasesSource } from '../leases/readers.ts';
import type { MachinesSource } from '../machines/readers.ts';
import type { CellConnection } from '../../connection/connection.ts';
import type { FindReservations } from './reservations.ts';
import type { CellSession } from './session.ts';

/** The cells of one opening, each in its snapshot. */
export interface OpenDatabases extends MachinesSource, LeasesSource {
  readonly cells: readonly CellConnection[];
  /** Cells that the checkpoint may know and the secret need not. */
  readonly retiredCells: ReadonlySet<string>;
  /** Of servers in leases: how to find these; undefined where the secret has no database that tells of leases. */
  readonly openReservations: (() => Promise<OpenReservations>) | undefined;
  /** One for each cell, in their order. */
  readonly sessions: readonly CellSession[];
}

/** Has a connection of its own, to the database of all cells. */
export interface OpenReservations extends AsyncDisposable {
  of(cell: CellSession): Promise<FindReservations>;
}

/** The cell of servers that were never placed. */
export const CELL0 = 'cell0';
