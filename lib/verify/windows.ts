import { type Seconds, iso } from '../core/time.ts';
import { type Window, windowText } from '../core/window.ts';
import type { Checkpoint } from '../drop/checkpoint.ts';
import type { CheckedDrop } from './drops.ts';
import { type Finding, fault, note } from './fault.ts';

/**
 * Holds the drops of a scheduled trace against each other: from `begin` on each names the one before, without gaps or
 * overlaps, up to the checkpoint; before `begin` windows may be missing.
 *
 * @param since drops that end before or then were not looked at
 */
export function checkSchedule(
  drops: readonly CheckedDrop[],
  begin: Seconds,
  checkpoint: Checkpoint | undefined,
  since: Seconds,
): Finding[] {
  const [past, scheduled] = [
    drops.filter(({ window }) => window.start < begin),
    drops.filter(({ window }) => window.start >= begin),
  ];
  const findings = [...between(past, note), ...overlaps(past)];
  const last = past.at(-1);
  if (last !== undefined && last.window.end > begin)
    findings.push(fault(`${last.key}: reaches beyond the begin of the trace, ${iso(begin)}`));
  for (const { key } of past.filter(({ previous }) => previous !== undefined))
    findings.push(fault(`${key}: names a drop before it, but lies before the begin of the trace`));

  const start = Math.max(begin, since);
  const [first] = scheduled;
  if (first !== undefined && first.window.start > start && checkpoint !== undefined)
    findings.push(fault(`${gapText({ start, end: first.window.start })}: no drop is there`));
  findings.push(...between(scheduled, fault), ...overlaps(scheduled), ...chain(scheduled, begin));
  return [...findings, ...end(scheduled, checkpoint, start)];
}

/** Holds the drops of a release against its range. */
export function checkRange(drops: readonly CheckedDrop[], range: Window, isComplete: boolean): Finding[] {
  const tell = isComplete ? fault : note;
  const edges = (at: Seconds): CheckedDrop => ({
    key: '',
    window: { start: at, end: at },
    sha256: '',
    previous: undefined,
    keys: [],
    files: [],
    totals: {},
  });
  return [...between([edges(range.start), ...drops, edges(range.end)], tell), ...overlaps(drops)];
}

function between(drops: readonly CheckedDrop[], tell: (text: string) => Finding): Finding[] {
  return drops.flatMap(({ window }, nth) => {
    const before = drops[nth - 1]?.window;
    return before !== undefined && window.start > before.end
      ? [tell(`${gapText({ start: before.end, end: window.start })}: no drop is there`)]
      : [];
  });
}

function overlaps(drops: readonly CheckedDrop[]): Finding[] {
  return drops.flatMap(({ key, window }, nth) => {
    const before = drops[nth - 1];
    return before !== undefined && window.start < before.window.end
      ? [fault(`${key}: overlaps ${before.key}`)]
      : [];
  });
}

function chain(drops: readonly CheckedDrop[], begin: Seconds): Finding[] {
  return drops.flatMap(({ key, window, previous }, nth) => {
    const before = drops[nth - 1];
    if (previous === undefined) return [fault(`${key}: names no drop before it, as the schedule does`)];
    if (before === undefined)
      return window.start === begin && previous !== null
        ? [fault(`${key}: is the first drop, and names one before it`)]
        : [];
    if (previous?.key === before.key && previous.sha256 === before.sha256) return [];
    return [
      fault(
        previous?.key === before.key
          ? `${before.key}: is not the manifest that ${key} names by its SHA-256`
          : `${key}: names ${previous?.key ?? 'none'} as the drop before it, which is ${before.key}`,
      ),
    ];
  });
}

/** What lies beyond the checkpoint is being published just now; nothing else may. */
function end(
  scheduled: readonly CheckedDrop[],
  checkpoint: Checkpoint | undefined,
  start: Seconds,
): Finding[] {
  if (checkpoint === undefined) return [];
  const { window, manifest } = checkpoint;
  if (window.end <= start) return [];
  const named = scheduled.find(({ key }) => key === manifest.key);
  if (named === undefined) return [fault(`${manifest.key}: is missing; the checkpoint names it`)];
  if (named.sha256 !== manifest.sha256)
    return [fault(`${named.key}: is not the manifest that the checkpoint names by its SHA-256`)];
  return scheduled
    .filter((drop) => drop.window.start >= window.end)
    .map(({ key }) => note(`${key}: is not in the checkpoint yet`));
}

function gapText(window: Window): string {
  return windowText(window);
}
