import { InputError } from '../errors.ts';
import type { Invocation } from '../drop/invocation.ts';
import type { Manifest } from '../drop/manifest.ts';
import { listKeys, readText } from '../store/bucket.ts';
import { DAY, type Seconds, isoDate, parseCompact, parseInstant } from '../time.ts';
import { type Window, windowKey, windowText } from '../window.ts';

/**
 * The windows of a range that are published, by their keys, as the manifests' names tell.
 *
 * @throws InputError where windows of another length are published there, which would hold the same events
 */
export async function publishedIn(
  { bucket, layout, signal }: Pick<Invocation, 'bucket' | 'layout' | 'signal'>,
  windows: readonly Window[],
): Promise<ReadonlySet<string>> {
  const [first, last] = [windows[0], windows.at(-1)];
  if (first === undefined || last === undefined) return new Set();
  const ours = new Set(windows.map(windowKey));
  const found = new Set<string>();
  // A window does not span two dates, and its manifest lies under its own.
  const after = `${layout.manifests}date=${isoDate(first.start - DAY)}0`;
  const beyond = `${layout.manifests}date=${isoDate(last.end)}0`;
  for await (const key of listKeys(bucket, layout.manifests, after, signal)) {
    if (key >= beyond) break;
    const window = windowOfKey(key);
    if (window === undefined || window.end <= first.start || window.start >= last.end) continue;
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

/** Which of these published windows were made at that time or later: another try has just made them anew. */
export async function madeSince(
  { bucket, layout, signal }: Pick<Invocation, 'bucket' | 'layout' | 'signal'>,
  windows: readonly Window[],
  time: Seconds,
): Promise<ReadonlySet<string>> {
  const made = new Set<string>();
  for (const window of windows) {
    const stored = await readText(bucket, layout.manifest(window), signal);
    const manifest = stored?.json() as Manifest | undefined;
    if ((parseInstant(manifest?.created ?? '') ?? -Infinity) >= time) made.add(windowKey(window));
  }
  return made;
}

/** How many events of earlier windows a published drop holds. */
export async function lateIn({ bucket, layout, signal }: Invocation, window: Window): Promise<number> {
  const stored = await readText(bucket, layout.manifest(window), signal);
  return (stored?.json() as Manifest | undefined)?.counts?.late ?? 0;
}

function windowOfKey(key: string): Window | undefined {
  const [, from = '', to = ''] = /\/(\d{8}T\d{6}Z)-(\d{8}T\d{6}Z)\.json$/.exec(key) ?? [];
  const [start, end]: (Seconds | undefined)[] = [parseCompact(from), parseCompact(to)];
  return start === undefined || end === undefined ? undefined : { start, end };
}
