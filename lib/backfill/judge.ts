import { BackfillIncompleteError } from '../errors.ts';
import type { Invocation } from '../drop/invocation.ts';
import type { Where } from '../drop/where.ts';
import { type Window, windowKey, windowsOf } from '../window.ts';
import { madeSince, publishedIn } from './published.ts';
import type { BackfillRequest } from './request.ts';
import { type Group, windowOf } from './steps.ts';
import { intervals } from './summary.ts';

export type Verdict =
  | { readonly again: false; readonly summary: { readonly windows: number; readonly groups: number } }
  | { readonly again: true; readonly groups: readonly Group[]; readonly redrives: number };

/**
 * Tells whether every window that was planned is published now, whoever published it. A redrive of a failed execution
 * begins here: then what is missing is tried again, and nothing else.
 *
 * @param redrives how often the execution had been redriven when its groups were last handed out
 * @param redrive how often it has been by now
 * @throws BackfillIncompleteError naming the windows that are missing
 */
export async function judge(
  invocation: Where & Pick<Invocation, 'settings'>,
  { replace, replaceBefore }: BackfillRequest,
  groups: readonly Group[],
  { redrives, redrive }: { redrives: number; redrive: number },
): Promise<Verdict> {
  const { windowSeconds } = invocation.settings;
  const all = groups.map((group) => ({ group, windows: windowsOf(windowOf(group), windowSeconds) }));
  const published = new Set<string>();
  for (const { windows } of all) {
    const out = await publishedIn(invocation, windows);
    const there = windows.filter((window) => out.has(windowKey(window)));
    // Of windows that were to be made anew the old drops do not count.
    const keys = replace ? await madeSince(invocation, there, replaceBefore ?? -Infinity) : out;
    for (const key of keys) published.add(key);
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
