import { createHash } from 'node:crypto';
import { iso } from '../../../lib/core/time.ts';
import { companionsOf, filesOf } from '../../../lib/drop/manifest.ts';
import { packageFaults } from '../data-package.ts';
import { manifestFaults } from '../manifest-schema.ts';
import type { Objects, StoredDrop, StoredTrace } from './read.ts';

/**
 * What a trace promises at any moment, whatever was broken off: its drops are whole and never overlap, the scheduled
 * ones are one unbroken chain from `begin` on, the others end at or before it, and the masks of a release join.
 *
 * @returns what does not hold, one line each
 */
export function brokenPromises(trace: StoredTrace): string[] {
  const { drops, objects } = trace;
  const overlaps = drops.flatMap(({ start }, nth) => {
    const before = drops[nth - 1];
    return before !== undefined && start < before.end ? [`${iso(start)}: overlaps the drop before`] : [];
  });
  return [
    ...drops.flatMap((drop) => notWhole(drop, objects)),
    ...overlaps,
    ...(drops.length > 0 && trace.fixed === undefined ? ['drops, but no trace.json'] : []),
    ...(trace.fixed?.kind === 'scheduled' ? brokenSchedule(trace) : []),
    ...(trace.fixed?.kind === 'release' ? brokenRelease(trace) : []),
    ...unlisted(trace),
  ];
}

/** Also what is only decided lists nothing that is missing. */
function notWhole({ key, text, manifest }: StoredDrop, objects: Objects): string[] {
  const stored = objects.get(key)?.toString('utf8');
  const files = [...filesOf(manifest), ...companionsOf(manifest)];
  return [
    ...manifestFaults(manifest).map((fault) => `${key}: ${fault}`),
    ...(stored !== undefined && stored !== text ? [`${key} is not what was decided`] : []),
    ...files.flatMap((file) => {
      const bytes = objects.get(file.key);
      const isThere = bytes?.length === file.bytes && sha256Of(bytes) === file.sha256;
      return isThere ? [] : [`${file.key} is not what ${key} says`];
    }),
    ...packageFaults(manifest.datapackage.key, objects),
  ];
}

function brokenSchedule({ root, fixed, drops, checkpoint }: StoredTrace): string[] {
  const begin = fixed?.begin ?? Number.NaN;
  const wrong: string[] = [];
  let before: StoredDrop | undefined;
  for (const drop of drops) {
    const { start, end, manifest } = drop;
    const { previous } = manifest;
    if (previous === undefined) {
      if (end > begin) wrong.push(`${iso(start)}: a backfill published after begin, ${iso(begin)}`);
      continue;
    }
    if (start < begin) wrong.push(`${iso(start)}: the schedule published before begin, ${iso(begin)}`);
    const reached = before?.end ?? begin;
    if (start !== reached) wrong.push(`${iso(start)}: the schedule had reached ${iso(reached)}`);
    const expected = before === undefined ? null : { key: before.key, sha256: sha256Of(before.text) };
    if (JSON.stringify(previous) !== JSON.stringify(expected))
      wrong.push(`${iso(start)}: previous is not the drop before`);
    if (before?.isWhole === false) wrong.push(`${iso(start)}: follows a drop without a manifest`);
    before = drop;
  }
  const scheduled = drops.filter(({ manifest }) => manifest.previous !== undefined);
  const newest = scheduled.at(-1);
  const held = scheduled.find(({ end }) => end === checkpoint?.end);
  if (checkpoint !== undefined) {
    const { key, sha256 } = checkpoint.manifest;
    if (held === undefined || !held.isWhole)
      wrong.push(`the checkpoint is at ${iso(checkpoint.end)}, where no drop ends`);
    else if (key !== held.key || sha256 !== sha256Of(held.text))
      wrong.push('the checkpoint holds another manifest');
  }
  // At most one drop is decided and not finished.
  const behind = scheduled.filter(({ end }) => end > (checkpoint?.end ?? -Infinity)).length;
  if (behind > 1) wrong.push(`${root}: the checkpoint is ${behind} drops behind ${iso(newest?.end ?? 0)}`);
  return wrong;
}

function brokenRelease({ drops, fixed, release }: StoredTrace): string[] {
  const wrong: string[] = [];
  const { maskingScope, range, windowMinutes } = JSON.parse(fixed?.text ?? '') as {
    maskingScope: string;
    range: { start: string; end: string };
    windowMinutes: number;
  };
  for (const { start, end, manifest } of drops) {
    if (manifest.masking.scope !== maskingScope)
      wrong.push(`${iso(start)}: its masks do not join the others`);
    if (manifest.previous !== undefined) wrong.push(`${iso(start)}: a drop of a release has a previous one`);
    if (iso(start) < range.start || iso(end) > range.end)
      wrong.push(`${iso(start)}: is out of the release's range`);
  }
  if (release === undefined) return wrong;
  const count = (Date.parse(range.end) - Date.parse(range.start)) / (windowMinutes * 60_000);
  const listed = drops.map(({ key, text }) => ({ key, sha256: sha256Of(text) }));
  if (drops.some(({ isWhole }) => !isWhole) || drops.length !== count || release.windows !== count)
    wrong.push(`release.json: lists ${release.windows} windows, of ${count}, ${drops.length} are published`);
  if (JSON.stringify(release.manifests) !== JSON.stringify(listed))
    wrong.push('release.json: lists other manifests');
  if (release.maskingScope !== maskingScope) wrong.push('release.json: another masking scope');
  return wrong;
}

/** Data objects are listed by a drop, or an undecided claim says who may have written them. */
function unlisted({ root, drops, tried, objects }: StoredTrace): string[] {
  const listed = new Set(
    drops.flatMap(({ manifest }) => [...filesOf(manifest), ...companionsOf(manifest)].map(({ key }) => key)),
  );
  const isOther = (key: string): boolean =>
    key.startsWith(`${root}/state/`) ||
    (key.startsWith(`${root}/manifests/`) && key.endsWith('.json')) ||
    [`${root}/index.html`, `${root}/release.json`, `${root}/datapackage.json`].includes(key);
  return [...objects.keys()]
    .filter((key) => !isOther(key) && !listed.has(key) && !tried.has(key))
    .map((key) => `${key} is in no manifest`);
}

export function sha256Of(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}
