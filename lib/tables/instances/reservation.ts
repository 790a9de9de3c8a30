/** What Blazar calls the zone of a reservation of hosts. */
const ZONE = /^blazar_(.+)$/;
/** What it calls the flavour of a reservation of servers. */
const FLAVOUR = /^reservation:(.+)$/;
/** Its ids: a user's own hint may be anything. */
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * The reservation of Blazar that a server runs in, by what Nova tells of it: its zone, if a user named that, else its
 * flavour, else the hint to Nova's scheduler. Null for a server that runs in none, as far as they tell.
 */
export function reservationOf({
  zone = null,
  flavour = null,
  hint = null,
}: {
  readonly zone?: string | null;
  readonly flavour?: string | null;
  readonly hint?: string | null;
}): string | null {
  const named = ZONE.exec(zone ?? '')?.[1] ?? FLAVOUR.exec(flavour ?? '')?.[1];
  if (named !== undefined) return named;
  return hint !== null && ID.test(hint) ? hint : null;
}
