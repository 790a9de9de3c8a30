import type { CellSession } from '../../source/nova-db/session.ts';
import type { Seconds } from '../../core/time.ts';
import { SourceError } from '../../core/errors.ts';
import { counted, now } from '../amounts.ts';
import { type ClockReading, clockFinding } from '../clock.ts';
import type { Finding, Teller } from '../finding.ts';

/** The server's version, role and clock. */
export async function* examineServer(
  session: CellSession,
  tell: Teller,
  settleSeconds: Seconds,
): AsyncGenerator<Finding, void, void> {
  const { query } = session;
  const [row = []] = await query(
    'SELECT VERSION(), @@global.read_only, @@session.time_zone, @@global.time_zone, @@system_time_zone',
  );
  const [version, readOnly, session_, global, system] = row;
  const [cluster] = await query("SHOW GLOBAL STATUS LIKE 'wsrep_cluster_size'");
  const nodes = Number(cluster?.[1] ?? 0);
  const galera = nodes > 0 ? `, one of ${nodes} Galera nodes` : '';
  yield tell.fine('server', `${String(version)}${galera}`);
  if (Number(readOnly) !== 0) {
    const lag = await readLag(session);
    yield tell.fine(
      'replica',
      `read_only is on, so this seems to be a replica; ${lag === null ? 'its lag is unknown here' : `it lags ${counted(lag, 'second')}`}`,
      'raise settleMinutes above its usual lag, and read one replica, not several behind a load balancer',
    );
  }
  const own = global === 'SYSTEM' ? `SYSTEM (${String(system)})` : String(global);
  yield tell.fine('time zone', `${String(session_)} in this session, ${own} at the server`);
  yield clockFinding(tell, await readClock(session), settleSeconds);
}

/** Where `Seconds_Behind_Master`, now `Seconds_Behind_Source`, stands in what all servers answer. */
const SECONDS_BEHIND = 32;

/** How far a replica lags; null where this user may not ask, or replication stands still. */
async function readLag({ query }: CellSession): Promise<number | null> {
  for (const statement of ['SHOW REPLICA STATUS', 'SHOW SLAVE STATUS']) {
    try {
      const [row] = await query(statement);
      const behind = row?.[SECONDS_BEHIND];
      return typeof behind === 'number' || typeof behind === 'string' ? Number(behind) : null;
    } catch (error) {
      if (!(error instanceof SourceError) || error.transient) throw error;
    }
  }
  return null;
}

/** The best of a few: the quickest answer is the most precise. */
async function readClock({ query }: CellSession): Promise<ClockReading> {
  let best: ClockReading | undefined;
  for (let tries = 0; tries < 3; tries++) {
    const asked = now();
    const [row] = await query('SELECT CAST(UTC_TIMESTAMP(6) AS CHAR)');
    const answered = now();
    const there = Date.parse(`${String(row?.[0]).replace(' ', 'T')}Z`) / 1000;
    const uncertainty = (answered - asked) / 2;
    const ahead = there - (asked + answered) / 2;
    if (best === undefined || uncertainty < best.uncertainty) {
      best = { whose: 'the database server', ahead, uncertainty };
    }
  }
  return best!;
}
