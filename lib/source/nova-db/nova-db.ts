import type { DatabaseConnection, ServiceName } from '../../connection/connection.ts';
import { leases } from '../../tables/leases/table.ts';
import { machines } from '../../tables/machines/table.ts';
import { disposables } from '../../core/disposables.ts';
import { memoize } from '../../core/collections/memoize.ts';
import type { Seconds } from '../../core/time.ts';
import { InputError } from '../../core/errors.ts';
import { readBlazarLeases } from '../blazar-db/leases.ts';
import type { LeasesRead } from '../leases/found.ts';
import type { MachinesRead } from '../machines/found.ts';
import type { Seal } from '../seal.ts';
import { readBareMetal } from '../ironic-db/nodes.ts';
import type { PropertyChoice } from '../ironic-db/properties.ts';
import { refuseOtherMachines } from '../machines/other-machines.ts';
import { refuseWithout } from '../lacking-services.ts';
import { readerOf } from '../readers.ts';
import type { History, Source } from '../source.ts';
import { historyOf } from './history.ts';
import type { HostsOptions } from './host-rows.ts';
import { readHosts } from './hosts.ts';
import { earliest, sumOfKnown } from './instance-events.ts';
import { refuseLostCells } from './lost-cells.ts';
import { CELL0, type OpenDatabases } from './open-databases.ts';
import { readExtent } from './bounds.ts';
import { PLANNERS } from './planners.ts';
import { purgedOf } from './purged.ts';
import { READERS } from './readers.ts';
import { reservationsOf } from './reservations.ts';
import { readSchema } from './schema.ts';
import { type CellSession, openCell } from './session.ts';

export interface DatabaseOptions extends HostsOptions {
  /** Cells that the checkpoint may know and the secret need not. */
  readonly retiredCells: ReadonlySet<string>;
  /** Keeps names of machines between runs. */
  readonly seal: Seal | undefined;
  /** Properties of hosts that may be told of what leases ask for. */
  readonly leaseProperties: readonly string[];
  /** Where machines are Ironic's nodes: what is told of them. Undefined where they are Nova's hosts. */
  readonly bareMetal: PropertyChoice | undefined;
}

/**
 * Nova's cell databases as a source, and those of other services that the secret has. Each opening has connections of its
 * own, one a database, each in one consistent snapshot.
 */
export function databaseSource(
  { cells, services }: Pick<DatabaseConnection, 'cells' | 'services'>,
  options: DatabaseOptions,
): Source {
  const { retiredCells, seal, bareMetal } = options;
  return {
    kind: 'database',
    async open(signal) {
      await using opening = disposables();
      const sessions: CellSession[] = [];
      for (const cell of cells) sessions.push(opening.use(await openCell(cell, signal)));
      const opened = opening.move();
      let hosts: Promise<MachinesRead> | undefined;
      const openService = async (name: ServiceName): Promise<CellSession | undefined> =>
        services[name] && (await openCell(services[name], signal));
      const readMachines = async (): Promise<MachinesRead> => {
        if (bareMetal === undefined) {
          await using placement = await openService('placement');
          return await readHosts(sessions, placement, options);
        }
        await using ironic = await openService('ironic');
        await using blazar = await openService('blazar');
        if (ironic === undefined) refuseWithout('ironic', machines.name);
        return await readBareMetal(ironic, sessions, blazar, bareMetal);
      };
      const readLeases = async (since: Seconds): Promise<LeasesRead> => {
        await using blazar = await openService('blazar');
        if (blazar === undefined) refuseWithout('blazar', leases.name);
        return await readBlazarLeases(blazar, options.leaseProperties, since);
      };
      const databases: OpenDatabases = {
        cells,
        retiredCells,
        sessions,
        seal,
        openReservations:
          services.blazar === undefined && services.nova_api === undefined
            ? undefined
            : async () => {
                const novaApi = await openService('nova_api');
                return {
                  of: (cell) => reservationsOf(cell, novaApi),
                  async [Symbol.asyncDispose]() {
                    await novaApi?.[Symbol.asyncDispose]();
                  },
                };
              },
        leases: memoize(readLeases),
        machines: () => (hosts ??= readMachines()),
        refuseLost: (parts) => {
          refuseOtherMachines(parts, bareMetal !== undefined);
          if (bareMetal === undefined) refuseLostCells(parts, cells, retiredCells);
        },
      };
      return {
        read: (table, request) => readerOf(READERS, table, 'Nova’s databases')(databases, request),
        [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
      };
    },
    async statesAt(ranges, tables, signal) {
      const hasCopies = cells.filter(({ cell }) => cell !== CELL0).length > 1;
      const states = ranges.map((): Record<string, Record<string, object>> => ({}));
      for (const cell of cells) {
        await using session = await openCell(cell, signal);
        for (const table of tables) {
          const planned = (await PLANNERS[table]?.(session, ranges, hasCopies)) ?? [];
          for (const [nth, state] of planned.entries())
            ((states[nth] ??= {})[table] ??= {})[cell.cell] = state;
        }
      }
      return states;
    },
    async clock(signal) {
      const [cell] = cells;
      if (cell === undefined) throw new InputError('secret: cells: got none; accepted: one or more');
      await using session = await openCell(cell, signal);
      const [row] = await session.query('SELECT UNIX_TIMESTAMP()');
      return Number(row?.[0]);
    },
    async history(range, signal) {
      const all: History[] = [];
      for (const cell of cells) {
        await using session = await openCell(cell, signal);
        all.push(await historyOf(session, range));
      }
      return {
        from: earliest(all.map(({ from }) => from)),
        events: all.reduce((sum, { events }) => sum + (events ?? 0), 0),
        purged: sumOfKnown(all.map(({ purged }) => purged)),
      };
    },
    async purged(windows, signal) {
      const all: (number | null)[][] = [];
      for (const cell of cells) {
        await using session = await openCell(cell, signal);
        const schema = await readSchema(session);
        all.push(await purgedOf(session, schema, await readExtent(session.query, schema), windows));
      }
      return windows.map((_, nth) => sumOfKnown(all.map((counts) => counts[nth] ?? null)));
    },
  };
}
