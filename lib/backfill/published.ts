import { InputError } from '../errors.ts';
import type { Manifest } from '../drop/manifest.ts';
import { publishedWithin } from '../drop/published-windows.ts';
import type { Where } from '../drop/where.ts';
import { readText } from '../store/bucket.ts';
import { type Seconds, parseInstant } from '../time.ts';
import { type Window, windowKey, windowText } from '../window.ts';

/**
 * The windows of a range that are published, by their keys, as the manifests' names tell.
 *
 * @throws InputError where windows of another length are published there, which would hold the same events
 */
export async function publishedIn(where: Where, windows: readonly Window[]): Promise<ReadonlySet<string>> {
  const [first, last] = [windows[0], windows.at(-1)];
  if (first === undefined || last === undefined) return new Set();
  const ours = new Set(windows.map(windowKey));
  const found = new Set<string>();
  for await (const window of publishedWithin(where, { start: first.start, end: last.end })) {
    if (!ours.has(windowKey(window))) {
      throw new InputError(
        `event: start: the range overlaps window ${windowText(window)}, which is published and of another length; ` +
          'accepted: a range without it',
      );
    }
    found.add(windowKey(window));
  }
  return found;
}

/** A drop of the schedule that holds events of earlier windows, or lacks some that have been rewritten into it. */
export interface Displaced {
  readonly window: Window;
  /** How many events. */
  readonly count: number;
  /** Those of them that lie in earlier drops. */
  readonly rewritten: number;
  /** When the earliest of them finished, or had finished at first. */
  readonly from: Seconds;
}

/** All such drops from a time on. Reads every manifest since, for an event may come any number of windows late. */
export async function* displacedSince(where: Where, time: Seconds): AsyncGenerator<Displaced, void, void> {
  const since = publishedWithin(where, { start: time, end: Infinity });
  for await (const [window, manifest] of manifestsOf(where, since)) {
    const from = parseInstant(manifest.displacedFrom ?? '');
    if (from === undefined) continue;
    const { late, rewritten } = manifest.counts;
    yield { window, from, rewritten, count: late + rewritten };
  }
}

const AT_ONCE = 32;

/** The manifests of windows, in their order; without those that are gone. */
export async function* manifestsOf(
  { bucket, layout, signal }: Where,
  windows: Iterable<Window> | AsyncIterable<Window>,
): AsyncGenerator<[Window, Manifest], void, void> {
  let some: Window[] = [];
  const read = async function* (): AsyncGenerator<[Window, Manifest], void, void> {
    const stored = await Promise.all(some.map((window) => readText(bucket, layout.manifest(window), signal)));
    for (const [nth, window] of some.entries()) {
      const manifest = stored[nth]?.json() as Manifest | undefined;
      if (manifest !== undefined) yield [window, manifest];
    }
    some = [];
  };
  for await (const window of windows) {
    some.push(window);
    if (some.length === AT_ONCE) yield* read();
  }
  yield* read();
}
