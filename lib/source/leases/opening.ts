import type { Seconds } from '../../core/time.ts';
import { newSalt, saltedHash } from '../salted-hash.ts';
import type { FoundLease, LeasesRead } from './found.ts';
import { countHosts, hashHosts, hostsOf } from './names.ts';
import type { KnownLease, LeasesState } from './state.ts';

/**
 * What existed at a time, as far as a later read tells: where a trace of leases begins. Of plans and hosts there is no
 * history, so they are those of the read.
 */
export function stateAt(time: Seconds, { leases }: LeasesRead): LeasesState {
  const salt = newSalt();
  const known = leases
    .filter(({ created, phase }) => (created ?? -Infinity) < time && phase !== 'made')
    .map((lease) => [saltedHash(salt, lease.id), knownAt(time, lease, salt)] as const);
  return { salt, at: time, until: time, leases: new Map(known) };
}

function knownAt(time: Seconds, lease: FoundLease, salt: string): KnownLease {
  const { start, end, created, started, ended, failed, degraded, deleted } = lease;
  const before = (happened: { readonly time: Seconds | null } | null): Seconds | null =>
    happened?.time !== null && happened?.time !== undefined && happened.time < time ? happened.time : null;
  return {
    start,
    end,
    created,
    started: before(started),
    ended: before(ended),
    failed: failed !== null && (failed.time ?? -Infinity) < time,
    degraded,
    deleted: deleted !== null && deleted < time,
    since: null,
    deleting: null,
    nodeCount: countOf(lease),
    hosts: hashHosts(salt, lease),
    sealed: null,
  };
}

/** Null where nothing is known of hosts any more. */
export function countOf(lease: Pick<FoundLease, 'reservations' | 'ended' | 'hidesHosts'>): number | null {
  const count = countHosts(hostsOf(lease));
  return count === 0 && (lease.ended !== null || lease.hidesHosts === true) ? null : count;
}
