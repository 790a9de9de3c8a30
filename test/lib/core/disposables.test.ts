import { describe, expect, test } from 'vitest';
import { type Disposables, disposables } from '../../../lib/core/disposables.ts';

describe('Things that are closed together', () => {
  const closed: string[] = [];
  const thing = (name: string, fails = false): AsyncDisposable & { readonly name: string } => ({
    name,
    [Symbol.asyncDispose]() {
      closed.push(name);
      return fails ? Promise.reject(new Error(name)) : Promise.resolve();
    },
  });

  test('are closed in the opposite order, once', async () => {
    closed.length = 0;
    const all = disposables();
    expect(all.use(thing('a')).name).toBe('a');
    all.use(thing('b'));
    await all[Symbol.asyncDispose]();
    await all[Symbol.asyncDispose]();
    expect(closed).toEqual(['b', 'a']);
  });

  test('are all closed though one fails, which is what it says', async () => {
    closed.length = 0;
    const all = disposables();
    for (const one of [thing('a'), thing('b', true), thing('c')]) all.use(one);
    await expect(all[Symbol.asyncDispose]()).rejects.toThrow('b');
    expect(closed).toEqual(['c', 'b', 'a']);
  });

  test('stay open where they were handed over', async () => {
    closed.length = 0;
    let moved: Disposables | undefined;
    {
      await using all = disposables();
      all.use(thing('a'));
      moved = all.move();
    }
    expect(closed).toEqual([]);
    await moved[Symbol.asyncDispose]();
    expect(closed).toEqual(['a']);
  });
});
