import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { BackfillSummary } from '../../../lib/backfill/summary.ts';
import { HOUR } from '../../../lib/time.ts';
import type { RequestHook } from '../aws/faults.ts';
import { listKeys } from '../drops.ts';
import { type MariaDb, startMariaDb } from '../mariadb/index.ts';
import { type LocalOpenStack, startOpenStack } from '../openstack/index.ts';
import type { RequestRecord } from '../s3/server.ts';
import { type Execution, execute } from '../state-machine/run.ts';
import { type Scene, at, startScene } from './scene.ts';
import { sqlTime } from './sql-time.ts';

/** Some days of June, in which a schedule runs now and then and its drops are replaced. */
export interface June {
  readonly scene: Scene;
  /** What S3 does before it looks at a request; until the end of a test. */
  onS3Request: RequestHook<RequestRecord> | undefined;
  /** Has the tests of a block read over the API instead of from the databases. */
  useSource(source: string): void;
  /** From now on the secret opens the API. */
  toApi(): Promise<void>;
  /** The schedule's run of that time. */
  run(time: string): Promise<void>;
  /** Replaces days of June, by a direct backfill. */
  replace(first: number, last: number, more?: object): Promise<BackfillSummary>;
  /** Replaces them by an execution of the state machine. */
  executed(
    first: number,
    last: number,
    beforeWindows?: () => Promise<void>,
    more?: object,
  ): Promise<Execution>;
  /** `DAY NAME` of every event of every drop. */
  published(): Promise<string[]>;
  /** Windows of which a claim is there. */
  claims(): Promise<string[]>;
  /** A server with an event that finished on the second, and one that is open at the end of that day. */
  withOpenEvent(): Promise<{ uuid: string; open: number }>;
  /** Two events of one name in one action: Nova finishes the first of them, twice. */
  buildTwice(firstFinish: string, secondStart: string): Promise<number>;
  /** As Nova does it: an action has changed when one of its events finishes. The servers change all the time. */
  touchActions(): Promise<void>;
}

/** A MariaDB for all tests of a file, and two cells for each, with their API. */
export function useJune(): June {
  let db: MariaDb;
  let scene: Scene;
  let openstack: LocalOpenStack;
  let now = 0;

  beforeAll(async () => {
    db = await startMariaDb();
  });
  afterAll(() => db.stop());
  beforeEach(async () => {
    june.onS3Request = undefined;
    scene = await startScene(db, ['cell1', 'cell0'], {
      onS3Request: (request) => june.onS3Request?.(request),
    });
    openstack = await startOpenStack({ cells: [scene.cell('cell1'), scene.cell('cell0')], now: () => now });
  });
  afterEach(async () => {
    await openstack.stop();
    await scene.stop();
  });

  const june: June = {
    get scene() {
      return scene;
    },
    onS3Request: undefined,
    useSource(source) {
      beforeEach(async () => {
        if (source === 'API') await june.toApi();
      });
    },
    toApi: () => scene.stage.setSecret(openstack.secret()),
    async touchActions() {
      await scene.cell('cell1').query(
        `UPDATE instance_actions a SET updated_at =
       (SELECT MAX(COALESCE(e.finish_time, e.start_time)) FROM instance_actions_events e WHERE e.action_id = a.id);
     UPDATE instances SET updated_at = '${sqlTime(now - HOUR)}'`,
      );
    },
    async run(time) {
      now = at(time);
      await june.touchActions();
      await scene.run(now);
    },
    async replace(first, last, more = {}) {
      await june.touchActions();
      return scene.stage.backfill({ ...daysOf(first, last), replace: true, ...more });
    },
    async executed(first, last, beforeWindows = () => Promise.resolve(), more = {}) {
      scene.stage.env['STAR_BACKFILL_SECRETS'] = 'star-compactor-test/backfill';
      return execute(
        {
          plan: (event) => scene.stage.step('plan', event),
          async windows(event) {
            await beforeWindows();
            return scene.stage.step('windows', event);
          },
          end: (event) => scene.stage.step('end', event),
        },
        { ...daysOf(first, last), replace: true, ...more },
      );
    },
    published: async () =>
      Object.entries(await scene.published()).flatMap(([start, names]) =>
        names.map((name) => `${start.slice(8, 10)} ${name}`),
      ),
    claims: async () => (await listKeys(scene.stage.client)).filter((key) => key.includes('/state/claims/')),
    async withOpenEvent() {
      const uuid = await scene.server('cell1');
      await scene.event('cell1', uuid, 'compute_done', { start: at('02 01:00'), finish: at('02 01:10') });
      const open = await scene.event('cell1', uuid, 'compute_open', { start: at('02 22:00') });
      return { uuid, open };
    },
    async buildTwice(firstFinish, secondStart) {
      const uuid = await scene.server('cell1');
      const first = await scene.event('cell1', uuid, 'compute_build', {
        start: at('02 23:00'),
        finish: at(firstFinish),
      });
      await scene.event('cell1', uuid, 'compute_build', { start: at(secondStart), actionId: first });
      return first;
    },
  };
  return june;
}

/** The range of a backfill, from a day of June to another. */
export function daysOf(first: number, last: number): { start: string; end: string } {
  return { start: `2025-06-0${first}`, end: `2025-06-0${last + 1}` };
}
