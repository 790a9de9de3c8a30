import { isIP } from 'node:net';
import { afterAll, beforeAll } from 'vitest';
import { type RequestHook, type Fault } from '../support/aws/faults.ts';
import { type DatabaseUser, type MariaDb, startMariaDb } from '../support/mariadb/index.ts';
import { type Cell, createCell } from '../support/nova/schema.ts';
import { type LocalOpenStack, startOpenStack } from '../support/openstack/index.ts';
import type { RequestRecord } from '../support/s3/server.ts';
import { type Stage, startStage } from '../support/stage.ts';
import { type Proxy, startProxy } from './proxy.ts';

/** A cloud of two cells and the function, which reaches every part of the world through a proxy. */
export interface World {
  readonly cells: Cell[];
  readonly stage: Stage;
  readonly proxies: { readonly source: Proxy; readonly s3: Proxy };
  /** What S3 does before it looks at a request. */
  onS3Request: ((request: Readonly<RequestRecord>) => void | Fault) | undefined;
  /** The time that the cloud takes for the present, Unix seconds. */
  now: number;
  /** Where the databases are; a test that restarts them sets the new address. */
  server: MariaDb;
  /** Waits until the databases can be reached; for a test that restarts them. */
  ready: () => Promise<void>;
  /** Empties the cells. */
  clear(): Promise<void>;
  stop(): Promise<void>;
}

/** A world over a MariaDB of its own for all tests of a file. */
export function useWorld(source: 'database' | 'api'): { readonly world: World; readonly db: MariaDb } {
  let db: MariaDb;
  let world: World;
  beforeAll(async () => {
    db = await startMariaDb();
    world = await startWorld(db, source);
  });
  afterAll(async () => {
    await world.stop();
    await db.stop();
  });
  return {
    get world() {
      return world;
    },
    get db() {
      return db;
    },
  };
}

const TABLES = ['instance_actions_events', 'instance_actions', 'instances'];

export async function startWorld(db: MariaDb, source: 'database' | 'api'): Promise<World> {
  const cells = [await createCell(db, 'cell1'), await createCell(db, 'cell0')];
  const onRequest: RequestHook<RequestRecord> = (request) => world.onS3Request?.(request);
  const stage = await startStage({ onS3Request: onRequest });
  const s3 = await startProxy(() => addressOf(stage.s3.endpoint));
  stage.env['AWS_ENDPOINT_URL_S3'] = `http://127.0.0.1:${s3.port}`;

  let openstack: LocalOpenStack | undefined;
  let proxy: Proxy;
  const readers: DatabaseUser[] = [];
  if (source === 'api') {
    const served = await startOpenStack({
      cells,
      now: () => world.now,
      // A trace is begun only where the clocks agree.
      date: () => Date.now() / 1000,
      maxLimit: 20,
    });
    openstack = served;
    proxy = await startProxy(() => addressOf(served.authUrl));
    await stage.setSecret(
      served.secret().replaceAll(new URL(served.authUrl).host, `127.0.0.1:${proxy.port}`),
    );
  } else {
    proxy = await startProxy(() => world.server);
    for (const cell of cells) readers.push(await cell.reader());
    const dsns = cells.map((cell, nth) => [
      cell.name,
      cell.dsn(readers[nth]).replace(`:${db.port}/`, `:${proxy.port}/`),
    ]);
    await stage.setSecret(JSON.stringify({ cells: Object.fromEntries(dsns), ssl: 'off' }));
  }
  const world: World = {
    cells,
    stage,
    proxies: { source: proxy, s3 },
    onS3Request: undefined,
    now: 0,
    server: db,
    ready: () => Promise.resolve(),
    async clear() {
      for (const cell of world.cells) {
        const names = TABLES.flatMap((table) => [table, `shadow_${table}`]);
        await cell.query(names.map((name) => `DELETE FROM ${name}`).join(';'));
      }
    },
    async stop() {
      await proxy.stop();
      await s3.stop();
      await openstack?.stop();
      await stage.stop();
      for (const { database } of world.cells) await world.server.query(`DROP DATABASE \`${database}\``);
    },
  };
  return world;
}

function addressOf(endpoint: string): { host: string; port: number } {
  const { hostname, port } = new URL(endpoint);
  if (isIP(hostname) === 0) throw new Error(`Not an address: ${hostname}`);
  return { host: hostname, port: Number(port) };
}
