import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { HOUR, iso } from '../../lib/time.ts';
import { InputError, SourceError } from '../../lib/errors.ts';
import { nextSecond } from '../../lib/pause.ts';
import { listKeys } from '../support/drops.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/index.ts';
import { type Scene, at, startScene } from '../support/nova/scene.ts';
import { sqlTime } from '../support/nova/sql-time.ts';
import { type LocalOpenStack, startOpenStack } from '../support/openstack/index.ts';
import { type Execution, execute } from '../support/state-machine/run.ts';

let db: MariaDb;
let scene: Scene;
let openstack: LocalOpenStack;
let now = 0;
const { signal } = new AbortController();

beforeAll(async () => {
  db = await startMariaDb();
});
afterAll(() => db.stop());
beforeEach(async () => {
  scene = await startScene(db, ['cell1', 'cell0']);
  openstack = await startOpenStack({ cells: [scene.cell('cell1'), scene.cell('cell0')], now: () => now });
});
afterEach(async () => {
  await openstack.stop();
  await scene.stop();
});

/** Has the tests of a block read over the API instead of from the databases. */
function useSource(source: string): void {
  beforeEach(async () => {
    if (source === 'API') await scene.stage.setSecret(openstack.secret());
  });
}

/** As Nova does it: an action has changed when one of its events finishes. The servers change all the time. */
async function touchActions(): Promise<void> {
  await scene.cell('cell1').query(
    `UPDATE instance_actions a SET updated_at =
       (SELECT MAX(COALESCE(e.finish_time, e.start_time)) FROM instance_actions_events e WHERE e.action_id = a.id);
     UPDATE instances SET updated_at = '${sqlTime(now - HOUR)}'`,
  );
}

const run = async (time: string): Promise<void> => {
  now = at(time);
  await touchActions();
  await scene.run(now);
};
/** Of some days of June, by a direct backfill. */
const replace = async (first: number, last: number): Promise<void> => {
  await touchActions();
  await scene.stage.backfill({ start: `2025-06-0${first}`, end: `2025-06-0${last + 1}`, replace: true });
};

/** `DAY NAME` of every event of every drop. */
const published = async (): Promise<string[]> =>
  Object.entries(await scene.published()).flatMap(([start, names]) =>
    names.map((name) => `${start.slice(8, 10)} ${name}`),
  );

/** A server with an event that finished on the second, and one that is open at the end of that day. */
async function withOpenEvent(): Promise<{ uuid: string; open: number }> {
  const uuid = await scene.server('cell1');
  await scene.event('cell1', uuid, 'compute_done', { start: at('02 01:00'), finish: at('02 01:10') });
  const open = await scene.event('cell1', uuid, 'compute_open', { start: at('02 22:00') });
  return { uuid, open };
}

/** Two events of one name in one action: Nova finishes the first of them, twice. */
async function buildTwice(firstFinish: string, secondStart: string): Promise<number> {
  const uuid = await scene.server('cell1');
  const first = await scene.event('cell1', uuid, 'compute_build', {
    start: at('02 23:00'),
    finish: at(firstFinish),
  });
  await scene.event('cell1', uuid, 'compute_build', { start: at(secondStart), actionId: first });
  return first;
}

/** Replaces days of June by an execution of the state machine. */
async function executed(
  first: number,
  last: number,
  beforeWindows: () => Promise<void> = () => Promise.resolve(),
  more: object = {},
): Promise<Execution> {
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
    { start: `2025-06-0${first}`, end: `2025-06-0${last + 1}`, replace: true, ...more },
  );
}

describe.each(['databases', 'API'])('A replacement beside a schedule over the %s', (source) => {
  useSource(source);

  test('leaves a finish that was committed after the last run to the next', async () => {
    const { open } = await withOpenEvent();
    await run('03 00:45');
    await scene.finish('cell1', open, at('02 23:00'));
    await replace(2, 2);
    expect(await published()).toEqual(['02 compute_done']);
    const [drop] = await scene.drops();
    expect(drop?.manifest.counts.skipped).toEqual({ awaited: 1 });
    await run('04 00:45');
    expect(await published()).toEqual(['02 compute_done', '03 compute_open']);
  });

  test('leaves an event that was inserted after the last run, and began before, to the next', async () => {
    const { uuid } = await withOpenEvent();
    await run('03 00:45');
    await scene.event('cell1', uuid, 'compute_slow', { start: at('02 23:50'), finish: at('02 23:55') });
    await replace(2, 2);
    expect(await published()).toEqual(['02 compute_done']);
    await run('04 00:45');
    expect(await published()).toEqual(['02 compute_done', '03 compute_slow']);
  });

  test('is refused where only one of two drops is made anew between which an event came late, however far', async () => {
    const { open } = await withOpenEvent();
    await run('03 00:45');
    await run('04 00:45');
    await scene.finish('cell1', open, at('02 23:00'));
    await run('05 00:45');
    expect(await published()).toEqual(['02 compute_done', '04 compute_open']);
    const limits =
      'the published window 2025-06-04T00:00:00Z/2025-06-05T00:00:00Z has 1 events that came late for earlier ones ' +
      'or were rewritten, back to 2025-06-02T23:00:00Z; accepted: an ' +
      'end at 2025-06-05T00:00:00Z or after';
    await expect(replace(3, 4)).rejects.toThrow('a start at 2025-06-02T00:00:00Z or before');
    await expect(replace(2, 2)).rejects.toThrow(InputError);
    await expect(replace(2, 3)).rejects.toThrow(limits);
    await replace(2, 4);
    expect(await published()).toEqual(['02 compute_done', '02 compute_open']);
    await replace(3, 4);
    await replace(2, 2);
    await run('06 00:45');
    expect(await published()).toEqual(['02 compute_done', '02 compute_open']);
  });
});

describe.each(['databases', 'API'])(
  'A replacement of what Nova has finished again, over the %s,',
  (source) => {
    useSource(source);

    test('puts it where it was, by its first finish', async () => {
      const first = await buildTwice('02 23:40', '02 23:50');
      await run('03 00:45');
      await scene.finish('cell1', first, at('03 02:00'));
      await replace(2, 2);
      expect(await published()).toEqual(['02 compute_build']);
      const [drop] = await scene.drops();
      expect(drop?.rows['jsonl']?.[0]).toMatchObject({ finish_time: '2025-06-02T23:40:00Z' });
      await run('04 00:45');
      expect(await published()).toEqual(['02 compute_build']);
      const [, next] = await scene.drops();
      expect(next?.manifest).toMatchObject({
        displacedFrom: '2025-06-02T23:40:00Z',
        counts: { rewritten: 1 },
      });
      await expect(replace(2, 2)).rejects.toThrow('an end at 2025-06-04T00:00:00Z or after');
      await replace(2, 3);
      expect(await published()).toEqual(['03 compute_build']);
    });

    test('is refused until the next run has noted it, where nobody knew of the second event', async () => {
      const first = await buildTwice('02 23:05', '03 00:10');
      await run('03 00:45');
      expect(await published()).toEqual(['02 compute_build']);
      await scene.finish('cell1', first, at('03 02:00'));
      await expect(replace(2, 2)).rejects.toThrow(SourceError);
      await expect(replace(2, 2)).rejects.toThrow('has been finished again since 2025-06-03T00:00:00Z');
      expect(await published()).toEqual(['02 compute_build']);
      await run('04 00:45');
      const [, next] = await scene.drops();
      expect(next?.manifest.displacedFrom).toBe('2025-06-02T23:00:00Z');
      await replace(2, 3);
      expect(await published()).toEqual(['03 compute_build']);
    });
  },
);

describe.each(['databases', 'API'])('A replacement over the %s', (source) => {
  useSource(source);

  test('neither loses nor doubles what was finished again in a window before the last, and shown after that', async () => {
    const first = await buildTwice('02 23:40', '02 23:50');
    await run('03 00:45');
    await run('04 00:45');
    await scene.finish('cell1', first, at('03 12:00'));
    await replace(2, 2);
    expect(await published()).toEqual(['02 compute_build']);
    await run('05 00:45');
    await expect(replace(3, 3)).rejects.toThrow('a start at 2025-06-02T00:00:00Z or before');
    await replace(2, 4);
    expect(await published()).toEqual(['03 compute_build']);
  });

  test('leaves an event where it was, though the last run saw it finished again behind its window', async () => {
    const first = await buildTwice('02 23:40', '02 23:50');
    await run('03 00:45');
    await scene.finish('cell1', first, at('04 00:10'));
    await run('04 00:45');
    await replace(2, 3);
    expect(await published()).toEqual(['02 compute_build']);
    await run('05 00:45');
    await expect(replace(2, 3)).rejects.toThrow('an end at 2025-06-05T00:00:00Z or after');
    await replace(2, 4);
    expect(await published()).toEqual(['04 compute_build']);
  });

  test('does not lose what was finished again where that and its namesake were shown late', async () => {
    const uuid = await scene.server('cell1');
    const times = { start: at('02 23:00'), finish: at('02 23:05') };
    const first = await scene.event('cell1', uuid, 'compute_build', times);
    await run('03 00:45');
    await run('04 00:45');
    await scene.event('cell1', uuid, 'compute_build', { start: at('03 23:40'), actionId: first });
    await scene.finish('cell1', first, at('03 23:50'));
    await run('05 00:45');
    await expect(replace(2, 2)).rejects.toThrow(InputError);
    expect(await published()).toEqual(['02 compute_build']);
  });

  test.each(['directly', 'in steps'])(
    'that is continued %s after the schedule has published what it left makes everything again',
    async (way) => {
      const { open } = await withOpenEvent();
      await run('03 00:45');
      await run('04 00:45');
      const replaceBefore = iso(await nextSecond(signal));
      await nextSecond(signal);
      await scene.finish('cell1', open, at('02 23:00'));
      await touchActions();
      const range = { start: '2025-06-02', replace: true, replaceBefore };
      await scene.stage.backfill({ ...range, end: '2025-06-03' });
      await run('05 00:45');
      await expect(scene.stage.backfill({ ...range, end: '2025-06-03' })).rejects.toThrow(
        'an end at 2025-06-05',
      );
      await (way === 'directly'
        ? scene.stage.backfill({ ...range, end: '2025-06-05' })
        : executed(2, 4, undefined, { replaceBefore }));
      expect(await published()).toEqual(['02 compute_done', '02 compute_open']);
    },
  );

  test('of a drop of which the source has less by now is refused, and the drop stays', async () => {
    await withOpenEvent();
    await run('03 00:45');
    await scene.cell('cell1').query("DELETE FROM instance_actions_events WHERE event = 'compute_done'");
    const [before] = await scene.drops();
    await expect(replace(2, 2)).rejects.toThrow(
      'event: replace: the drop of window 2025-06-02T00:00:00Z/2025-06-03T00:00:00Z holds 1 events that finished in ' +
        'it, of which the source has 0 now: the others were purged, or cannot be seen; accepted: a range without it',
    );
    expect(await scene.drops()).toEqual([before]);
    const keys = await listKeys(scene.stage.client);
    expect(keys.filter((key) => key.includes('/state/claims/'))).toEqual([]);
  });
});

test('Windows that are published and that the source has no more are told as published', async () => {
  const { uuid } = await withOpenEvent();
  await run('03 00:45');
  await scene.event('cell1', uuid, 'compute_new', { start: at('03 01:00'), finish: at('03 01:10') });
  await run('04 00:45');
  await scene.cell('cell1').query("DELETE FROM instance_actions_events WHERE event <> 'compute_new'");
  const summary = await scene.stage.backfill({ start: '2025-06-02', end: '2025-06-04', replace: true });
  expect(summary).toMatchObject({ alreadyPublished: ['2025-06-02T00:00:00Z/2025-06-03T00:00:00Z'], rows: 1 });
  expect(await published()).toEqual(['02 compute_done', '03 compute_new']);
});

test('What was finished again beyond a window is noted though its server was archived', async () => {
  const first = await buildTwice('02 23:40', '02 23:50');
  await run('03 00:45');
  await scene.finish('cell1', first, at('04 00:10'));
  const [{ instance_uuid: uuid } = {}] = await scene
    .cell('cell1')
    .query('SELECT instance_uuid FROM instance_actions');
  await scene.archive('cell1', String(uuid));
  await run('04 00:45');
  await run('05 00:45');
  const drops = await scene.drops();
  expect(drops.map(({ manifest }) => manifest.displacedFrom)).toEqual([null, null, '2025-06-02T23:40:00Z']);
});

test.each(['directly', 'in steps'])(
  'A replacement that is made %s is refused where an event from before its range was finished again since',
  async (way) => {
    const uuid = await scene.server('cell1');
    const times = { start: at('01 20:00'), finish: at('02 00:10') };
    const first = await scene.event('cell1', uuid, 'compute_build', times);
    for (let start = at('01 21:00'); start < at('01 22:00'); start += 60)
      await scene.event('cell1', uuid, 'compute_filler', { start, finish: start + 5 });
    for (const day of ['02', '03', '04']) await run(`${day} 00:45`);
    await scene.event('cell1', uuid, 'compute_build', { start: at('04 00:10'), actionId: first });
    await scene.finish('cell1', first, at('04 02:00'));
    const made =
      way === 'directly' ? replace(2, 2).then(() => 'replaced') : executed(2, 2).then(({ status }) => status);
    expect(await made.catch((error: Error) => error.message)).toMatch(/has been finished again|FAILED/);
    expect((await published()).filter((name) => !name.includes('filler'))).toEqual(['02 compute_build']);
  },
);

test('A copy that is finished again in its cell is no event of its own in a replacement', async () => {
  await scene.addCell('cell2');
  await scene.open();
  const uuid = await scene.server('cell1');
  const times = { start: at('02 01:00'), finish: at('02 01:10') };
  const first = await scene.event('cell1', uuid, 'compute_build', times);
  await scene.event('cell1', uuid, 'compute_build', { start: at('02 01:20'), actionId: first });
  await scene.server('cell2', { uuid });
  const copied = { created: at('02 12:00') };
  const copy = await scene.event('cell2', uuid, 'compute_build', { ...times, ...copied });
  await scene.event('cell2', uuid, 'compute_build', { ...copied, start: at('02 01:20'), actionId: copy });
  await run('03 00:45');
  await scene.finish('cell2', copy, at('03 02:00'));
  await replace(2, 2);
  expect(await published()).toEqual(['02 compute_build']);
});

test('A replacement that is executed in steps goes by how the schedule stood when it was planned', async () => {
  const { open } = await withOpenEvent();
  await run('03 00:45');
  await scene.finish('cell1', open, at('02 23:00'));
  expect(await executed(2, 2, () => run('04 00:45'))).toMatchObject({ status: 'SUCCEEDED' });
  expect(await published()).toEqual(['02 compute_done', '03 compute_open']);
  const [drop] = await scene.drops();
  expect(drop?.manifest.counts.skipped).toEqual({ awaited: 1 });
});

test('A replacement takes an event from its copy in another cell where the original is gone', async () => {
  await scene.addCell('cell2');
  await scene.open();
  const { uuid } = await withOpenEvent();
  await run('03 00:45');
  await scene.server('cell2', { uuid });
  const times = { start: at('02 01:00'), finish: at('02 01:10'), created: at('03 03:00') };
  await scene.event('cell2', uuid, 'compute_done', times);
  await scene.cell('cell1').query('DELETE FROM instance_actions_events; DELETE FROM instance_actions');
  await replace(2, 2);
  expect(await published()).toEqual(['02 compute_done']);
  await run('04 00:45');
  expect(await published()).toEqual(['02 compute_done']);
});
