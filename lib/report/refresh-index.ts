import { posix } from 'node:path';
import * as z from 'zod/mini';
import { firstLine } from '../core/errors.ts';
import type { DropEntry } from './calendar.ts';
import type { Settings } from '../config/settings.ts';
import { instanceEvents } from '../tables/instance-events/table.ts';
import { instances } from '../tables/instances/table.ts';
import { DAY, type Seconds, isoDate, parseInstant } from '../core/time.ts';
import { readCheckpoint } from '../drop/checkpoint.ts';
import type { Log } from '../core/log.ts';
import { windowOfKey } from '../drop/published.ts';
import type { Place } from '../drop/place.ts';
import type { Layout } from '../store/layout.ts';
import type { Listed } from '../store/store.ts';

/** How many days the page shows: a quarter of a year. */
const DAYS = 92;

/** Manifests that are read at once. */
const AT_ONCE = 16;

/** A manifest as it was when the page was last made; its tag tells whether it is the same. */
const Known = z.strictObject({
  key: z.string(),
  tag: z.string(),
  start: z.int(),
  end: z.int(),
  events: z.int(),
  late: z.int(),
  stillOpen: z.int(),
  bytes: z.int(),
  servers: z.nullable(z.int()),
  created: z.int(),
  /** Whether it has a report. The layout gives its place: the page never links to a key from a manifest. */
  hasReport: z.boolean(),
});
type Known = z.infer<typeof Known>;

/** What the page takes from a manifest. */
const Shown = z.object({
  tables: z.record(
    z.string(),
    z.object({
      counts: z.object({ rows: z.int(), late: z.int(), stillOpen: z.int() }),
      files: z.array(z.object({ bytes: z.int() })),
    }),
  ),
  created: z.string(),
  report: z.optional(z.nullable(z.object({ key: z.string() }))),
});

const State = z.strictObject({ indexVersion: z.literal(4), drops: z.array(Known) });

/**
 * Makes the page over a trace's last drops from their manifests, if there are new drops. It reads only manifests that
 * are new or have changed. The page is not part of a drop: failures are logged, and the next run makes the page.
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
    place.log('the index page was not renewed', { reason: firstLine(error) });
  }
}

async function makeIndex(place: Place & { readonly settings: Settings }, until: Seconds): Promise<void> {
  const { store, layout, settings, signal } = place;
  const stored = z.safeParse(State, (await store.readText(layout.indexState, signal))?.json());
  const before = new Map((stored.data?.drops ?? []).map((drop) => [drop.key, drop]));

  const found: Listed[] = [];
  const after = `${layout.manifests}date=${isoDate(until - DAYS * DAY)}`;
  for await (const object of store.list(layout.manifests, after, signal)) {
    const window = windowOfKey(object.key);
    if (window !== undefined && layout.manifest(window) === object.key) found.push(object);
  }
  const isKnown = ({ key, tag }: Listed): boolean => before.get(key)?.tag === tag;
  const drops = found.filter(isKnown).map(({ key }) => before.get(key) as Known);
  const unknown = found.filter((object) => !isKnown(object));
  if (unknown.length === 0 && drops.length === before.size) return;
  for (let at = 0; at < unknown.length; at += AT_ONCE) {
    const read = await Promise.all(unknown.slice(at, at + AT_ONCE).map((one) => readDrop(place, one)));
    drops.push(...read.filter((drop) => drop !== undefined));
  }
  drops.sort((a, b) => a.start - b.start);

  const { renderIndex } = await import('./index-page.ts');
  const { cloud, windowSeconds } = settings;
  const page = renderIndex({ cloud, windowSeconds, drops: drops.map((drop) => entryOf(drop, layout)) });
  const put = async (key: string, text: string, type: string): Promise<void> => {
    // A quicker run has already seen the same drops.
    await store.writeText(key, text, await store.expectedNow(key, signal), signal, type);
  };
  await put(layout.index, page, 'text/html; charset=utf-8');
  await put(layout.indexState, JSON.stringify({ indexVersion: 4, drops }), 'application/json');
}

/** Undefined if it no longer exists or cannot be read. */
async function readDrop({ store, layout, signal }: Place, { key, tag }: Listed): Promise<Known | undefined> {
  const stored = await store.readText(key, signal);
  const window = windowOfKey(key);
  const { data } = z.safeParse(Shown, stored?.json());
  if (stored === undefined || window === undefined || data === undefined) return undefined;
  const { tables, created, report } = data;
  const { rows = 0, late = 0, stillOpen = 0 } = tables[instanceEvents.name]?.counts ?? {};
  return {
    key,
    tag,
    ...window,
    events: rows,
    late,
    stillOpen,
    bytes: Object.values(tables)
      .flatMap(({ files }) => files)
      .reduce((sum, file) => sum + file.bytes, 0),
    servers: tables[instances.name]?.counts.rows ?? null,
    created: parseInstant(created) ?? 0,
    hasReport: report?.key === layout.report(window),
  };
}

function entryOf({ start, end, hasReport, ...drop }: Known, layout: Layout): DropEntry {
  const { events, late, stillOpen, bytes, servers, created } = drop;
  const window = { start, end };
  const key = hasReport ? layout.report(window) : layout.manifest(window);
  const href = posix.relative(posix.dirname(layout.index), key);
  return { window, events, late, stillOpen, bytes, servers, created, href };
}
