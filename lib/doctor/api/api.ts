import type { OpenStackConnection } from '../../connection/connection.ts';
import { openHttp } from '../../source/nova-api/http.ts';
import { openNova } from '../../source/nova-api/nova.ts';
import { asSourceError } from '../codes.ts';
import type { ExamineOptions } from '../options.ts';
import { type Finding, teller } from '../finding.ts';
import { examineActions } from './actions.ts';
import { examineClock } from './clock.ts';
import { examineCompute } from './compute.ts';
import { examineCost } from './cost.ts';
import { examineKeystone } from './keystone.ts';
import { examineOthers } from './other-services.ts';
import { examineServers } from './servers.ts';
import { examineServices } from './services.ts';
import { examineToken } from './token.ts';

/** Requests at once; few, so that the check disturbs nobody. */
const CONCURRENCY = 2;

const tell = teller();

/** Checks Keystone, then Nova, then what this user may see there and in the cloud's other services. */
export async function* examineApi(
  connection: OpenStackConnection,
  { signal, settleSeconds }: ExamineOptions,
): AsyncGenerator<Finding, void, void> {
  using http = openHttp(connection.tls);
  if (!(yield* examineKeystone(http, connection, signal))) return;
  const token = yield* examineToken(http, connection, signal);
  if (token === undefined) return;
  if (!(yield* examineCompute(http, connection, token, signal))) return;
  try {
    using nova = await openNova(connection, CONCURRENCY, signal);
    yield* examineClock(nova, http, connection, settleSeconds, signal);
    yield* examineServices(nova, connection);
    const seen = yield* examineServers(nova, connection);
    yield* examineActions(nova, seen);
    if (seen.ofAllProjects) yield* examineCost(nova);
    yield* examineOthers(nova, signal);
  } catch (error) {
    yield tell.fatal('Nova', asSourceError(error, signal).message, 'no trace can be made while it is so');
  }
}
