import type { LeaseEvent, LeaseEventName, ReservationStatus } from '../../tables/lease-events/row.ts';
import type { LeasePlan, LeaseStatus } from '../../tables/leases/row.ts';
import type { Told } from '../../tables/told.ts';
import { type LeaseNames, countHosts } from './names.ts';
import type { KnownLease } from './state.ts';

/** The state to which the events told so far lead. */
export function statusOf({
  started,
  ended,
  failed,
  deleted,
}: Pick<KnownLease, 'started' | 'ended' | 'failed' | 'deleted'>): LeaseStatus {
  if (deleted) return 'DELETED';
  if (ended !== null) return 'TERMINATED';
  if (failed) return 'ERROR';
  return started === null ? 'PENDING' : 'ACTIVE';
}

const RESERVATION_STATUS: Readonly<Record<LeaseStatus, ReservationStatus>> = {
  PENDING: 'pending',
  ACTIVE: 'active',
  TERMINATED: 'deleted',
  ERROR: 'error',
  DELETED: 'deleted',
};

/**
 * A row for each reservation, or one.
 *
 * @param after the lease after the event
 * @param hadHosts how many hosts there were at the last read before it ended, all reservations together
 */
export function rowsOf(
  names: LeaseNames,
  event: LeaseEventName,
  told: Told,
  after: LeasePlan & Pick<KnownLease, 'started' | 'ended' | 'failed' | 'deleted'>,
  hadHosts: number | null,
): LeaseEvent[] {
  const { id, userId, projectId, reservations } = names;
  const { start, end } = after;
  const status = statusOf(after);
  const row = {
    id,
    userId,
    projectId,
    start,
    end,
    event,
    status,
    reservationStatus: RESERVATION_STATUS[status],
    ...told,
  };
  if (reservations.length === 0) return [{ ...row, reservation: null }];
  const only = reservations.length === 1 ? hadHosts : null;
  return reservations.map((reservation) => {
    const nodeCount = reservation.hosts.length > 0 ? countHosts(reservation.hosts) : only;
    return { ...row, reservation: { ...reservation, nodeCount } };
  });
}
