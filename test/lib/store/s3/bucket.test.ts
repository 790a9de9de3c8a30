import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readText, remove, writeText } from '../../../../lib/store/s3/bucket.ts';
import type { Expected } from '../../../../lib/store/store.ts';
import { useBucket } from '../../../support/bucket.ts';
import { BUCKET, startStage } from '../../../support/stage.ts';

const SIGNAL = new AbortController().signal;

const place = useBucket();

describe('compare-and-swap of a text', () => {
  test('lets one of any writers through that expect the same', async () => {
    const first = await Promise.all(
      [1, 2, 3, 4, 5].map((n) => writeText(place.bucket, place.key, `${n}`, 'absent', SIGNAL)),
    );
    expect(first.filter((version) => version !== undefined)).toHaveLength(1);
    const { version = '' } = (await readText(place.bucket, place.key, SIGNAL)) ?? {};
    const second = await Promise.all(
      [6, 7, 8].map((n) => writeText(place.bucket, place.key, `${n}`, { version }, SIGNAL)),
    );
    expect(second.filter((written) => written !== undefined)).toHaveLength(1);
  });

  test('in any order of reads and writes of two runs loses no change', async () => {
    const steps = fc.array(fc.tuple(fc.nat(1), fc.constantFrom('read', 'write')), { maxLength: 14 });
    await fc.assert(
      fc.asyncProperty(steps, async (list) => {
        const own = place.newKey();
        const known: (Expected | undefined)[] = [undefined, undefined];
        let counted = 0;
        const texts: number[] = [0, 0];
        for (const [run, step] of list) {
          if (step === 'read') {
            const found = await readText(place.bucket, own, SIGNAL);
            known[run] = found === undefined ? 'absent' : { version: found.version };
            texts[run] = Number(found?.text.split(' ')[0] ?? 0);
          } else if (known[run] !== undefined) {
            const next = (texts[run] ?? 0) + 1;
            const version = await writeText(place.bucket, own, `${next} by ${run}`, known[run], SIGNAL);
            if (version === undefined) continue;
            counted++;
            [known[run], texts[run]] = [{ version }, next];
          }
        }
        const found = await readText(place.bucket, own, SIGNAL);
        expect(Number(found?.text.split(' ')[0] ?? 0)).toBe(counted);
      }),
      { numRuns: 60 },
    );
  });

  test('whose answer is lost knows its own write again, and not another’s', async () => {
    place.loseNextAnswer();
    const version = await writeText(place.bucket, place.key, 'mine', 'absent', SIGNAL);
    expect(version).toBe((await readText(place.bucket, place.key, SIGNAL))?.version);
    place.loseNextAnswer();
    const swapped = await writeText(
      place.bucket,
      place.key,
      'mine again',
      { version: version ?? '' },
      SIGNAL,
    );
    expect(swapped).toBe((await readText(place.bucket, place.key, SIGNAL))?.version);
    expect(await writeText(place.bucket, place.key, 'too late', 'absent', SIGNAL)).toBe(undefined);
    expect(await place.text()).toBe('mine again');
  });
});

/** By the names that stores give it: S3's two, and Ceph's. */
const CONFLICTS = ['ConditionalRequestConflict', 'OperationAborted', 'ConcurrentModification'];

describe.each(CONFLICTS)('an answer of 409 %s', (code) => {
  /** Answers the first request of the operation so, and has something happen to the object meanwhile. */
  const conflictOnce = (operation: string, meanwhile?: () => Promise<unknown>): void => {
    place.onRequest = async (request) => {
      if (request.operation !== operation) return undefined;
      place.onRequest = undefined;
      await meanwhile?.();
      return { status: 409, code };
    };
  };

  test('to the loser of a compare-and-swap says that another was first', async () => {
    const expected = await place.put('before');
    conflictOnce('PutObject', () => place.put('of another'));
    expect(await writeText(place.bucket, place.key, 'mine', expected, SIGNAL)).toBe(undefined);
    expect(await place.text()).toBe('of another');
  });

  test('to a compare-and-swap that nobody has won yet is tried again', async () => {
    const expected = await place.put('before');
    conflictOnce('PutObject');
    expect(await writeText(place.bucket, place.key, 'mine', expected, SIGNAL)).toBeDefined();
    expect(await place.text()).toBe('mine');
  });

  test('to a deletion is tried again', async () => {
    await place.put('before');
    conflictOnce('DeleteObject');
    await remove(place.bucket, place.key, SIGNAL);
    expect(await readText(place.bucket, place.key, SIGNAL)).toBe(undefined);
  });

  test('without an end is an error of the store', async () => {
    place.onRequest = ({ operation }) => (operation === 'PutObject' ? { status: 409, code } : undefined);
    await expect(writeText(place.bucket, place.key, 'mine', 'absent', SIGNAL)).rejects.toMatchObject({
      name: 'StoreError',
      message: expect.stringContaining(code),
    });
  });
});

test('of many writers at once at a store like Ceph each swap has one winner', async () => {
  const ceph = await startStage({ ceph: { seed: 1 } });
  try {
    const bucket = { client: ceph.client, name: BUCKET };
    let expected: Expected = 'absent';
    for (let round = 0; round < 10; round++) {
      const swap = (n: number): ReturnType<typeof writeText> =>
        writeText(bucket, 'contended', `${round} by ${n}`, expected, SIGNAL);
      const versions = await Promise.all([1, 2, 3, 4].map(swap));
      const [version, ...others] = versions.filter((written) => written !== undefined);
      expect(others).toEqual([]);
      expect(version).toBe((await readText(bucket, 'contended', SIGNAL))?.version);
      expected = { version: version ?? '' };
    }
    expect(ceph.s3.requests().filter(({ status }) => status === 409).length).toBeGreaterThan(0);
  } finally {
    await ceph.stop();
  }
});
