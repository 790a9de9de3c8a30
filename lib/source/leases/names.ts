import type { LeaseHost, LeaseName } from '../../tables/leases/row.ts';
import type { Reservation } from '../../tables/lease-events/row.ts';
import { saltedHash } from '../salted-hash.ts';
import type { Json, Seal } from '../seal.ts';

/** What rows of a lease need besides its times. */
export interface LeaseNames extends LeaseName {
  readonly reservations: readonly Omit<Reservation, 'nodeCount'>[];
}

/** @returns null without a key */
export function sealNames(seal: Seal | undefined, key: string, names: LeaseNames): string | null {
  if (seal === undefined) return null;
  const { id, userId, projectId, reservations } = names;
  const listed = reservations.map((one): Json => [
    one.id,
    one.type,
    one.min,
    one.max,
    one.properties,
    one.hosts.map(({ host, node }) => [host, node]),
  ]);
  return seal.close(key, [id, userId, projectId, listed]);
}

type StoredReservation = [
  string,
  string | null,
  number | null,
  number | null,
  string | null,
  [string | null, string | null][],
];

/** Undefined where they were not kept, or another key sealed them. */
export function unsealNames(
  seal: Seal | undefined,
  key: string,
  sealed: string | null,
): LeaseNames | undefined {
  const names = sealed === null ? undefined : seal?.open(key, sealed);
  if (names === undefined) return undefined;
  const [id, userId, projectId, listed] = names as [
    string,
    string | null,
    string | null,
    StoredReservation[],
  ];
  const reservations = listed.map(([reservation, type, min, max, properties, hosts]) => ({
    id: reservation,
    type,
    min,
    max,
    properties,
    hosts: hosts.map(([host, node]) => ({ host, node })),
  }));
  return { id, userId, projectId, reservations };
}

export function hostsOf({ reservations }: Pick<LeaseNames, 'reservations'>): LeaseHost[] {
  return reservations.flatMap(({ hosts }) => hosts);
}

export function countHosts(hosts: readonly LeaseHost[]): number {
  return new Set(hosts.map(nameOf)).size;
}

/** The same for the same hosts, whatever their order; null where the source does not show them. */
export function hashHosts(
  salt: string,
  names: Pick<LeaseNames, 'reservations'> & { readonly hidesHosts?: boolean },
): string | null {
  if (names.hidesHosts === true) return null;
  const listed = names.reservations.map(({ id, hosts }) => [id, ...hosts.map(nameOf).toSorted()].join('/'));
  return saltedHash(salt, listed.toSorted().join());
}

function nameOf({ host, node }: LeaseHost): string {
  return JSON.stringify([host, node]);
}
