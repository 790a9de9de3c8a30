import type { Racked } from '../tables/table.ts';

/**
 * The rack that a row names, else what the pattern's first group matches in its hypervisor's name, or all that it matches;
 * null where it does not.
 */
export function rackOf({ node, rack }: Racked, pattern: RegExp | undefined): string | null {
  if (rack !== undefined) return rack;
  if (node === null || pattern === undefined) return null;
  const found = pattern.exec(node);
  return found === null ? null : (found[1] ?? found[0]);
}
