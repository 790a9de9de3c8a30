import { DAY, isoDate, parseCompact } from '../core/time.ts';
import { type Window, windowKey } from '../core/window.ts';
import type { Manifest } from './manifest.ts';
import type { Place } from './place.ts';

/** Those of some windows, in order, that no run has published. */
export async function missingIn(place: Place, windows: readonly Window[]): Promise<Window[]> {
  const [start, end] = [windows[0]?.start ?? 0, windows.at(-1)?.end ?? 0];
  const keys = new Set<string>();
  for await (const window of publishedWithin(place, { start, end })) keys.add(windowKey(window));
  return windows.filter((window) => !keys.has(windowKey(window)));
}

/** The published windows that overlap a range, as the names of their manifests tell. */
export async function* publishedWithin(
  { store, layout, signal }: Place,
  range: Window,
): AsyncGenerator<Window, void, void> {
  // A window does not span two dates, and its manifest lies under its own.
  const after = `${layout.manifests}date=${isoDate(range.start - DAY)}0`;
  const beyond = `${layout.manifests}date=${isoDate(range.end)}0`;
  for await (const { key } of store.list(layout.manifests, after, signal)) {
    if (key >= beyond) return;
    const window = windowOfKey(key);
    if (window !== undefined && window.end > range.start && window.start < range.end) yield window;
  }
}

/** The window of a manifest; undefined for the key of anything else. */
export function windowOfKey(key: string): Window | undefined {
  const [, from = '', to = ''] = /\/(\d{8}T\d{6}Z)-(\d{8}T\d{6}Z)\.json$/.exec(key) ?? [];
  const [start, end] = [parseCompact(from), parseCompact(to)];
  return start === undefined || end === undefined ? undefined : { start, end };
}

/** A manifest, and its bytes as they are stored. */
export interface StoredManifest {
  readonly key: string;
  readonly text: string;
  readonly manifest: Manifest;
}

const AT_ONCE = 32;

/** The manifests of windows, in order. Missing ones are left out. */
export async function* manifestsOf(
  { store, layout, signal }: Place,
  windows: readonly Window[],
): AsyncGenerator<StoredManifest, void, void> {
  for (let at = 0; at < windows.length; at += AT_ONCE) {
    const keys = windows.slice(at, at + AT_ONCE).map((window) => layout.manifest(window));
    const stored = await Promise.all(keys.map((key) => store.readText(key, signal)));
    for (const [nth, key] of keys.entries()) {
      const found = stored[nth];
      if (found !== undefined) yield { key, text: found.text, manifest: found.json() as Manifest };
    }
  }
}
