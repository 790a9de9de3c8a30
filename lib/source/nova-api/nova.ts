import type { OpenStackConnection } from '../../connection/connection.ts';
import { type Api, type Session, apiAt } from './calls.ts';
import { computeEndpoint, exposedToken } from './catalogue.ts';
import { openHttp } from './http.ts';
import { openKeystone } from './keystone.ts';
import { type Microversion, negotiate } from './microversion.ts';
import { type OtherService, openOther } from './other-services.ts';
import { openThrottle } from './throttle.ts';
import { tokenKeeper } from './tokens.ts';

/** Nova's API, authenticated, at one microversion, with as many requests at once as it can handle. */
export interface Nova extends Api, Disposable {
  readonly microversion: Microversion;
  /** Another service of the same cloud, with the same token; undefined where the catalogue has none. */
  other(service: OtherService): Promise<Api | undefined>;
  /** Requests sent so far, to Keystone and other services too. */
  readonly requests: number;
}

/**
 * @param concurrency most requests at once
 * @param warn called for conditions that are no errors but should be corrected
 */
export async function openNova(
  connection: OpenStackConnection,
  concurrency: number,
  signal: AbortSignal,
  warn: (text: string) => void = () => undefined,
): Promise<Nova> {
  const http = openHttp(connection.tls);
  try {
    const tokens = tokenKeeper(openKeystone(http, connection), signal);
    const token = await tokens.current();
    const endpoint = computeEndpoint(token.catalogue, connection);
    const exposed = exposedToken(connection.authUrl, endpoint);
    if (exposed !== undefined) warn(exposed);
    const { url, microversion } = await negotiate(http, endpoint, token.id, signal);
    const session: Session = { http, tokens, throttle: openThrottle(concurrency, signal), signal };
    const headers = {
      // The first is understood from 2.27 on, the second since 2.1 ("Compute API microversions").
      'OpenStack-API-Version': `compute ${microversion}`,
      'X-OpenStack-Nova-API-Version': microversion,
    };
    return {
      ...apiAt(session, { url, headers, service: 'Nova' }),
      microversion,
      other: (service) => openOther(session, connection, service, warn),
      get requests() {
        return http.requests;
      },
      [Symbol.dispose]: () => http[Symbol.dispose](),
    };
  } catch (error) {
    http[Symbol.dispose]();
    throw error;
  }
}
