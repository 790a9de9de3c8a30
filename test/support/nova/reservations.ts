import type { Pool } from 'mysql2/promise';
import type { DatabaseUser, MariaDb } from '../mariadb/index.ts';
import type { Cell } from './schema.ts';

/** Where Nova keeps what a server was asked for with: tables of a cell, and of the API's own database. */
export interface Reservations {
  readonly novaApi: { readonly database: string; readonly pool: Pool; dsn(user?: DatabaseUser): string };
  /** A server of that flavour, as Nova 26.2 writes it. */
  flavour(uuid: string, name: string): Promise<void>;
  /** A server that was asked for with that hint, likewise. */
  hint(uuid: string, reservation: string): Promise<void>;
}

const OBJECT = (name: string, version: string, data: object): object => ({
  'nova_object.name': name,
  'nova_object.namespace': 'nova',
  'nova_object.version': version,
  'nova_object.data': data,
});

/** Adds `instance_extra` to a cell, and a database with `request_specs`. */
export async function addReservations(db: MariaDb, cell: Cell): Promise<Reservations> {
  const columns =
    'created_at datetime, id int NOT NULL AUTO_INCREMENT PRIMARY KEY, instance_uuid varchar(36) NOT NULL';
  await cell.query(
    `CREATE TABLE instance_extra (${columns}, flavor text, keypairs text, KEY (instance_uuid))`,
  );
  const database = await db.database('nova_api');
  const pool = db.pool(database);
  await pool.query(
    `CREATE TABLE request_specs (${columns}, spec mediumtext NOT NULL, UNIQUE KEY (instance_uuid))`,
  );
  return {
    novaApi: { database, pool, dsn: (user) => db.dsn(database, user) },
    async flavour(uuid, name) {
      const extraSpecs = { 'aggregate_instance_extra_specs:reservation': name.split(':')[1] ?? '' };
      const cur = OBJECT('Flavor', '1.2', { name, vcpus: 2, memory_mb: 1024, extra_specs: extraSpecs });
      await cell.query('INSERT INTO instance_extra (instance_uuid, flavor, keypairs) VALUES (?, ?, ?)', [
        uuid,
        JSON.stringify({ cur, old: null, new: null }),
        'a key of somebody',
      ]);
    },
    async hint(uuid, reservation) {
      const image = OBJECT('ImageMeta', '1.8', { name: 'image of somebody' });
      const data = { image, scheduler_hints: { reservation: [reservation] }, instance_uuid: uuid };
      await pool.query('INSERT INTO request_specs (instance_uuid, spec) VALUES (?, ?)', [
        uuid,
        JSON.stringify({
          ...OBJECT('RequestSpec', '1.14', data),
          'nova_object.changes': ['scheduler_hints', 'instance_uuid'],
        }),
      ]);
    },
  };
}
