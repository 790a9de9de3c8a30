import { inGroups } from '../../core/collections/in-groups.ts';
import { SourceError } from '../../core/errors.ts';
import { reservationOf } from '../../tables/instances/reservation.ts';
import { jsonObject } from '../ironic-db/nodes.ts';
import type { CellSession, Row } from './session.ts';

/** Reservations by the uuid of a server; none for a server that runs in none, or of which nothing tells. */
export type FindReservations = (uuids: readonly string[]) => Promise<ReadonlyMap<string, string>>;

const UUIDS_PER_STATEMENT = 1000;

/**
 * Looks for what Nova keeps beside a server: the name of its flavour, and the hint by which a user chose hosts. Both go by
 * an index over the servers' uuids, and only texts that name a reservation leave the database. Of an archived server
 * neither is left: `shadow_instance_extra` has no such index.
 *
 * @param novaApi the database with `request_specs`; undefined where it may not be read
 */
export async function reservationsOf(
  cell: CellSession,
  novaApi: CellSession | undefined,
): Promise<FindReservations> {
  const hasFlavours = await mayReadFlavours(cell);
  return async (uuids) => {
    const found = new Map<string, string>();
    for (const group of inGroups(uuids, UUIDS_PER_STATEMENT)) {
      const hints = novaApi === undefined ? [] : await readHints(novaApi, group);
      const flavours = hasFlavours ? await readFlavours(cell, group) : [];
      // A flavour goes before a hint.
      for (const [uuid, id] of [...hints, ...flavours]) if (id !== null) found.set(uuid, id);
    }
    return found;
  };
}

export async function mayReadFlavours({ query }: Pick<CellSession, 'query'>): Promise<boolean> {
  const rows = await query(
    "SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'instance_extra' " +
      "AND column_name IN ('instance_uuid', 'flavor')",
  );
  return rows.length === 2;
}

type Found = (readonly [uuid: string, id: string | null])[];

async function readFlavours({ query }: CellSession, uuids: readonly string[]): Promise<Found> {
  const rows = await query(
    'SELECT instance_uuid, flavor FROM instance_extra ' +
      `WHERE instance_uuid IN (?) AND LOCATE('"reservation:', flavor) > 0`,
    [uuids],
  );
  return rows.map(([uuid, flavour]) => [
    String(uuid),
    reservationOf({ flavour: text(field(jsonObject(flavour), 'cur', DATA, 'name')) }),
  ]);
}

/** @throws SourceError where the secret names a database that may not be read so */
export async function readHints(novaApi: CellSession, uuids: readonly string[]): Promise<Found> {
  const rows = await selectSpecs(novaApi, uuids);
  return rows.map(([uuid, spec]) => {
    const hint = field(jsonObject(spec), DATA, 'scheduler_hints', 'reservation');
    return [String(uuid), reservationOf({ hint: text(Array.isArray(hint) ? hint[0] : hint) })];
  });
}

async function selectSpecs({ query }: CellSession, uuids: readonly string[]): Promise<Row[]> {
  try {
    return await query(
      `SELECT instance_uuid, spec FROM request_specs WHERE instance_uuid IN (?) AND LOCATE('"reservation"', spec) > 0`,
      [uuids],
    );
  } catch (error) {
    if (!(error instanceof SourceError) || error.transient) throw error;
    throw new SourceError(
      'nova_api: its table request_specs may not be read, or is missing; grant SELECT (instance_uuid, spec) on ' +
        'request_specs, or leave nova_api out of the secret',
      { transient: false, cause: error.cause },
    );
  }
}

/** Where Nova's objects keep their fields. */
const DATA = 'nova_object.data';

function field(object: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, name) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, name)
        ? (value as Record<string, unknown>)[name]
        : undefined,
    object,
  );
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
