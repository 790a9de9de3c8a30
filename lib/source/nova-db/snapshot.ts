import { SourceError } from '../../core/errors.ts';
import { type Seconds, iso } from '../../core/time.ts';
import type { Extent } from './bounds.ts';
import { unixSeconds } from './event-rows.ts';
import type { CellSession } from './session.ts';
import type { Shown } from './state.ts';

/*
 * A replica may lag, and behind a load balancer the next snapshot may come from one that lags more. What is not visible
 * then is not gone.
 */

/** Codes of a server that has no such table, or shows it to others only. */
const HIDDEN = [
  'ER_NO_SUCH_TABLE',
  'ER_TABLEACCESS_DENIED_ERROR',
  'ER_COLUMNACCESS_DENIED_ERROR',
  'ER_BAD_FIELD_ERROR',
];

export async function readShown(session: CellSession, { endId }: Extent): Promise<Shown> {
  return { endId, heartbeat: await readHeartbeat(session) };
}

/**
 * When Nova's services last reported that they run, which each does every ten seconds. A clock that is ahead does not
 * count.
 */
async function readHeartbeat({ query }: CellSession): Promise<Seconds | null> {
  try {
    const [row] = await query(
      `SELECT MAX(${unixSeconds('updated_at')}) FROM services WHERE updated_at <= UTC_TIMESTAMP()`,
    );
    return (row?.[0] ?? null) as Seconds | null;
  } catch (error) {
    const code = error instanceof SourceError && error.cause instanceof Error ? error.cause.message : '';
    if (HIDDEN.includes(code)) return null;
    throw error;
  }
}

/** @throws SourceError (transient) where an earlier snapshot reached further */
export function refuseOlderSnapshot({ cell }: CellSession, before: Shown | undefined, now: Shown): void {
  const [last, newest] = [before?.heartbeat ?? null, now.heartbeat];
  if (last === null || newest === null || newest >= last) return;
  throw new SourceError(
    `cell ${cell}: its newest heartbeat of a service is of ${iso(newest)}, but one of ${iso(last)} was read before: this ` +
      'is a replica that lags, or an old copy; read one server, or wait until it has caught up',
    { transient: true },
  );
}

/** Whether what this snapshot does not show, and an earlier one did, is gone. */
export function reachesBeyond(before: Shown, now: Shown): boolean {
  if (before.heartbeat !== null && now.heartbeat !== null) return now.heartbeat >= before.heartbeat;
  return now.endId > before.endId;
}
