import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { renderReport } from '../report/page.ts';
import type { Ranking } from '../report/ranking.ts';
import type { DropStatistics } from '../report/statistics.ts';
import { type Expected, writeText } from '../store/bucket.ts';
import type { Window } from '../window.ts';
import type { Invocation } from './invocation.ts';
import type { Manifest } from './manifest.ts';
import type { Watch, Watched } from './watch.ts';

/**
 * Writes the page of a drop, beside its manifest, which it quotes and which then names it.
 *
 * @returns undefined where the page was changed by somebody else meanwhile
 * @throws PrivacyError where it holds a raw identifier
 */
export async function writeReport(
  { bucket, layout, signal }: Invocation,
  window: Window,
  { manifest, watch, watched }: { manifest: Manifest; watch: Watch; watched: Watched },
  expected: Expected,
): Promise<Manifest['report'] | undefined> {
  const key = layout.report(window);
  const folder = posix.dirname(key);
  const links = {
    index: posix.relative(folder, layout.index),
    manifest: posix.relative(folder, layout.manifest(window)),
  };
  const scan = watched.scan === null ? {} : { scan: watched.scan };
  const render = (of: DropStatistics): string => renderReport({ manifest, statistics: of, links, ...scan });
  const page = render(watched.statistics);
  const { statistics } = watched;
  const bare = { ...statistics, projects: nameless(statistics.projects), hosts: nameless(statistics.hosts) };
  watch.page(page, render(bare));
  const etag = await writeText(bucket, key, page, expected, signal, 'text/html; charset=utf-8');
  if (etag === undefined) return undefined;
  return { key, bytes: Buffer.byteLength(page), sha256: createHash('sha256').update(page).digest('hex') };
}

/** Nothing else on the page comes from masked columns. */
function nameless(ranking: Ranking): Ranking {
  return { ...ranking, top: ranking.top.map(({ rows }) => ({ rows, mask: '0'.repeat(32) })) };
}
