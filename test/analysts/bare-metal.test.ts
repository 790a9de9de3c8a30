import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { DAY } from '../../lib/core/time.ts';
import { type MariaDb, useMariaDb } from '../support/mariadb/index.ts';
import { NODES, loadDump } from '../support/nova/baremetal.ts';
import { type Scene, at, startScene } from '../support/nova/scene.ts';
import { sqlTime } from '../support/nova/sql-time.ts';
import { BUCKET } from '../support/stage.ts';
import { blocksOf } from './documentation.ts';

// The database has the clock of the test, which is not this machine's.
vi.mock('../../lib/drop/clocks.ts', () => ({ refuseWrongClock: async () => undefined }));

/* What docs/bare-metal.md tells analysts to ask, asked of the leases of a real Blazar. */

/** The reservation of the dump's lease on bare metal. */
const RESERVATION = 'a43090d2-dfd0-436c-a2f6-7b4589190c38';

let db: MariaDb;
let scene: Scene;
let folder: string;
let ask: (sql: string) => Promise<Record<string, unknown>[]>;
let stop: () => void;

beforeAll(async () => {
  db = await useMariaDb();
  folder = await mkdtemp(join(tmpdir(), 'star-compactor-leases-'));
  scene = await startScene(db, ['cell1'], {
    folder,
    env: {
      STAR_CLOUD: 'demo',
      STAR_MACHINES: 'baremetal',
      STAR_TABLES: 'instance_events,instances,machines,machine_events,leases,lease_events',
      STAR_FORMATS: 'parquet',
      STAR_MASKING: 'sha2-salted',
      STAR_ALLOW_UNSAFE_MASKING: 'false',
      STAR_MASKING_SECRET: 'masks',
      STAR_REPORT: 'true',
    },
  });
  await scene.stage.createSecret('masks', randomBytes(32));
  const [ironic, blazar] = [await loadDump(db, 'ironic'), await loadDump(db, 'blazar')];
  const dsns = { cells: { cell1: scene.cell('cell1').dsn() }, ironic: ironic.dsn(), blazar: blazar.dsn() };
  await scene.stage.setSecret(JSON.stringify({ ...dsns, ssl: 'off' }));
  const server = await scene.server('cell1', {
    node: Object.keys(NODES)[0] ?? '',
    host: 'bm-01',
    availability_zone: `blazar_${RESERVATION}`,
    created_at: sqlTime(at('02 20:56')),
    vm_state: 'active',
  });
  await scene.server('cell1', { created_at: sqlTime(at('02 20:56')), vm_state: 'active' });
  for (const second of ['10', '20'])
    await scene.event('cell1', server, 'compute_x', {
      start: at(`02 20:57:${second}`),
      finish: at(`02 20:58:${second}`),
    });
  await scene.run(at('02 00:45') + DAY);

  const duckdb = await DuckDBInstance.create();
  const connection = await duckdb.connect();
  const top = join(folder, BUCKET);
  await connection.run(`SET file_search_path = '${top}'; SET TimeZone = 'UTC'`);
  ask = async (sql) =>
    (await connection.runAndReadAll(sql.replaceAll("TO '", `TO '${top}/`))).getRowObjectsJson();
  stop = () => {
    connection.closeSync();
    duckdb.closeSync();
  };
});
afterAll(async () => {
  stop?.();
  await scene.stop();
  await db.stop();
  await rm(folder, { recursive: true });
});

test('a lease is joined with its servers, their machines and what happened there', async () => {
  const [joined = ''] = (await blocksOf('docs/bare-metal.md', 'sql')).filter((block) =>
    block.startsWith('SELECT'),
  );
  expect(await ask(joined)).toEqual([
    {
      lease_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      lease_status: 'ACTIVE',
      cpus: '48',
      instance_uuid: expect.stringMatching(/^[0-9a-f]{32}$/),
      state: 'active',
      events: '2',
    },
  ]);
});

test('CHISim’s file has one row for each lease of hosts', async () => {
  const [statement = ''] = (await blocksOf('docs/bare-metal.md', 'sql')).filter((block) =>
    block.startsWith('COPY'),
  );
  await ask(statement);
  const rows = await ask("SELECT * FROM 'leases.csv'");
  expect(Object.keys(rows[0] ?? {})).toEqual([
    'lease_id',
    'project_id',
    'user_id',
    'created_at',
    'deleted_at',
    'start_on',
    'end_on',
    'status',
    'node_cnt',
    'reserve_conditions',
    'reserve_count_range',
    'node_type',
  ]);
  expect(
    rows.map(({ status, node_cnt: nodes, reserve_count_range: range, node_type: type }) => [
      status,
      nodes,
      range,
      type,
    ]),
  ).toEqual([
    ['deleted', null, '1-1', null],
    ['pending', '1', '1-1', null],
    ['active', '1', '1-1', 'compute_haswell_bm'],
    ['error', '1', '1-1', null],
    ['active', '2', '1-2', null],
  ]);
});
