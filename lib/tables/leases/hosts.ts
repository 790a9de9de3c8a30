import type { Masked, Masker } from '../table.ts';
import type { LeaseHost } from './row.ts';

/** As events of servers name them, in no order of theirs. */
export function maskHosts(
  hosts: readonly LeaseHost[],
  { hostOf, maskShared }: Pick<Masker, 'hostOf' | 'maskShared'>,
): Masked[] {
  const masks = hosts.map((instance) => maskShared(hostOf({ event: null, host: null, instance })));
  return [...new Set(masks.filter((mask) => mask !== null))].toSorted();
}

/** Of a column that holds several: null for none. */
export function hostsText(hosts: readonly Masked[]): string | null {
  return hosts.length === 0 ? null : hosts.join(' ');
}
