import type { OpenStackConnection } from '../../connection/connection.ts';
import type { Http } from '../../source/api/http.ts';
import { openKeystone } from '../../source/api/keystone.ts';
import type { Nova } from '../../source/api/nova.ts';
import type { Seconds } from '../../time.ts';
import { now } from '../amounts.ts';
import { clockFinding } from '../clock.ts';
import { type Finding, teller } from '../finding.ts';

const tell = teller();

/** Half of what whole seconds leave out. */
const ROUNDING = 0.5;

/** By the Date of Nova's answers, which a web server before it adds; else by when Keystone issues a token. */
export async function* examineClock(
  nova: Nova,
  http: Http,
  connection: OpenStackConnection,
  settleSeconds: Seconds,
  signal: AbortSignal,
): AsyncGenerator<Finding, void, void> {
  let asked = now();
  const { date } = await nova.get({ path: '/', what: 'Nova: its version' });
  let answered = now();
  let whose = 'Nova';
  let there = Date.parse(date ?? '') / 1000 + ROUNDING;
  if (Number.isNaN(there)) {
    asked = now();
    const { issued } = await openKeystone(http, connection).issue(signal);
    answered = now();
    whose = 'Keystone';
    there = (issued ?? NaN) + ROUNDING;
  }
  if (Number.isNaN(there)) {
    yield tell.fine('clock', 'not told: neither Nova nor Keystone says what time it is there');
    return;
  }
  const reading = {
    whose,
    ahead: there - (asked + answered) / 2,
    uncertainty: (answered - asked) / 2 + ROUNDING,
  };
  yield clockFinding(tell, reading, settleSeconds);
}
