import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HOUR, MINUTE, type Seconds } from '../../lib/core/time.ts';
import { type Drop, eventsOf } from '../support/drops.ts';
import { readDrops } from '../support/drops.ts';
import { UNMASKED } from '../support/nova/scene.ts';
import { without } from '../support/nova/both-sources.ts';
import { type Stage, startStage } from '../support/stage.ts';
import { type RealCloud, realCloud } from './cloud.ts';
import { type Explained, explain } from './explain.ts';

/*
 * Both sources over the same windows of the last hours of a real cloud, each by the scheduled handler, with a
 * checkpoint that goes from window to window. Best while nobody works on the cloud: what changes between the two
 * readings differs.
 */

const HOURS = Number(process.env['OPENSTACK_TEST_HOURS'] ?? 1);
const WINDOW = Number(process.env['OPENSTACK_TEST_WINDOW_MINUTES'] ?? 5) * MINUTE;
const SETTLE = MINUTE;

describe('On a real cloud', () => {
  let cloud: RealCloud;
  let drops: { api: Drop[]; database: Drop[] };

  beforeAll(async () => {
    cloud = await realCloud();
    const now = Math.floor(Date.now() / 1000);
    drops = {
      database: await dropsOf(cloud.secrets.database, now),
      api: await dropsOf(cloud.secrets.api, now),
    };
  });

  test('the API source gives the records of the database source, save what no client of the API can see', async () => {
    const missing: Explained[] = [];
    const additional: string[] = [];
    const lines = [
      'window                database      api  missing  additional  requests  stillOpen db/api',
    ];
    for (const [at, database] of drops.database.entries()) {
      const api = drops.api[at];
      if (api === undefined) throw new Error('the sources have not dropped the same windows');
      expect(api.manifest.window).toEqual(database.manifest.window);
      const [ofDatabase, ofApi] = [records(database), records(api)];
      const onlyInDatabase = without(ofDatabase, ofApi);
      missing.push(...(await explain(cloud, onlyInDatabase)));
      additional.push(...without(ofApi, ofDatabase));
      lines.push(
        [
          database.manifest.window.start.slice(0, 16).padEnd(20),
          String(ofDatabase.length).padStart(9),
          String(ofApi.length).padStart(8),
          String(onlyInDatabase.length).padStart(8),
          String(without(ofApi, ofDatabase).length).padStart(11),
          String(eventsOf(api.manifest).api?.requests).padStart(9),
          `${eventsOf(database.manifest).counts.stillOpen}/${eventsOf(api.manifest).counts.stillOpen}`.padStart(
            17,
          ),
        ].join(' '),
      );
    }
    lines.push(`${drops.database.length} windows; missing over the API: ${tally(missing)}`);
    process.stdout.write(`${lines.join('\n')}\n`);
    expect(missing.filter(({ reason }) => reason === 'unexplained')).toEqual([]);
    expect(additional).toEqual([]);
  });

  test('events that leave no trace in their server are in the drops of the API as well', async () => {
    const quiet = await cloud.query(
      `SELECT i.uuid, e.event, e.finish_time FROM instances i JOIN instance_actions a ON a.instance_uuid = i.uuid
         JOIN instance_actions_events e ON e.action_id = a.id WHERE e.finish_time > i.updated_at + INTERVAL 1 SECOND`,
    );
    const [first = '', last = ''] = [
      drops.api[0]?.manifest.window.start,
      drops.api.at(-1)?.manifest.window.end,
    ];
    const key = (row: Record<string, unknown>): string =>
      [row['uuid'], row['event'], String(row['finish_time']).replace(' ', 'T').replace(/Z?$/, 'Z')]
        .map(String)
        .join(' ');
    const published = new Set(drops.api.flatMap((drop) => (drop.rows['jsonl'] ?? []).map(key)));
    const inWindows = quiet.filter((row) => {
      const finish = key(row).split(' ').at(-1) ?? '';
      return finish >= first && finish < last;
    });
    const names = inWindows.map((row) => ({ reason: String(row['event']) }));
    process.stdout.write(`later than the last change of their server: ${tally(names)}\n`);
    expect(inWindows.map(key).filter((one) => !published.has(one))).toEqual([]);
  });

  const stages: Stage[] = [];
  afterAll(async () => {
    for (const stage of stages) await stage.stop();
  });

  /** All windows up to now: the first one by a run of its own, then the rest by one that catches up. */
  async function dropsOf(secret: string, now: Seconds): Promise<Drop[]> {
    const stage = await startStage({
      env: {
        ...UNMASKED,
        STAR_WINDOW_MINUTES: String(WINDOW / MINUTE),
        STAR_SETTLE_MINUTES: String(SETTLE / MINUTE),
      },
    });
    stages.push(stage);
    await stage.setSecret(secret);
    await stage.run(now - HOURS * HOUR, 3_600_000);
    const summary = await stage.run(now, 3_600_000);
    expect(summary.status).toBe('published');
    return readDrops(stage.client);
  }
});

function records(drop: Drop): string[] {
  return (drop.rows['jsonl'] ?? []).map((row) => JSON.stringify(row));
}

function tally(items: readonly { reason: string }[]): string {
  const counts = new Map<string, number>();
  for (const { reason } of items) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, count]) => `${count} ${reason}`).join(', ') || 'none';
}
