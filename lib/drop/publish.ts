import { isDeepStrictEqual } from 'node:util';
import { StoreError } from '../errors.ts';
import { isThere, readText, writeText } from '../store/bucket.ts';
import type { Window } from '../window.ts';
import { advanceCheckpoint } from './checkpoint.ts';
import { type Committed, superseded } from './claim.ts';
import type { Invocation } from './invocation.ts';
import type { Manifest } from './manifest.ts';

export type DropResult =
  | { readonly status: 'published'; readonly manifest: Manifest }
  /** By another invocation, while this one was about to. */
  | { readonly status: 'alreadyPublished' };

/**
 * Writes what was decided: the manifest, then the checkpoint if one moves. Every step may be repeated, also by
 * another invocation; the one that moves the checkpoint answers for the window.
 */
export async function publish(
  { bucket, layout, run, signal }: Invocation,
  window: Window,
  { manifest, checkpoint }: Committed,
): Promise<DropResult> {
  const key = layout.manifest(window);
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  if ((await writeText(bucket, key, text, 'absent', signal)) === undefined) {
    const found = await readText(bucket, key, signal);
    if (!isDeepStrictEqual(found?.json(), JSON.parse(text))) {
      // Of a backfill's window: one that was to replace it has finished ours, and then made its own.
      if (checkpoint === null) throw superseded(window);
      throw new StoreError(`${key}: holds another manifest than the one that was decided on; remove it`);
    }
  }
  if (checkpoint === null) return { status: 'published', manifest };
  const wasUs = await advanceCheckpoint(bucket, layout.checkpoint, run, checkpoint, signal);
  return wasUs ? { status: 'published', manifest } : { status: 'alreadyPublished' };
}

export async function isPublished({ bucket, layout, signal }: Invocation, window: Window): Promise<boolean> {
  return (await readText(bucket, layout.manifest(window), signal)) !== undefined;
}

/** Whether the objects that a manifest lists are there, by their sizes. */
export async function isWhole({ bucket, signal }: Invocation, { files, report }: Manifest): Promise<boolean> {
  for (const { key, bytes } of [...files, ...(report === undefined ? [] : [report])])
    if (!(await isThere(bucket, key, bytes, signal))) return false;
  return true;
}
