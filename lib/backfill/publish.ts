import { isDecided, readClaim } from '../drop/claim.ts';
import { finishWindow } from '../drop/finish.ts';
import type { Invocation } from '../drop/invocation.ts';
import type { Manifest } from '../drop/manifest.ts';
import { publishWindow } from '../drop/publish-window.ts';
import type { WindowRows } from '../drop/write-drop.ts';
import { SupersededError } from '../core/errors.ts';
import type { Window } from '../core/window.ts';

export type BackfillResult =
  | { readonly status: 'published'; readonly manifest: Manifest }
  /** Another run decided it; it is finished now. */
  | { readonly status: 'alreadyPublished' }
  /** Another run is at work on it. */
  | { readonly status: 'leftToOther' };

/** Publishes one window that ends before the trace's `begin`, or one of a release. */
export async function publishPast(
  invocation: Invocation,
  window: Window,
  read: () => Promise<WindowRows>,
): Promise<BackfillResult> {
  const key = invocation.layout.windowClaim(window);
  const found = await readClaim(invocation, key);
  if (found !== undefined && isDecided(found.claim)) {
    await finishWindow(invocation, invocation.run, found.claim);
    return { status: 'alreadyPublished' };
  }
  try {
    return await publishWindow(invocation, { window, claim: key, found, read });
  } catch (error) {
    if (error instanceof SupersededError) return { status: 'leftToOther' };
    throw error;
  }
}
