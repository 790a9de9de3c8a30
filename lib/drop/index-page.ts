import { posix } from 'node:path';
import * as z from 'zod/mini';
import { firstLine } from '../errors.ts';
import type { DropEntry } from '../report/calendar.ts';
import type { Settings } from '../settings.ts';
import { expectedNow, listObjects, readText, writeText } from '../store/bucket.ts';
import { DAY, type Seconds, isoDate, parseInstant } from '../time.ts';
import { readCheckpoint } from './checkpoint.ts';
import type { Log } from './invocation.ts';
import type { Manifest } from './manifest.ts';
import { windowOfKey } from './published.ts';
import type { Place } from './place.ts';

/** How many days the page shows: a quarter of a year. */
const DAYS = 92;

/** Manifests that are read at once. */
const AT_ONCE = 16;

/** A manifest as it was when the page was last made; its ETag tells whether it is the same. */
const Known = z.strictObject({
  key: z.string(),
  etag: z.string(),
  start: z.int(),
  end: z.int(),
  events: z.int(),
  late: z.int(),
  stillOpen: z.int(),
  created: z.int(),
  /** Whether it has a page of its own. */
  report: z.nullable(z.string()),
});
type Known = z.infer<typeof Known>;

const State = z.strictObject({ indexVersion: z.literal(1), drops: z.array(Known) });

/**
 * Makes the page over a cloud's last drops anew from their manifests, if there are others than when it was made last;
 * of these it reads only the new ones.
 * A page is no part of a drop: what goes wrong is logged, and the next run makes it good.
 *
 * @param until the end of the last window that was just published; the schedule may have gone further
 */
export async function refreshIndex(
  place: Place & { readonly settings: Settings; readonly log: Log },
  until: Seconds,
): Promise<void> {
  const { settings, signal } = place;
  if (!settings.report || signal.aborted) return;
  try {
    const stored = await readCheckpoint(place);
    await makeIndex(place, Math.max(until, stored?.checkpoint.window.end ?? 0));
  } catch (error) {
    place.log('the index page was not made anew', { reason: firstLine(error) });
  }
}

async function makeIndex(place: Place & { readonly settings: Settings }, until: Seconds): Promise<void> {
  const { bucket, layout, settings, signal } = place;
  const stored = z.safeParse(State, (await readText(bucket, layout.indexState, signal))?.json());
  const before = new Map((stored.data?.drops ?? []).map((drop) => [drop.key, drop]));

  const found: { key: string; etag: string }[] = [];
  const after = `${layout.manifests}date=${isoDate(until - DAYS * DAY)}`;
  for await (const object of listObjects(bucket, layout.manifests, after, signal)) {
    if (windowOfKey(object.key) !== undefined) found.push(object);
  }
  const isKnown = ({ key, etag }: { key: string; etag: string }): boolean => before.get(key)?.etag === etag;
  const drops = found.filter(isKnown).map(({ key }) => before.get(key) as Known);
  const unknown = found.filter((object) => !isKnown(object));
  if (unknown.length === 0 && drops.length === before.size) return;
  for (let at = 0; at < unknown.length; at += AT_ONCE) {
    const read = await Promise.all(unknown.slice(at, at + AT_ONCE).map(({ key }) => readDrop(place, key)));
    drops.push(...read.filter((drop) => drop !== undefined));
  }
  drops.sort((a, b) => a.start - b.start);

  const { renderIndex } = await import('../report/index-page.ts');
  const { cloud, windowSeconds } = settings;
  const page = renderIndex({ cloud, windowSeconds, drops: drops.map((drop) => entryOf(drop, layout.index)) });
  const put = async (key: string, text: string, type: string): Promise<void> => {
    // Whoever is quicker has seen as much.
    await writeText(bucket, key, text, await expectedNow(bucket, key, signal), signal, type);
  };
  await put(layout.index, page, 'text/html; charset=utf-8');
  await put(layout.indexState, JSON.stringify({ indexVersion: 1, drops }), 'application/json');
}

async function readDrop({ bucket, signal }: Place, key: string): Promise<Known | undefined> {
  const stored = await readText(bucket, key, signal);
  const window = windowOfKey(key);
  // It may be about to be replaced.
  if (stored === undefined || window === undefined) return undefined;
  const { counts, created, report } = stored.json() as Manifest;
  const { events, late, stillOpen } = counts;
  return {
    key,
    etag: stored.etag,
    ...window,
    events,
    late,
    stillOpen,
    created: parseInstant(created) ?? 0,
    report: report?.key ?? null,
  };
}

function entryOf(
  { key, start, end, report, events, late, stillOpen, created }: Known,
  index: string,
): DropEntry {
  const href = posix.relative(posix.dirname(index), report ?? key);
  return { window: { start, end }, events, late, stillOpen, created, href };
}
