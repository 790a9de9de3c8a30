/** What Blazar calls the zone of a reservation. */
const RESERVATION_ZONE = /^blazar_(.+)$/;

/** Blazar puts the servers of a reservation into a zone of its name. */
export function reservationOf(zone: string | null): string | null {
  return RESERVATION_ZONE.exec(zone ?? '')?.[1] ?? null;
}
