import { InputError } from '../core/errors.ts';
import type { Settings } from '../config/settings.ts';
import { layoutOf } from '../store/layout.ts';
import { tracesIn } from '../store/traces.ts';
import type { Place } from './place.ts';

/**
 * Refuses to begin a scheduled trace beside another one of which the name is this one's with a hyphen and more behind
 * it, or the other way round: a release of the shorter name could be called like the longer one. Looks at names alone.
 *
 * @throws InputError naming the other
 */
export async function refuseAlike({
  store,
  signal,
  settings,
}: Place & { readonly settings: Settings }): Promise<void> {
  const { cloud, prefix, release } = settings;
  if (release !== undefined) return;
  const parts = cloud.split('-');
  const others = parts.slice(1).map((_, nth) => parts.slice(0, nth + 1).join('-'));
  for await (const longer of tracesIn(store, prefix, signal, `${cloud}-`)) others.push(longer);
  for (const other of others) {
    if (!(await isScheduled(store, prefix, other, signal))) continue;
    throw new InputError(
      `STAR_CLOUD: got "${cloud}", but cloud=${other} is there, and a release of one could have the name of the other; ` +
        'accepted: another name, or another prefix',
    );
  }
}

/** A release has neither checkpoint nor claim of a schedule. */
async function isScheduled(
  store: Place['store'],
  prefix: string,
  cloud: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { checkpoint, claim } = layoutOf({ prefix, cloud });
  for (const key of [checkpoint, claim])
    for await (const found of store.list(key, '', signal)) if (found.key === key) return true;
  return false;
}
