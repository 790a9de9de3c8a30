import * as fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Checkpoint } from '../../../lib/drop/checkpoint.ts';
import {
  type Decided,
  type FoundClaim,
  assertHeld,
  decideClaim,
  isDecided,
  readClaim,
  superseded,
  takeClaim,
} from '../../../lib/drop/claim.ts';
import type { Place } from '../../../lib/drop/place.ts';
import { SupersededError } from '../../../lib/core/errors.ts';
import { HOUR } from '../../../lib/core/time.ts';
import type { Window } from '../../../lib/core/window.ts';
import { useBucket } from '../../support/bucket.ts';

const START = Date.UTC(2025, 5, 2) / 1000;

const place = useBucket();
let trace: Place;

beforeEach(() => {
  trace = place.newTrace();
  place.key = trace.layout.claim;
});

const hour = (n: number): Window => ({ start: START + n * HOUR, end: START + (n + 1) * HOUR });
const checkpoint = (n: number): Checkpoint => ({
  window: hour(n),
  manifest: { key: 'manifests/one.json', sha256: 'ff' },
  tables: { instance_events: { source: 'database', begin: START, state: {} } },
});
const decided = (n: number): Decided => ({
  manifest: `{\n  "cloud": "test ${n}"\n}\n`,
  checkpoint: checkpoint(n),
});

/** What is answered, or undefined where another run was quicker. */
const unlessSuperseded = <T>(answer: Promise<T>): Promise<T | undefined> =>
  answer.catch((error: unknown) => {
    if (error instanceof SupersededError) return undefined;
    throw error;
  });
const isHeld = (of: Place, claim: FoundClaim): Promise<boolean> =>
  assertHeld(of, of.layout.claim, claim).then(
    () => true,
    (error: unknown) => {
      expect(error).toBeInstanceOf(SupersededError);
      return false;
    },
  );
const read = (of = trace): Promise<FoundClaim | undefined> => readClaim(of, of.layout.claim);
const take = (
  run: string,
  found: FoundClaim | undefined,
  { window = hour(0), keys = ['a.csv.gz'], of = trace } = {},
): Promise<FoundClaim | undefined> =>
  unlessSuperseded(takeClaim(of, of.layout.claim, { run, window, keys }, found));
const decide = (claim: FoundClaim, n = 0, of = trace) =>
  unlessSuperseded(decideClaim(of, of.layout.claim, claim, decided(n)));

describe('the claim', () => {
  test('is one run’s of many that find it free, or find it taken by the same', async () => {
    for (let round = 0; round < 3; round++) {
      const found = await read();
      const taken = await Promise.all(['a', 'b', 'c'].map((run) => take(`${run}${round}`, found)));
      const held = taken.filter((claim) => claim !== undefined);
      expect(held).toHaveLength(1);
      expect((await read())?.claim).toEqual(held[0]?.claim);
    }
  });

  test('in any order of steps of two runs is decided by a run only while it is its own', async () => {
    const steps = fc.array(fc.tuple(fc.nat(1), fc.constantFrom('read', 'take', 'held', 'decide')), {
      maxLength: 16,
    });
    await fc.assert(
      fc.asyncProperty(steps, async (list) => {
        const of = place.newTrace();
        const found: (FoundClaim | undefined)[] = [undefined, undefined];
        const held: (FoundClaim | undefined)[] = [undefined, undefined];
        let owner: number | undefined;
        let isOver = false;
        /** What must not happen: each as a word. */
        const wrongs: string[] = [];
        for (const [n, step] of list) {
          const mine = held[n];
          if (step === 'read') found[n] = await read(of);
          if (step === 'take' && (found[n]?.claim.decided ?? null) === null) {
            const taken = await take(`run ${n}`, found[n], { of });
            if (taken === undefined) continue;
            if (isOver) wrongs.push('what was decided is taken over by a run that saw it undecided');
            held[n] = taken;
            owner = n;
          }
          if (mine === undefined) continue;
          if (step === 'held' && owner !== n && (await isHeld(of, mine))) {
            wrongs.push('held after another took it');
          }
          if (step === 'decide') {
            if ((await decide(mine, n, of)) === undefined) continue;
            if (owner !== n) wrongs.push('decided after another took it');
            isOver = true;
          }
        }
        expect(wrongs).toEqual([]);
        const last = await read(of);
        expect(last?.claim.decided ?? null).toEqual(isOver ? decided(owner ?? -1) : null);
      }),
      { numRuns: 60 },
    );
  });

  test('is held until another run takes it or it is decided', async () => {
    const mine = (await take('a', undefined))!;
    expect(await isHeld(trace, mine)).toBe(true);
    const other = (await take('b', await read()))!;
    expect(await isHeld(trace, mine)).toBe(false);
    expect(await decide(mine)).toBe(undefined);
    expect(await decide(other)).not.toBe(undefined);
    expect(await isHeld(trace, other)).toBe(false);
  });

  test('of a run whose answers are lost is its own', async () => {
    place.loseNextAnswer();
    const mine = await take('a', undefined);
    expect(mine?.claim.run).toBe('a');
    place.loseNextAnswer();
    expect(await decide(mine!)).not.toBe(undefined);
    expect((await read())?.claim.decided).toEqual(decided(0));
  });

  test('lists the keys that all runs have tried for its window, each once', async () => {
    await take('a', undefined, { keys: ['w.csv.gz', 'w.jsonl.gz'] });
    await take('b', await read(), { keys: ['w.csv.gz', 'w.parquet'] });
    expect((await read())?.claim.tried).toEqual(['w.csv.gz', 'w.jsonl.gz', 'w.parquet']);
  });

  test('forgets the keys of another window, which may be published by now', async () => {
    await take('a', undefined, { keys: ['w0.csv.gz'] });
    const next = await take('b', await read(), { window: hour(1), keys: ['w1.csv.gz'] });
    expect(next?.claim.tried).toEqual(['w1.csv.gz']);
  });

  test('that is decided and finished is taken for the next window, with the keys of that alone', async () => {
    await decide((await take('a', undefined, { keys: ['w0.csv.gz'] }))!);
    const next = await take('b', await read(), { window: hour(1), keys: ['w1.csv.gz'] });
    expect(next?.claim).toEqual({ run: 'b', window: hour(1), tried: ['w1.csv.gz'], decided: null });
  });

  test.each(['garbage', '', 'null', '{}', '[]', '{"run":"a","decided":null}', '{"claimVersion":3}'])(
    'that is %j is refused by name',
    async (body) => {
      // Other clients send no empty body as a stream.
      await place.put(body === '' ? ' ' : body);
      await expect(read()).rejects.toMatchObject({
        name: 'StoreError',
        message: expect.stringMatching(new RegExp(`^claim: ${place.key}: .*version 2`)),
      });
    },
  );
});

describe('what is stored as a claim', () => {
  const good = {
    claimVersion: 2,
    run: 'me',
    window: { start: '2025-06-02T00:00:00Z', end: '2025-06-02T01:00:00Z' },
    tried: ['a.csv.gz'],
    decided: null,
  };
  const over = decided(0);

  test('is what its version says, and keeps run, window and keys when it is decided', async () => {
    const held = (await take('me', undefined))!;
    expect(await place.text()).toBe(JSON.stringify(good));
    const ours = await decide(held);
    expect(JSON.parse(await place.text())).toEqual({ ...good, decided: over });
    const found = await read();
    expect(found?.claim).toEqual(ours);
    expect([isDecided(held.claim), found && isDecided(found.claim)]).toEqual([false, true]);
  });

  test('holds the manifest byte for byte, and no checkpoint where a backfill decides', async () => {
    const manifest = '{"a":"line\\u2028 and\\ttab","é":1}\n';
    await decideClaim(trace, trace.layout.claim, (await take('me', undefined))!, {
      manifest,
      checkpoint: null,
    });
    expect((await read())?.claim.decided).toEqual({ manifest, checkpoint: null });
  });

  const window = { start: 0, end: 1 };
  test.each<[string, unknown, string]>([
    ['of another version', { ...good, claimVersion: 1 }, 'claimVersion'],
    ['without its run', { ...good, run: undefined }, 'run'],
    ['without an end', { ...good, window: { start: good.window.start } }, 'window.end'],
    [
      'whose window starts at no time',
      { ...good, window: { ...good.window, start: 'noon' } },
      'window.start',
    ],
    ['with more of a window', { ...good, window: { ...good.window, more: 1 } }, 'window'],
    ['without the keys that were tried', { ...good, tried: undefined }, 'tried'],
    ['with a key that is no text', { ...good, tried: [1] }, 'tried.0'],
    ['with more', { ...good, more: 1 }, ''],
    ['that does not say whether it is decided', { ...good, decided: undefined }, 'decided'],
    [
      'that decides on a manifest that is not its text',
      { ...good, decided: { ...over, manifest: {} } },
      'decided.manifest',
    ],
    [
      'that decides on no checkpoint, nor on none',
      { ...good, decided: { manifest: over.manifest } },
      'decided.checkpoint',
    ],
    ['that decides on more', { ...good, decided: { ...over, more: 1 } }, 'decided'],
    [
      'that decides on a checkpoint of no window',
      { ...good, decided: { ...over, checkpoint: { ...checkpoint(0), window: undefined } } },
      'decided.checkpoint.window',
    ],
    [
      'that decides on a checkpoint of no manifest',
      { ...good, decided: { ...over, checkpoint: { ...checkpoint(0), manifest: undefined } } },
      'decided.checkpoint.manifest',
    ],
    [
      'that decides on a window between seconds',
      { ...good, decided: { ...over, checkpoint: { ...checkpoint(0), window: { ...window, start: 0.5 } } } },
      'decided.checkpoint.window.start',
    ],
    [
      'that decides on a checkpoint of no tables',
      { ...good, decided: { ...over, checkpoint: { ...checkpoint(0), tables: undefined } } },
      'decided.checkpoint.tables',
    ],
    [
      'that decides on a checkpoint of more',
      { ...good, decided: { ...over, checkpoint: { ...checkpoint(0), more: 1 } } },
      'decided.checkpoint',
    ],
    [
      'that decides on a window of more',
      { ...good, decided: { ...over, checkpoint: { ...checkpoint(0), window: { ...window, more: 1 } } } },
      'decided.checkpoint.window',
    ],
  ])('%s is refused', async (_, stored, field) => {
    await place.put(JSON.stringify(stored));
    await expect(read()).rejects.toMatchObject({
      name: 'StoreError',
      message: `claim: ${place.key}: ${field}: not what version 2 wrote; was it edited, or made by a newer one?`,
    });
  });

  test('is not held once it is gone, another’s, of another window or decided', async () => {
    const held = (await take('me', undefined))!;
    expect(await isHeld(trace, held)).toBe(true);
    for (const other of [
      { ...good, run: 'another' },
      { ...good, window: { ...good.window, start: '2025-06-01T23:00:00Z' } },
      { ...good, decided: over },
    ]) {
      await place.put(JSON.stringify(other));
      expect(await isHeld(trace, held)).toBe(false);
    }
    await place.put(JSON.stringify(good));
    expect(await isHeld(trace, held)).toBe(true);
    expect(await isHeld(place.newTrace(), held)).toBe(false);
  });

  test('that was taken over is told with its window', () => {
    expect(superseded(hour(0))).toMatchObject({
      name: 'SupersededError',
      message: 'window 2025-06-02T00:00:00Z/2025-06-02T01:00:00Z: another run has taken it over',
    });
  });
});
