import type { OpenStackConnection } from '../../connection/connection.ts';
import { type Http, tlsProblemBehind } from '../../source/nova-api/http.ts';
import { offeredVersion } from '../../source/nova-api/keystone.ts';
import { shownUrl } from '../../source/nova-api/shown-url.ts';
import { asSourceError } from '../codes.ts';
import { type Finding, teller } from '../finding.ts';
import { reachUrl, tlsFinding } from './endpoint.ts';

const NO_TRACE = 'no trace can be made';
const tell = teller();

/** Whether Keystone is at the URL of the secret and offers a supported version. */
export async function* examineKeystone(
  http: Http,
  { authUrl, identityVersion, tls }: OpenStackConnection,
  signal: AbortSignal,
): AsyncGenerator<Finding, boolean, void> {
  const reached = yield* reachUrl('Keystone', authUrl, '', tell, signal);
  if (!reached.open) return false;
  try {
    const offered = await offeredVersion(http, authUrl, signal);
    const version = identityVersion ?? offered;
    yield tell.fine('Keystone', `${shownUrl(authUrl)} answers, ${version} is used`);
  } catch (error) {
    const source = asSourceError(error, signal);
    const badTls = tlsProblemBehind(source);
    if (badTls !== undefined) {
      yield tell.fatal('TLS', badTls.found, NO_TRACE, badTls.remedy);
      return false;
    }
    // If the secret names the version, a run does not ask.
    if (identityVersion === undefined) {
      const remedy = source.transient
        ? 'check Keystone, and the proxy or load balancer before it'
        : 'check the URL, for example https://HOST:5000/v3';
      yield tell.fatal('Keystone', source.message, NO_TRACE, remedy);
      return false;
    }
    yield tell.fine(
      'Keystone',
      `${shownUrl(authUrl)} does not list its versions; ${identityVersion} is used`,
    );
  }
  yield tlsFinding('TLS', authUrl, tls, reached.loopback, tell);
  return true;
}
