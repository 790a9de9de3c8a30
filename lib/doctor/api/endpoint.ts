import type { OpenStackConnection } from '../../connection/connection.ts';
import { proxyVariable } from '../../source/nova-api/proxy.ts';
import { shownUrl } from '../../source/nova-api/shown-url.ts';
import { networkProblem } from '../../source/network-problems.ts';
import type { Finding, Teller } from '../finding.ts';
import { UNKNOWN_HOST, addressesOf, isLoopback, reach } from '../reach.ts';
import { verifiedBy } from '../tls.ts';
import { hostOf } from './url.ts';

export interface Reached {
  /** Whether something listens there. */
  readonly open: boolean;
  /** Whether nothing leaves this machine. */
  readonly loopback: boolean;
}

/** Whether something listens at a URL: one try, because the API's own client would try for a quarter of a minute. */
export async function* reachUrl(
  check: string,
  url: string,
  hint: string,
  tell: Teller,
  signal: AbortSignal,
): AsyncGenerator<Finding, Reached, void> {
  const proxy = proxyVariable(url);
  if (proxy !== undefined) {
    yield tell.fine(check, `${shownUrl(url)}: through the proxy of ${proxy}, unless NO_PROXY has the host`);
    return { open: true, loopback: false };
  }
  const { host, port } = hostOf(url);
  const addresses = await addressesOf(host);
  const code = addresses.length === 0 ? undefined : await reach(host, port, signal);
  if (addresses.length > 0 && code === undefined) return { open: true, loopback: isLoopback(addresses) };
  const problem =
    code === undefined
      ? UNKNOWN_HOST
      : (networkProblem(code) ?? { found: 'cannot be reached', remedy: 'check host and port' });
  yield tell.fatal(
    check,
    `${shownUrl(url)}: ${problem.found}${code === undefined ? '' : ` (${code})`}`,
    'no trace can be made',
    `${problem.remedy}${hint}`,
  );
  return { open: false, loopback: isLoopback(addresses) };
}

/** Which TLS protects a URL, once it has answered. */
export function tlsFinding(
  check: string,
  url: string,
  tls: OpenStackConnection['tls'],
  loopback: boolean,
  tell: Teller,
): Finding {
  const isEncrypted = new URL(url).protocol === 'https:';
  if (isEncrypted && tls.mode !== 'off') {
    return tell.fine(check, `on, certificate and name verified by ${verifiedBy(tls)}`);
  }
  if (loopback) {
    const found = isEncrypted ? 'on, but no certificate is verified' : 'none';
    return tell.fine(check, `${found}; nothing leaves this machine`);
  }
  return isEncrypted
    ? tell.lacking(
        check,
        'on, but no certificate is verified',
        'nothing of the trace; but anyone in between can read the credentials and change the answers',
        'give the cloud’s authority as cacert (OS_CACERT), the text of a PEM, instead of insecure',
      )
    : tell.lacking(
        check,
        'none, the URL is http',
        'nothing of the trace; but credentials and unmasked names cross the network in clear text',
        'use the https URL, if the cloud has one',
      );
}
