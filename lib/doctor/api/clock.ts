import type { OpenStackConnection } from '../../connection/connection.ts';
import { ROUNDING, askClock } from '../../source/nova-api/clock.ts';
import type { Http } from '../../source/nova-api/http.ts';
import { openKeystone } from '../../source/nova-api/keystone.ts';
import type { Nova } from '../../source/nova-api/nova.ts';
import type { Seconds } from '../../core/time.ts';
import { clockFinding } from '../clock.ts';
import { type Finding, teller } from '../finding.ts';

const tell = teller();

export async function* examineClock(
  nova: Nova,
  http: Http,
  connection: OpenStackConnection,
  settleSeconds: Seconds,
  signal: AbortSignal,
): AsyncGenerator<Finding, void, void> {
  const answer = await askClock(nova, () => openKeystone(http, connection).issue(signal));
  const { whose, time, asked, answered } = answer;
  if (Number.isNaN(time)) {
    yield tell.fine('clock', 'unknown: neither Nova nor Keystone tells its time');
    return;
  }
  const reading = {
    whose,
    ahead: time - (asked + answered) / 2,
    uncertainty: (answered - asked) / 2 + ROUNDING,
  };
  yield clockFinding(tell, reading, settleSeconds);
}
