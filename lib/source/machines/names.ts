import type { MachineName } from '../../tables/machines/row.ts';
import type { Seal } from '../seal.ts';

/** @returns null without a key */
export function sealName(
  seal: Seal | undefined,
  key: string,
  { host, node, rack }: MachineName,
): string | null {
  return seal?.close(key, rack === undefined ? [host, node] : [host, node, rack]) ?? null;
}

/** Undefined where it was not kept, or another key sealed it. */
export function unsealName(
  seal: Seal | undefined,
  key: string,
  sealed: string | null,
): MachineName | undefined {
  const names = sealed === null ? undefined : seal?.open(key, sealed);
  if (names === undefined) return undefined;
  const [host, node, rack] = names as [string, string | null, (string | null)?];
  return { host, node, ...(rack === undefined ? {} : { rack }) };
}
