import { BackfillIncompleteError } from '../errors.ts';
import type { Invocation } from '../drop/invocation.ts';
import type { Where } from '../drop/where.ts';
import type { Seconds } from '../time.ts';
import { type Window, windowKey, windowsOf } from '../window.ts';
import { manifestsOf, publishedIn } from './published.ts';
import { whyKept } from './replacement.ts';
import type { BackfillRequest } from './request.ts';
import { type Group, windowOf } from './steps.ts';
import { intervals } from './summary.ts';

export type Verdict =
  | { readonly again: false; readonly summary: { readonly windows: number; readonly groups: number } }
  | { readonly again: true; readonly groups: readonly Group[]; readonly redrives: number };

/**
 * Tells whether every window that was planned is published now, whoever published it; of a replacement, by that, or
 * by one that knew more of the schedule. A redrive of a failed execution
 * begins here: then what is missing is tried again, and nothing else.
 *
 * @param redrives how often the execution had been redriven when its groups were last handed out
 * @param redrive how often it has been by now
 * @param stand until when the schedule had published when the execution was planned
 * @throws BackfillIncompleteError naming the windows that are missing
 */
export async function judge(
  invocation: Where & Pick<Invocation, 'settings'>,
  { replacement }: BackfillRequest,
  groups: readonly Group[],
  { redrives, redrive, stand }: { redrives: number; redrive: number; stand: Seconds },
): Promise<Verdict> {
  const { windowSeconds } = invocation.settings;
  const all = groups.map((group) => ({ group, windows: windowsOf(windowOf(group), windowSeconds) }));
  const published = new Set<string>();
  for (const { windows } of all) {
    const keys = await publishedIn(invocation, windows);
    if (replacement === undefined) {
      for (const key of keys) published.add(key);
      continue;
    }
    const there = windows.filter((window) => keys.has(windowKey(window)));
    for await (const [window, manifest] of manifestsOf(invocation, there)) {
      // Of windows that were to be made anew the old drops do not count, and what is newer than the plan was left.
      if (whyKept(manifest, { stand, replacement }) !== undefined) published.add(windowKey(window));
    }
  }

  const isMissing = (window: Window): boolean => !published.has(windowKey(window));
  const open = all.filter(({ windows }) => windows.some(isMissing));
  if (open.length === 0) {
    const windows = all.reduce((sum, one) => sum + one.windows.length, 0);
    return { again: false, summary: { windows, groups: groups.length } };
  }
  if (redrive > redrives) return { again: true, groups: open.map(({ group }) => group), redrives: redrive };
  const missing = open.flatMap(({ windows }) => windows.filter(isMissing));
  throw new BackfillIncompleteError(
    `${missing.length} window(s) are missing: ${intervals(missing).slice(0, 20).join(', ')}` +
      '; see why in the log of the windows, then redrive the execution, which does only these',
  );
}
