import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, test } from 'vitest';
import { InputError } from '../../lib/errors.ts';
import { readObject } from '../support/drops.ts';
import { daysOf, useJune } from '../support/nova/june.ts';
import { at } from '../support/nova/scene.ts';
import { BUCKET } from '../support/stage.ts';

const june = useJune();

/** Two events of the second, of which one was shown so late that the drop of the fourth holds it. */
async function withLateEvent(): Promise<{ uuid: string }> {
  const { uuid, open } = await june.withOpenEvent();
  await june.scene.event('cell1', uuid, 'compute_third', { start: at('03 05:00'), finish: at('03 05:10') });
  await june.scene.event('cell1', uuid, 'compute_fourth', { start: at('04 05:00'), finish: at('04 05:10') });
  await june.run('03 00:45');
  await june.run('04 00:45');
  await june.scene.finish('cell1', open, at('02 23:00'));
  await june.run('05 00:45');
  expect(await june.published()).toEqual(AS_SHOWN);
  return { uuid };
}

const AS_SHOWN = ['02 compute_done', '03 compute_third', '04 compute_open', '04 compute_fourth'];
const BY_FINISH = ['02 compute_done', '02 compute_open', '03 compute_third', '04 compute_fourth'];

const purge = (name: string): Promise<unknown> =>
  june.scene.cell('cell1').query(`DELETE FROM instance_actions_events WHERE event = '${name}'`);

describe.each(['databases', 'API'])(
  'Windows between which an event was displaced, over the %s,',
  (source) => {
    june.useSource(source);

    test.each(['compute_open', 'compute_done', 'compute_third', 'compute_fourth'])(
      'stay as they are, all of them, where %s was purged since',
      async (name) => {
        await withLateEvent();
        await purge(name);
        await expect(june.replace(2, 4)).rejects.toThrow(InputError);
        await expect(june.replace(2, 4)).rejects.toThrow(
          'event: replace: the drops of 2025-06-02T00:00:00Z/2025-06-05T00:00:00Z hold 4 events, of which the source has 3 now',
        );
        expect(await june.published()).toEqual(AS_SHOWN);
        expect(await june.executed(2, 4)).toMatchObject({ status: 'FAILED' });
        expect(await june.published()).toEqual(AS_SHOWN);
        expect(await june.claims()).toEqual([]);
      },
    );

    test('are made by one worker, though there are more than one is given otherwise', async () => {
      const { open } = await june.withOpenEvent();
      for (const day of ['03', '04', '05', '06', '07']) await june.run(`${day} 00:45`);
      await june.scene.finish('cell1', open, at('02 23:00'));
      await june.run('08 00:45');
      const { status, calls } = await june.executed(2, 7);
      expect(status).toBe('SUCCEEDED');
      expect(calls.filter(({ state }) => state === 'Windows').length).toBeLessThanOrEqual(1);
      expect(await june.published()).toEqual(['02 compute_done', '02 compute_open']);
    });
  },
);

test('A purged event is missed though another window of the range lost one by a second finish', async () => {
  const first = await june.buildTwice('02 23:40', '02 23:50');
  await june.run('03 00:45');
  await june.scene.finish('cell1', first, at('03 02:00'));
  const uuid = await june.scene.server('cell1');
  await june.scene.event('cell1', uuid, 'compute_fourth', { start: at('04 05:00'), finish: at('04 05:10') });
  await june.run('04 00:45');
  await june.run('05 00:45');
  await purge('compute_fourth');
  await expect(june.replace(2, 4)).rejects.toThrow(
    '2025-06-04T00:00:00Z/2025-06-05T00:00:00Z holds 1 events',
  );
  expect(await june.published()).toEqual(['03 compute_build', '04 compute_fourth']);
});

test('A purged event is missed though an excluded one is there', async () => {
  const hidden = await june.scene.server('cell1', { user_id: 'b'.repeat(32) });
  await june.scene.event('cell1', hidden, 'compute_hidden', {
    start: at('02 02:00'),
    finish: at('02 02:10'),
  });
  await june.withOpenEvent();
  june.scene.stage.env['STAR_EXCLUDE_USERS'] = 'b'.repeat(32);
  await june.run('03 00:45');
  await purge('compute_done');
  await expect(june.replace(2, 2)).rejects.toThrow(
    'holds 2 events that finished in it, of which the source has 1',
  );
  expect(await june.published()).toEqual(['02 compute_done']);
});

describe('Of two replacements', () => {
  beforeEach(() => {
    june.scene.stage.env['STAR_FORMATS'] = 'jsonl,csv';
  });

  /** Lets another replacement happen before a request of the next, and gives how the next ends. */
  async function replaceAround(
    isDue: (operation: string, key: string) => boolean,
    other: () => Promise<unknown>,
    more: object = {},
  ): Promise<string | undefined> {
    let isOver = false;
    june.onS3Request = async ({ operation, key }) => {
      if (isOver || !isDue(operation, key)) return;
      isOver = true;
      await other();
    };
    const { status, next } = await june.replace(2, 4, more);
    june.onS3Request = undefined;
    expect(isOver).toBe(true);
    if (next !== null) await june.scene.stage.backfill(next);
    return status;
  }

  test('the one that knows more of the schedule stays, when the other’s worker comes late', async () => {
    const { uuid } = await june.withOpenEvent();
    await june.run('03 00:45');
    await june.run('04 00:45');
    const open = await june.scene.event('cell1', uuid, 'compute_late', { start: at('02 21:00') });
    await june.scene.finish('cell1', open, at('02 23:10'));
    const ended = await june.executed(2, 3, async () => {
      await june.run('05 00:45');
      await june.replace(2, 4);
    });
    expect(ended).toMatchObject({ status: 'SUCCEEDED' });
    expect(await june.published()).toEqual(['02 compute_done', '02 compute_late']);
  });

  test.each(['GetObject', 'PutObject', 'DeleteObject'])(
    'neither loses what was displaced, when one overtakes the other at its %s',
    async (operation) => {
      const { uuid } = await june.withOpenEvent();
      await june.run('03 00:45');
      await june.run('04 00:45');
      const late = await june.scene.event('cell1', uuid, 'compute_late', { start: at('02 21:00') });
      await june.scene.finish('cell1', late, at('02 23:10'));
      // Planned before the schedule has published that, at work after.
      let meanwhile: () => Promise<void> = () => Promise.resolve();
      const older = june.executed(2, 3, () => meanwhile());
      const ready = new Promise<void>((resolve) => {
        meanwhile = async () => {
          resolve();
          await held;
        };
      });
      let release = (): void => undefined;
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      await ready;
      await june.run('05 00:45');
      await replaceAround(
        (of, key) => of === operation && /claims.*20250602T|manifests.*20250602T.*json/.test(key),
        async () => {
          release();
          await older;
        },
      );
      await older;
      expect(await june.published()).toEqual(['02 compute_done', '02 compute_late']);
      await june.scene.drops();
      expect(await june.claims()).toEqual([]);
    },
  );

  test('with other formats each drop is whole, whichever request of the one the other comes before', async () => {
    await june.withOpenEvent();
    await june.run('03 00:45');
    let requests = 0;
    for (let n = 1; ; n++) {
      requests = 0;
      let isOver = false;
      june.onS3Request = async () => {
        if (isOver || ++requests < n) return;
        isOver = true;
        await june.replace(2, 2, { formats: ['csv'] });
      };
      const { next } = await june.replace(2, 2, { formats: ['jsonl'] });
      june.onS3Request = undefined;
      if (next !== null) await june.scene.stage.backfill(next);
      // Reading makes sure that every manifest lists what is there.
      const rows = (await june.scene.drops()).map((drop) =>
        Object.values(drop.rows).map((some) => some.length),
      );
      expect([n, await june.claims(), rows]).toEqual([n, [], [[1]]]);
      if (!isOver) break;
    }
    expect(requests).toBeGreaterThan(12);
  });

  test('a manifest of the first that arrives when it was removed gives way', async () => {
    await withLateEvent();
    const isManifest = (key: string): boolean => /manifests.*20250602T.*json$/.test(key);
    let decided = '';
    june.onS3Request = async ({ operation, key }) => {
      if (operation !== 'PutObject' || !isManifest(key)) return undefined;
      const claims = await june.claims();
      const claim = await readObject(june.scene.stage.client, claims[0] ?? '');
      decided = JSON.stringify(
        (JSON.parse(claim.toString('utf8')) as { committed: { manifest: object } }).committed.manifest,
      );
      return { status: 403, code: 'AccessDenied' };
    };
    await expect(june.replace(2, 4)).rejects.toThrow('AccessDenied');
    expect(decided).toContain('manifestVersion');
    let isRemoved = false;
    june.onS3Request = async ({ operation, key }) => {
      if (operation === 'DeleteObject' && isManifest(key)) isRemoved = true;
      else if (isRemoved && operation === 'PutObject' && key.includes('instance_events')) {
        isRemoved = false;
        const [name] = [`cloud=test/manifests/date=2025-06-02/20250602T000000Z-20250603T000000Z.json`];
        await june.scene.stage.client.send(
          new PutObjectCommand({ Bucket: BUCKET, Key: name, Body: decided, IfNoneMatch: '*' }),
        );
      }
    };
    expect(await june.replace(2, 4)).toMatchObject({ status: 'published', leftToOther: [] });
    june.onS3Request = undefined;
    expect(await june.published()).toEqual(BY_FINISH);
    const [drop] = await june.scene.drops();
    expect(drop?.manifest.run).not.toBe((JSON.parse(decided) as { run: string }).run);
    expect(await june.claims()).toEqual([]);
  });
});

/** A replacement that loses S3 from a request on; what has been begun by then goes on. */
async function breakOff(
  first: number,
  last: number,
  isDue: (operation: string, key: string) => boolean,
  more: object = {},
): Promise<void> {
  let isBroken = false;
  june.onS3Request = ({ operation, key }) => {
    if (isBroken) return { status: 403, code: 'AccessDenied' };
    isBroken = isDue(operation, key);
    return undefined;
  };
  await expect(june.replace(first, last, more)).rejects.toThrow('AccessDenied');
  june.onS3Request = undefined;
  expect(isBroken).toBe(true);
}

const removesManifest = (operation: string, key: string): boolean =>
  operation === 'DeleteObject' && key.includes('/manifests/');

describe('A replacement that was broken off', () => {
  test('when a drop was gone is left to one that goes on with it', async () => {
    await withLateEvent();
    await breakOff(2, 4, removesManifest);
    expect(await june.published()).toEqual(AS_SHOWN.slice(1));
    expect(await june.scene.stage.backfill(daysOf(2, 4))).toMatchObject({
      leftToOther: ['2025-06-02T00:00:00Z/2025-06-03T00:00:00Z'],
    });
    expect(await june.published()).toEqual(AS_SHOWN.slice(1));
    await june.replace(2, 4);
    expect(await june.published()).toEqual(BY_FINISH);
    expect(await june.claims()).toEqual([]);
  });

  test('is still missed what it has removed, and was purged since', async () => {
    await june.withOpenEvent();
    await june.run('03 00:45');
    await breakOff(2, 2, removesManifest);
    await purge('compute_done');
    for (const _ of ['once', 'again'])
      await expect(june.replace(2, 2)).rejects.toThrow(
        'holds 1 events that finished in it, of which the source has 0',
      );
    expect(await june.scene.stage.backfill(daysOf(2, 2))).toMatchObject({
      rows: 0,
      leftToOther: [expect.any(String)],
    });
    expect(await june.scene.drops()).toEqual([]);
  });

  test('before the first of tied windows is missed what was purged from any', async () => {
    await withLateEvent();
    await breakOff(2, 4, removesManifest);
    await purge('compute_fourth');
    await expect(june.replace(2, 4)).rejects.toThrow('hold 4 events, of which the source has 3');
    expect(await june.published()).toEqual(AS_SHOWN.slice(1));
  });

  test.each([1, 2])('when %i of tied windows were made is made again by the same event', async (made) => {
    await withLateEvent();
    let manifests = 0;
    const isDue = (operation: string, key: string): boolean =>
      operation === 'DeleteObject' && key.includes('/state/claims/') && ++manifests === made;
    await breakOff(2, 4, isDue);
    await june.replace(2, 4);
    expect(await june.published()).toEqual(BY_FINISH);
    expect(await june.claims()).toEqual([]);
  });

  test('and overtaken by the schedule is made again further', async () => {
    const { uuid } = await withLateEvent();
    const open = await june.scene.event('cell1', uuid, 'compute_later', { start: at('03 07:00') });
    await june.run('06 00:45');
    await breakOff(2, 4, (operation, key) => operation === 'DeleteObject' && key.includes('/state/claims/'));
    await june.scene.finish('cell1', open, at('03 08:00'));
    await june.run('07 00:45');
    await expect(june.replace(2, 4)).rejects.toThrow('accepted: an end at 2025-06-07');
    await june.replace(2, 6);
    expect(await june.published()).toEqual([
      ...BY_FINISH.slice(0, 3),
      '03 compute_later',
      ...BY_FINISH.slice(3),
    ]);
  });

  test('when a drop was decided leaves no claim where it is gone on with', async () => {
    await withLateEvent();
    const replacement = '0123456789abcdef';
    const isDecided = (operation: string, key: string): boolean =>
      operation === 'PutObject' && key.includes('/state/claims/') && ++writes === 2;
    let writes = 0;
    await breakOff(2, 4, isDecided, { replacement });
    expect(await june.claims()).toHaveLength(1);
    await june.replace(2, 4, { replacement });
    expect(await june.published()).toEqual(BY_FINISH);
    expect(await june.claims()).toEqual([]);
  });
});

test('Of two replacements that remove one drop, the one that has taken the claim makes it anew', async () => {
  await june.withOpenEvent();
  await june.run('03 00:45');
  let release = (): void => undefined;
  const removing = new Promise<void>((resolve) => {
    release = resolve;
  });
  let reached = (): void => undefined;
  const isRemoving = new Promise<void>((resolve) => {
    reached = resolve;
  });
  let isFirst = true;
  june.onS3Request = async ({ operation, key }) => {
    if (!isFirst || !removesManifest(operation, key)) return;
    isFirst = false;
    reached();
    await removing;
  };
  const one = june.replace(2, 2);
  await isRemoving;
  june.onS3Request = async ({ operation, key }) => {
    if (operation !== 'GetObject' || !key.includes('state/claim.json')) return;
    // The other has read the manifest and taken the claim.
    release();
    await one;
  };
  const other = await june.replace(2, 2);
  june.onS3Request = undefined;
  expect([(await one).status, other.status]).toEqual(['unfinished', 'published']);
  expect(await june.published()).toEqual(['02 compute_done']);
  expect(await june.claims()).toEqual([]);
});

test('A replacement of what a schedule has published whose checkpoint is gone is refused', async () => {
  await withLateEvent();
  await june.scene.stage.client.send(
    new DeleteObjectCommand({ Bucket: BUCKET, Key: 'cloud=test/state/checkpoint.json' }),
  );
  await expect(june.replace(2, 4)).rejects.toThrow(
    'event: replace: window 2025-06-02T00:00:00Z/2025-06-03T00:00:00Z was published by the schedule, whose checkpoint is gone',
  );
});

test('A replacement over another kind of source than the schedule’s is refused', async () => {
  await withLateEvent();
  await june.toApi();
  await expect(june.replace(2, 4)).rejects.toThrow(
    'event: replace: got true with a secret for the source "api", while the schedule has read from "database"; ' +
      'accepted: a secret for that, or no replace',
  );
  expect(await june.published()).toEqual(AS_SHOWN);
});

test('A replacement goes on beside a schedule that has displaced nothing since', async () => {
  await withLateEvent();
  const { done } = await june.replace(2, 4);
  expect(done).toHaveLength(3);
  const [{ manifest } = { manifest: undefined }] = await june.scene.drops();
  expect(manifest?.backfill).toEqual({
    replacement: expect.stringMatching(/^[0-9a-f]{16}$/),
    besideSchedule: '2025-06-05T00:00:00Z',
  });
  await june.run('06 00:45');
  const again = await june.replace(2, 4, { replacement: manifest?.backfill?.replacement });
  expect(again).toMatchObject({
    status: 'published',
    done: [],
    alreadyPublished: ['2025-06-02T00:00:00Z/2025-06-05T00:00:00Z'],
  });
});
