/** What the pattern's first group matches in a hypervisor's name, or all that it matches; null where it does not. */
export function rackOf(node: string | null, pattern: RegExp | undefined): string | null {
  if (node === null || pattern === undefined) return null;
  const found = pattern.exec(node);
  return found === null ? null : (found[1] ?? found[0]);
}
