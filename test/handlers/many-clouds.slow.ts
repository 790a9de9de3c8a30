import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { ScheduleSummary } from '../../lib/schedule/summary.ts';
import { logger } from '../../lib/runtime/telemetry.ts';
import { type Drop, eventsOf, readDrops } from '../support/drops.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/index.ts';
import { upsert } from '../support/nova/rows.ts';
import { type Cell, createCell } from '../support/nova/schema.ts';
import { type Stage, startStage } from '../support/stage.ts';

const CLOUDS = 100;
const EVENTS = 40;

let db: MariaDb;
let cells: Cell[];
let stage: Stage;
let summaries: ScheduleSummary[];
let drops: Drop[];
/** Lines of the log that tell of a summary. */
let lines: { requestId: string; summary: ScheduleSummary }[];

beforeAll(async () => {
  db = await startMariaDb({ args: ['--max-connections=400'] });
  cells = [];
  for (let nth = 0; nth < CLOUDS; nth++) {
    const cell = await createCell(db, `of_${nth}`);
    await fill(cell, nth);
    cells.push(cell);
  }
  stage = await startStage({ env: { STAR_FORMATS: 'jsonl' } });
  const { region, accessKeyId, secretAccessKey } = stage.s3;
  const secrets = new SecretsManagerClient({
    region,
    endpoint: stage.secretsManager.endpoint,
    credentials: { accessKeyId, secretAccessKey },
  });
  for (const [nth, cell] of cells.entries()) {
    const SecretString = `${cell.dsn()}?ssl=off`;
    await secrets.send(new CreateSecretCommand({ Name: `cloud-${nth}`, SecretString }));
  }
  secrets.destroy();

  logger.setLogLevel('INFO');
  const printed = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  // A handler reads its settings before it waits for anything, so each has its own.
  summaries = await Promise.all(
    cells.map((_cell, nth) => {
      stage.env['STAR_CLOUD'] = `cloud-${nth}`;
      stage.env['STAR_SECRET'] = `cloud-${nth}`;
      stage.env['STAR_HOST_FROM'] = nth % 2 === 0 ? 'event' : 'instance';
      return stage.run('2025-06-03T00:45:00Z');
    }),
  );
  const texts = printed.mock.calls.flatMap(([text]) => String(text).split('\n'));
  printed.mockRestore();
  lines = texts.filter((text) => text.includes('"summary"')).map((text) => JSON.parse(text));
  drops = await readDrops(stage.client);
});
afterAll(async () => {
  await stage.stop();
  await db.stop();
});

/** Clouds that differ in their number of events and in the names of these, and agree in everything that is masked. */
async function fill(cell: Cell, nth: number): Promise<void> {
  const times = { created_at: '2025-06-02 08:00:00', start_time: '2025-06-02 08:00:00' };
  const uuid = 'c10d0000-0000-4000-a000-000000000001';
  const owner = { hostname: 'web-1', user_id: 'user', project_id: 'project', host: 'cmp-1' };
  await upsert(cell, 'instances', [{ id: 1, uuid, deleted: 0, ...owner }]);
  await upsert(cell, 'instance_actions', [
    { id: 1, action: 'act', instance_uuid: uuid, deleted: 0, ...times },
  ]);
  const events = Array.from({ length: EVENTS + nth }, (_, at) => ({
    id: at + 1,
    action_id: 1,
    event: `compute_of_${nth}`,
    finish_time: '2025-06-02 08:00:05',
    result: 'Success',
    host: 'cmp-2',
    deleted: 0,
    ...times,
  }));
  await upsert(cell, 'instance_actions_events', events);
}

describe(`${CLOUDS} clouds whose schedules come at once, in one process,`, () => {
  test('get each its own drop, with its own rows', () => {
    expect(summaries.map(({ cloud, rows, status }) => [cloud, rows, status])).toEqual(
      cells.map((_cell, nth) => [`cloud-${nth}`, EVENTS + nth, 'published']),
    );
    const found = new Map(drops.map((drop) => [drop.manifest.cloud, drop]));
    for (const [nth] of cells.entries()) {
      const { manifest, rows } = found.get(`cloud-${nth}`) ?? {};
      expect(new Set(rows?.['jsonl']?.map((row) => row['event']))).toEqual(new Set([`compute_of_${nth}`]));
      expect(rows?.['jsonl']).toHaveLength(EVENTS + nth);
      expect(manifest?.hostFrom).toBe(nth % 2 === 0 ? 'event' : 'instance');
    }
  });

  test('log each under the id of its own invocation', () => {
    expect(new Set(lines.map(({ summary }) => summary.cloud)).size).toBe(CLOUDS);
    expect(new Set(lines.map(({ requestId }) => requestId)).size).toBe(CLOUDS);
  });

  test('share no mask and no scope, though all their names are the same', () => {
    const scopes = drops.map(({ manifest }) => manifest.masking.scope);
    expect(new Set(scopes).size).toBe(CLOUDS);
    for (const field of ['uuid', 'hostname', 'user_id', 'project_id', 'host']) {
      const masks = drops.flatMap(({ rows }) => rows['jsonl']?.[0]?.[field]);
      expect(new Set(masks).size).toBe(CLOUDS);
    }
  });

  test('count each its own in manifest, figures and page', () => {
    for (const { manifest } of drops) {
      const nth = Number(manifest.cloud.split('-')[1]);
      expect(eventsOf(manifest).counts).toMatchObject({ rows: EVENTS + nth, instances: 1 });
      expect(manifest.privacy).toMatchObject({
        distinct: { users: 1, projects: 1, hosts: 1, instances: 1 },
        classes: { count: 1, rareRows: EVENTS + nth },
        scan: { found: 0 },
      });
    }
  });
});
