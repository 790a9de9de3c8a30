import * as fc from 'fast-check';
import { expect } from 'vitest';
import { cpuSeconds } from '../support/cpu-seconds.ts';
import { StarError, UnexpectedError, tellable } from '../../lib/core/errors.ts';

/** Inputs by property; a small sample where nothing is said. `npm run test:fuzz` says more. */
export const RUNS = Number(process.env['FUZZ_RUNS'] ?? 200);
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_125);

/** Stands for what must not be told: a password, a token, a key. Nothing else looks like it. */
export const MARK = 'q7ZxW9kLmP2v';

/** Text with the mark in it, among what is awkward in URLs, shells, YAML, JSON and option files. */
export const secretText: fc.Arbitrary<string> = fc
  .tuple(
    fc.string({ maxLength: 6 }),
    fc.string({ unit: 'grapheme', maxLength: 4 }),
    fc.constantFrom('', '#', '@', ':', '%', "'", '"', '\\', '$', '`', ' ', '\n', '{', '&'),
  )
  .map(([before, behind, awkward]) => `${before}${awkward}${MARK}${awkward}${behind}`);

/** Nothing that is read takes a tenth of it, on any machine; what takes longer hangs, or would with a little more. */
const HANGS_CPU_SECONDS = 5;

export interface Tried {
  inputs: number;
  accepted: number;
  refused: number;
}

/**
 * Tries inputs: each is accepted, or refused by an error of the product's own, of one line, that tells nothing of what
 * is marked.
 */
export async function expectOwnErrors<T>(
  name: string,
  inputs: fc.Arbitrary<T>,
  read: (input: T) => unknown,
  runs = RUNS,
): Promise<Tried> {
  const tried: Tried = { inputs: 0, accepted: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(inputs, async (input) => {
      tried.inputs++;
      let error: unknown;
      const cost = await cpuSeconds(async () => {
        try {
          await read(input);
          tried.accepted++;
        } catch (refusal) {
          tried.refused++;
          error = refusal;
        }
      });
      expect(cost).toBeLessThan(HANGS_CPU_SECONDS);
      if (error !== undefined) {
        expect(error).toBeInstanceOf(StarError);
        expect(error).not.toBeInstanceOf(UnexpectedError);
        const { message } = error as Error;
        expect(loggedOf(error)).not.toContain(MARK);
        expect(message.split('\n')).toHaveLength(1);
        expect(message.length).toBeLessThan(1500);
      }
    }),
    { numRuns: runs, seed: SEED },
  );
  if (process.env['FUZZ_RUNS'] !== undefined) {
    process.stdout.write(
      `${name}: ${tried.inputs} inputs, ${tried.accepted} accepted, ${tried.refused} refused\n`,
    );
  }
  return tried;
}

/** All that Lambda logs of an error that a handler throws: its stack, message included, and what hangs on it. */
export function loggedOf(error: unknown): string {
  const told = tellable(error);
  return `${told.message} ${told.stack} ${JSON.stringify(told)}`;
}

type Node = Record<string, unknown>;

/**
 * What is right, with up to three things in it taken out, put in or replaced: most of what people send is nearly right.
 *
 * @param bases right ones
 * @param values what is put in the place of others
 */
export function nearly(bases: readonly object[], values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const change = fc.record({
    at: fc.nat(1000),
    kind: fc.constantFrom('remove', 'replace', 'replace', 'add'),
    name: fc.string({ unit: 'grapheme', maxLength: 8 }),
    value: values,
  });
  return fc.tuple(fc.constantFrom(...bases), fc.array(change, { maxLength: 3 })).map(([base, changes]) => {
    const made = structuredClone(base) as Node;
    for (const { at, kind, name, value } of changes) {
      const places = placesIn(made);
      const place = places[at % Math.max(1, places.length)];
      if (place === undefined) continue;
      const [holder, key] = place;
      if (kind === 'remove') delete holder[key];
      else if (kind === 'replace') holder[key] = value;
      else if (!Array.isArray(holder))
        Object.defineProperty(holder, name, { value, enumerable: true, configurable: true, writable: true });
    }
    return made;
  });
}

function placesIn(holder: Node, depth = 0): [holder: Node, key: string][] {
  return Object.entries(holder).flatMap(([key, value]): [Node, string][] => [
    [holder, key],
    ...(typeof value === 'object' && value !== null && depth < 10 ? placesIn(value as Node, depth + 1) : []),
  ]);
}
