import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DAY, HOUR, MINUTE, iso } from '../../lib/core/time.ts';
import { floorTo } from '../../lib/core/window.ts';
import { runCommand } from '../support/command.ts';
import { type Drop, readDrops } from '../support/drops.ts';
import { UNMASKED } from '../support/nova/scene.ts';
import { without } from '../support/nova/both-sources.ts';
import { startStage } from '../support/stage.ts';
import { type RealCloud, realCloud } from './cloud.ts';
import { type Explained, explain } from './explain.ts';

/*
 * The commands on a real cloud, against the drops that a backfill makes of the same range. Best while nobody works on
 * the cloud.
 */

const HOURS = Number(process.env['OPENSTACK_TEST_HOURS'] ?? 1);
const WINDOW = 5 * MINUTE;

describe('The commands, on a real cloud', () => {
  let cloud: RealCloud;
  let folder: string;
  let drops: Drop[];
  let range: string[];
  const edge = floorTo(Math.floor(Date.now() / 1000) - MINUTE, WINDOW);
  const start = edge - floorTo(Math.min(HOURS * HOUR, DAY), WINDOW);

  beforeAll(async () => {
    cloud = await realCloud();
    folder = await mkdtemp(join(tmpdir(), 'star-compactor-cloud-'));
    await writeFile(join(folder, 'secret.json'), cloud.secrets.database, { mode: 0o600 });
    range = [
      '--start',
      iso(start),
      '--end',
      iso(edge),
      '--settle-minutes',
      '1',
      '--masking',
      'none',
      '--jsons',
    ];
    const stage = await startStage({
      env: { ...UNMASKED, STAR_WINDOW_MINUTES: String(WINDOW / MINUTE), STAR_SETTLE_MINUTES: '1' },
    });
    try {
      await stage.setSecret(cloud.secrets.database);
      for (let left = 1; left > 0;) {
        const summary = await stage.backfill({ start: iso(start), end: iso(edge) }, 3_600_000);
        left = summary.left.length;
      }
      drops = await readDrops(stage.client);
    } finally {
      await stage.stop();
    }
  });
  afterAll(() => rm(folder, { recursive: true }));

  const dropped = (): string[] =>
    drops.flatMap(({ rows }) => rows['jsonl'] ?? []).map((row) => JSON.stringify(row));
  const dumped = async (path: string): Promise<string[]> =>
    (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');

  test('db-dump gives the rows of the drops', async () => {
    const path = join(folder, 'database.jsonl');
    const { status, stderr } = await runCommand([
      'db-dump',
      '--secret',
      join(folder, 'secret.json'),
      ...range,
      path,
    ]);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    const rows = await dumped(path);
    process.stdout.write(`db-dump: ${rows.length} rows, the drops: ${dropped().length}\n`);
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.toSorted()).toEqual(dropped().toSorted());
  });

  test('api-dump gives them as well, save what no client of the API can see', async () => {
    const path = join(folder, 'api.jsonl');
    const env: Record<string, string> = JSON.parse(cloud.secrets.api);
    const { status, stderr } = await runCommand(['api-dump', ...range, path], { env });
    expect({ status, stderr }).toMatchObject({ status: 0 });
    const rows = await dumped(path);
    const missing: Explained[] = await explain(cloud, without(dropped(), rows));
    process.stdout.write(
      `api-dump: ${rows.length} rows, the drops: ${dropped().length}; missing: ${missing.length}, ` +
        `of these archived: ${missing.filter(({ reason }) => reason === 'archived').length}\n`,
    );
    expect(without(rows, dropped())).toEqual([]);
    expect(missing.filter(({ reason }) => reason === 'unexplained')).toEqual([]);
  });
});
