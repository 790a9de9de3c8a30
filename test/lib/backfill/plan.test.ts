import { PutObjectCommand } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, test } from 'vitest';
import { type BackfillPlan, planBackfill, refuseGone } from '../../../lib/backfill/plan.ts';
import type { BackfillRequest } from '../../../lib/backfill/request.ts';
import type { Invocation } from '../../../lib/drop/invocation.ts';
import { decideClaim, takeClaim } from '../../../lib/drop/claim.ts';
import type { Place } from '../../../lib/drop/place.ts';
import { HistoryGoneError, InputError, SourceError } from '../../../lib/core/errors.ts';
import type { History } from '../../../lib/source/source.ts';
import { DAY, HOUR } from '../../../lib/core/time.ts';
import { type Window, windowsOf } from '../../../lib/core/window.ts';
import { useBucket } from '../../support/bucket.ts';
import { BUCKET } from '../../support/stage.ts';

const START = Date.UTC(2025, 5, 1) / 1000;
const range = { start: START, end: START + 6 * DAY };
const days = windowsOf(range, DAY);

const place = useBucket();
let trace: Place;

beforeEach(() => {
  trace = place.newTrace();
});

const publish = async (...nths: number[]): Promise<void> => {
  for (const nth of nths) {
    const Key = trace.layout.manifest(days[nth]!);
    await place.stage.client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: '{}' }));
  }
};

/** @param histories what the source answers, one after the other */
function plan(...histories: (History | Error)[]): Promise<BackfillPlan> {
  const source = {
    history: async () => {
      const next = histories.shift();
      if (next instanceof Error) throw next;
      return next;
    },
  };
  const invocation = { ...trace, source, log: () => undefined } as unknown as Invocation;
  return planBackfill(invocation, { range, windowSeconds: DAY });
}

describe('A plan', () => {
  test('of a source that has all makes every window that is not published', async () => {
    await publish(1, 2, 5);
    expect(await plan({ from: START - DAY, events: 600, purged: null })).toEqual({
      due: [days[0], days[3], days[4]],
      published: [days[1], days[2], days[5]],
      beforeHistory: [],
      sourceFrom: START - DAY,
      events: 300,
      purged: null,
    });
  });

  test('leaves out what is older than the history, but not the window in which that begins', async () => {
    await publish(0);
    const { due, published, beforeHistory } = await plan({
      from: days[3]!.start + HOUR,
      events: null,
      purged: null,
    });
    expect(due).toEqual(days.slice(3));
    expect(published).toEqual([days[0]]);
    expect(beforeHistory).toEqual(days.slice(1, 3));
    const edge = await plan({ from: days[3]!.start, events: null, purged: null });
    expect(edge).toMatchObject({ due: days.slice(3), beforeHistory: days.slice(1, 3), events: null });
  });

  test('finishes what is decided, also where the source has nothing of it any more', async () => {
    const [first, second] = days as [Window, Window];
    for (const [window, decided] of [
      [first, { manifest: '{}', checkpoint: null }],
      [second, null],
    ] as const) {
      const key = trace.layout.windowClaim(window);
      const held = await takeClaim(trace, key, { run: 'one', window, keys: [] }, undefined);
      if (decided !== null) await decideClaim(trace, key, held, decided);
    }
    const { due, beforeHistory } = await plan({ from: days[3]!.start, events: null, purged: null });
    expect(due).toEqual([first, ...days.slice(3)]);
    expect(beforeHistory).toEqual(days.slice(1, 3));
  });

  test('of a source that has nothing makes nothing', async () => {
    expect(await plan({ from: null, events: 0, purged: null })).toMatchObject({
      due: [],
      beforeHistory: days,
    });
  });

  test('asks the source again where its connection was lost, and not where it refuses', async () => {
    const lost = new SourceError('lost', { transient: true });
    const refused = new SourceError('refused', { transient: false });
    expect(await plan(lost, { from: START, events: 6, purged: null })).toMatchObject({ due: days });
    await expect(plan(refused, { from: START, events: 6, purged: null })).rejects.toBe(refused);
  });
});

describe('What the source has no more', () => {
  const gone: BackfillPlan = {
    due: days.slice(2),
    published: [],
    beforeHistory: days.slice(0, 2),
    sourceFrom: days[2]!.start,
    events: null,
    purged: null,
  };
  const all = { ...gone, due: [], beforeHistory: days };
  const asked = (name?: string): BackfillRequest => ({ range, release: name }) as BackfillRequest;

  test('is left out of a backfill, and of a release that nobody has begun', () => {
    expect(refuseGone(asked(), gone, false)).toBeUndefined();
    expect(refuseGone(asked(), all, false)).toBeUndefined();
    expect(refuseGone(asked('v1'), gone, false)).toBeUndefined();
    expect(refuseGone(asked('v1'), { ...gone, beforeHistory: [] }, true)).toBeUndefined();
  });

  test('fails a release that was begun with it', () => {
    expect(() => refuseGone(asked('v1'), gone, true)).toThrow(HistoryGoneError);
    expect(() => refuseGone(asked('v1'), gone, true)).toThrow(
      'window 2025-06-01T00:00:00Z/2025-06-02T00:00:00Z: the source has purged it since the backfill was planned; ask ' +
        'for a later range under another name, or delete the incomplete release’s folder first',
    );
  });

  test.each([
    [days[2]!.start, 'goes back to 2025-06-03T00:00:00Z'],
    [null, 'is empty'],
  ])('refuses a release of nothing else (from %s)', (sourceFrom, why) => {
    const refused = (): void => refuseGone(asked('v1'), { ...all, sourceFrom }, false);
    expect(refused).toThrow(InputError);
    expect(refused).toThrow(
      'event: end: got the range 2025-06-01T00:00:00Z/2025-06-07T00:00:00Z, of which the source has nothing: it ' +
        `${why}; accepted: a range that ends after that`,
    );
  });
});
