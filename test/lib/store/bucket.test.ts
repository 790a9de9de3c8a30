import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Expected, readText, writeText } from '../../../lib/store/bucket.ts';
import { useBucket } from '../../support/bucket.ts';

const SIGNAL = new AbortController().signal;

const place = useBucket();

describe('compare-and-swap of a text', () => {
  test('lets one of any writers through that expect the same', async () => {
    const first = await Promise.all(
      [1, 2, 3, 4, 5].map((n) => writeText(place.bucket, place.key, `${n}`, 'absent', SIGNAL)),
    );
    expect(first.filter((etag) => etag !== undefined)).toHaveLength(1);
    const { etag = '' } = (await readText(place.bucket, place.key, SIGNAL)) ?? {};
    const second = await Promise.all(
      [6, 7, 8].map((n) => writeText(place.bucket, place.key, `${n}`, { etag }, SIGNAL)),
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
            known[run] = found === undefined ? 'absent' : { etag: found.etag };
            texts[run] = Number(found?.text.split(' ')[0] ?? 0);
          } else if (known[run] !== undefined) {
            const next = (texts[run] ?? 0) + 1;
            const etag = await writeText(place.bucket, own, `${next} by ${run}`, known[run], SIGNAL);
            if (etag === undefined) continue;
            counted++;
            [known[run], texts[run]] = [{ etag }, next];
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
    const etag = await writeText(place.bucket, place.key, 'mine', 'absent', SIGNAL);
    expect(etag).toBe((await readText(place.bucket, place.key, SIGNAL))?.etag);
    place.loseNextAnswer();
    const swapped = await writeText(place.bucket, place.key, 'mine again', { etag: etag ?? '' }, SIGNAL);
    expect(swapped).toBe((await readText(place.bucket, place.key, SIGNAL))?.etag);
    expect(await writeText(place.bucket, place.key, 'too late', 'absent', SIGNAL)).toBe(undefined);
    expect(await place.text()).toBe('mine again');
  });
});
