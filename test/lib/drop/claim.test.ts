import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Checkpoint } from '../../../lib/drop/checkpoint.ts';
import {
  type Committed,
  type FoundClaim,
  commitClaim,
  isStillHeld,
  readClaim,
  superseded,
  takeClaim,
} from '../../../lib/drop/claim.ts';
import type { Manifest } from '../../../lib/drop/manifest.ts';
import { HOUR } from '../../../lib/time.ts';
import { useBucket } from '../../support/bucket.ts';

const SIGNAL = new AbortController().signal;
const START = Date.UTC(2025, 5, 2) / 1000;

const place = useBucket();

/** The n-th hour's checkpoint. */
const hour = (n: number): Checkpoint => ({
  window: { start: START + n * HOUR, end: START + (n + 1) * HOUR },
  source: { kind: 'database', state: {} },
});
const decided = (n: number): Committed => ({
  manifest: { manifestVersion: 1, cloud: 'test' } as Manifest,
  checkpoint: hour(n),
});

describe('the claim', () => {
  const window = hour(0).window;
  const take = (run: string, found: FoundClaim | undefined): Promise<FoundClaim | undefined> =>
    takeClaim(place.bucket, place.key, run, window, found, SIGNAL);

  test('is one run’s of many that find it free, or find it taken by the same', async () => {
    for (let round = 0; round < 3; round++) {
      const found = await readClaim(place.bucket, place.key, SIGNAL);
      const taken = await Promise.all(['a', 'b', 'c'].map((run) => take(`${run}${round}`, found)));
      const held = taken.filter((claim) => claim !== undefined);
      expect(held).toHaveLength(1);
      expect((await readClaim(place.bucket, place.key, SIGNAL))?.claim).toEqual(held[0]?.claim);
    }
  });

  test('in any order of steps of two runs is committed by a run only while it is its own', async () => {
    const steps = fc.array(fc.tuple(fc.nat(1), fc.constantFrom('read', 'take', 'held', 'commit')), {
      maxLength: 16,
    });
    await fc.assert(
      fc.asyncProperty(steps, async (list) => {
        const own = place.newKey();
        const found: (FoundClaim | undefined)[] = [undefined, undefined];
        const held: (FoundClaim | undefined)[] = [undefined, undefined];
        let owner: number | undefined;
        let isCommitted = false;
        /** What must not happen: each as a word. */
        const wrongs: string[] = [];
        for (const [n, step] of list) {
          const mine = held[n];
          if (step === 'read') found[n] = await readClaim(place.bucket, own, SIGNAL);
          if (step === 'take' && (found[n]?.claim.committed ?? null) === null) {
            const taken = await takeClaim(place.bucket, own, `run ${n}`, window, found[n], SIGNAL);
            if (taken === undefined) continue;
            if (isCommitted) wrongs.push('what was decided is taken over by who saw it undecided');
            held[n] = taken;
            owner = n;
          }
          if (mine === undefined) continue;
          if (step === 'held' && owner !== n && (await isStillHeld(place.bucket, own, mine, SIGNAL))) {
            wrongs.push('held after another took it');
          }
          if (step === 'commit') {
            const committed = await commitClaim(place.bucket, own, mine, decided(n), SIGNAL);
            if (committed === undefined) continue;
            if (owner !== n) wrongs.push('committed after another took it');
            isCommitted = true;
          }
        }
        expect(wrongs).toEqual([]);
        const last = await readClaim(place.bucket, own, SIGNAL);
        expect(last?.claim.committed ?? null).toEqual(isCommitted ? decided(owner ?? -1) : null);
      }),
      { numRuns: 60 },
    );
  });

  test('is held until another takes it or it is committed', async () => {
    const mine = (await take('a', undefined))!;
    expect(await isStillHeld(place.bucket, place.key, mine, SIGNAL)).toBe(true);
    const other = (await take('b', await readClaim(place.bucket, place.key, SIGNAL)))!;
    expect(await isStillHeld(place.bucket, place.key, mine, SIGNAL)).toBe(false);
    expect(await commitClaim(place.bucket, place.key, mine, decided(0), SIGNAL)).toBe(undefined);
    expect(await commitClaim(place.bucket, place.key, other, decided(0), SIGNAL)).not.toBe(undefined);
    expect(await isStillHeld(place.bucket, place.key, other, SIGNAL)).toBe(false);
  });

  test.each([7, undefined])('remembers how many events it replaces, if any: %s', async (replaces) => {
    const asked = replaces === undefined ? [] : [replaces];
    const mine = (await takeClaim(place.bucket, place.key, 'a', window, undefined, SIGNAL, ...asked))!;
    await commitClaim(place.bucket, place.key, mine, decided(0), SIGNAL);
    const claim = (await readClaim(place.bucket, place.key, SIGNAL))?.claim;
    const expected = { run: 'a', window: mine.claim.window, committed: decided(0) };
    expect(claim).toStrictEqual(replaces === undefined ? expected : { ...expected, replaces });
    expect(Object.keys(mine.claim).includes('replaces')).toBe(replaces !== undefined);
  });

  test('taken and committed by a run whose answers are lost is its own', async () => {
    place.loseNextAnswer();
    const mine = await take('a', undefined);
    expect(mine?.claim.run).toBe('a');
    place.loseNextAnswer();
    expect(await commitClaim(place.bucket, place.key, mine!, decided(0), SIGNAL)).not.toBe(undefined);
    expect((await readClaim(place.bucket, place.key, SIGNAL))?.claim.committed).toEqual(decided(0));
  });

  test.each(['garbage', '', 'null', '{}', '[]', '{"run":"a","committed":null}', '{"claimVersion":2}'])(
    'that is %j is refused by name',
    async (body) => {
      // Other clients send no empty body as a stream.
      await place.put(body === '' ? ' ' : body);
      await expect(readClaim(place.bucket, place.key, SIGNAL)).rejects.toMatchObject({
        name: 'StoreError',
        message: expect.stringMatching(new RegExp(`^claim: ${place.key}: .*version 1`)),
      });
    },
  );
});

describe('what is stored as a claim', () => {
  const committed = { manifest: { manifestVersion: 1, cloud: 'test' }, checkpoint: null };
  const good = {
    claimVersion: 1,
    run: 'me',
    window: { start: '2025-06-02T00:00:00Z', end: '2025-06-02T01:00:00Z' },
    committed: null,
  };
  const window = { start: START, end: START + HOUR };

  test('is what its version says, and keeps run and window when it is decided', async () => {
    const held = await takeClaim(place.bucket, place.key, 'me', window, undefined, SIGNAL);
    expect(await place.text()).toBe(JSON.stringify(good));
    if (held === undefined) throw new Error('nobody else was there');
    const ours = await commitClaim(place.bucket, place.key, held, decided(0), SIGNAL);
    expect(JSON.parse(await place.text())).toEqual({ ...good, committed: decided(0) });
    expect(ours?.claim).toEqual((await readClaim(place.bucket, place.key, SIGNAL))?.claim);
    expect(ours?.expected).toEqual((await readClaim(place.bucket, place.key, SIGNAL))?.expected);
  });

  test('may be decided without a checkpoint, as a backfill does', async () => {
    await place.put(JSON.stringify({ ...good, committed }));
    expect((await readClaim(place.bucket, place.key, SIGNAL))?.claim).toEqual({
      run: 'me',
      window: good.window,
      committed,
    });
  });

  test.each<[string, unknown, string]>([
    ['of another version', { ...good, claimVersion: 2 }, 'claimVersion'],
    ['without its run', { ...good, run: undefined }, 'run'],
    ['without an end', { ...good, window: { start: good.window.start } }, 'window.end'],
    ['with more of a window', { ...good, window: { ...good.window, more: 1 } }, 'window'],
    ['with more', { ...good, more: 1 }, ''],
    ['that does not say whether it is decided', { ...good, committed: undefined }, 'committed'],
    [
      'that decides on a manifest of another version',
      { ...good, committed: { ...committed, manifest: { manifestVersion: 2 } } },
      'committed.manifest.manifestVersion',
    ],
    [
      'that decides on no checkpoint, nor on none',
      { ...good, committed: { manifest: committed.manifest } },
      'committed.checkpoint',
    ],
    ['that decides on more', { ...good, committed: { ...committed, more: 1 } }, 'committed'],
    [
      'that decides on a checkpoint of no window',
      { ...good, committed: { ...committed, checkpoint: { source: hour(0).source } } },
      'committed.checkpoint.window',
    ],
    [
      'that decides on a window between seconds',
      {
        ...good,
        committed: { ...committed, checkpoint: { ...hour(0), window: { start: 0.5, end: 1 } } },
      },
      'committed.checkpoint.window.start',
    ],
    [
      'that decides on a checkpoint of more',
      { ...good, committed: { ...committed, checkpoint: { ...hour(0), more: 1 } } },
      'committed.checkpoint',
    ],
    [
      'that decides on a window of more',
      {
        ...good,
        committed: { ...committed, checkpoint: { ...hour(0), window: { start: 0, end: 1, more: 1 } } },
      },
      'committed.checkpoint.window',
    ],
  ])('%s is refused', async (_, stored, field) => {
    await place.put(JSON.stringify(stored));
    await expect(readClaim(place.bucket, place.key, SIGNAL)).rejects.toMatchObject({
      name: 'StoreError',
      message: `claim: ${place.key}: ${field}: not what version 1 wrote; was it edited, or made by a newer one?`,
    });
  });

  test('is not held once it is gone, another’s, of another window or decided', async () => {
    const held = await takeClaim(place.bucket, place.key, 'me', window, undefined, SIGNAL);
    if (held === undefined) throw new Error('nobody else was there');
    const isHeld = (): Promise<boolean> => isStillHeld(place.bucket, place.key, held, SIGNAL);
    expect(await isHeld()).toBe(true);
    for (const other of [
      { ...good, run: 'another' },
      { ...good, window: { ...good.window, start: '2025-06-01T23:00:00Z' } },
      { ...good, committed },
    ]) {
      await place.put(JSON.stringify(other));
      expect(await isHeld()).toBe(false);
    }
    await place.put(JSON.stringify(good));
    expect(await isHeld()).toBe(true);
    place.key = place.newKey();
    expect(await isHeld()).toBe(false);
  });

  test('that was taken over is told with its window', () => {
    expect(superseded(window)).toMatchObject({
      name: 'SupersededError',
      message: 'window 2025-06-02T00:00:00Z/2025-06-02T01:00:00Z: another invocation has taken it over',
    });
  });
});
