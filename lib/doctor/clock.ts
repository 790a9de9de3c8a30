import type { Seconds } from '../core/time.ts';
import { duration } from './amounts.ts';
import type { Finding, Teller } from './finding.ts';

/** Clocks under NTP differ by far less, and Keystone and web servers give whole seconds. */
const TOLERATED = 5;

export interface ClockReading {
  /** Whose clock it is: `the database server`. */
  readonly whose: string;
  /** How far it is ahead of this machine's; below 0 where it is behind. */
  readonly ahead: number;
  /** Uncertainty: half the round trip, and the precision of the answer. */
  readonly uncertainty: number;
}

/**
 * Windows end by this machine's clock (or the scheduler's, which agrees with it where both are right), and rows carry
 * the cloud's. If the cloud's clock is behind, windows are read too early; if it is ahead, later than needed.
 */
export function clockFinding(tell: Teller, reading: ClockReading, settleSeconds: Seconds): Finding {
  const { whose, ahead, uncertainty } = reading;
  const by = duration(ahead);
  if (Math.abs(ahead) - uncertainty <= TOLERATED) {
    return tell.fine(
      'clock',
      `${whose} and this machine agree to ${duration(Math.max(0.1, Math.abs(ahead) + uncertainty))}`,
    );
  }
  const settle = `the settle time of ${duration(settleSeconds)}`;
  if (ahead > 0) {
    return tell.lacking(
      'clock',
      `${whose} is ${by} ahead of this machine`,
      `no row: windows are read ${by} later than ${settle} asks for; if this machine is right, all times are ${by} too late`,
      'keep both clocks by NTP',
    );
  }
  const remedy = `keep both clocks by NTP, or raise settleMinutes by ${duration(Math.ceil(-ahead / 60) * 60)}`;
  const cost =
    -ahead < settleSeconds
      ? `windows are read ${by} too early: of ${settle} ${duration(settleSeconds + ahead)} are left, and a row that takes longer to be committed may be missed`
      : `windows are read before they have ended there: what begins or finishes after that comes late, and a row that is slow to be committed may be missed`;
  return tell.lacking('clock', `${whose} is ${by} behind this machine`, cost, remedy);
}
