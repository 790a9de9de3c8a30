import type { IncomingMessage } from 'node:http';
import type { OutgoingHttpHeaders } from 'node:http';
import type { Seconds } from '../../../lib/core/time.ts';

export type RequestKind =
  'versions' | 'token' | 'servers' | 'server' | 'actions' | 'action' | 'flavors' | 'services' | 'other';

/** A request without what its sender authenticates himself with. */
export interface RequestRecord {
  readonly method: string;
  /** `/compute/v2.1/servers/detail` */
  readonly path: string;
  /** The last value of each parameter. */
  readonly query: Readonly<Record<string, string>>;
  /** As asked for, in either header. */
  readonly microversion: string | undefined;
  readonly kind: RequestKind;
  /** When it came, by the cloud's clock. */
  readonly at: Seconds;
  /** Absent until the request is answered, and for good where the connection was reset. */
  status?: number;
}

/** What a test can have the cloud do instead of answering. */
export type OpenStackFault =
  | { status: number; headers?: OutgoingHttpHeaders; body?: unknown }
  | { reset: true }
  /** The connection ends after so many bytes of a body whose full length was announced. */
  | { truncate: number }
  /** Status 200 and a page for people, as a proxy sends it. */
  | { garbage: true };

/** Called before a request is answered. It may wait (a delay), give a fault, or do nothing. */
export type OpenStackHook = (
  request: Readonly<RequestRecord>,
) => void | OpenStackFault | undefined | Promise<void | OpenStackFault | undefined>;

const KINDS: [pattern: RegExp, kind: RequestKind][] = [
  [/^\/identity\/v[23](\.0)?(\/auth)?\/tokens$/, 'token'],
  [/^\/(identity|compute(-\w+)?)(\/v[\d.]+)?\/?$/, 'versions'],
  [/\/servers(\/detail)?$/, 'servers'],
  [/\/servers\/[^/]+$/, 'server'],
  [/\/os-instance-actions$/, 'actions'],
  [/\/os-instance-actions\/[^/]+$/, 'action'],
  [/\/flavors(\/[^/]+)?$/, 'flavors'],
  [/\/os-services$/, 'services'],
];

export function recordOf(request: IncomingMessage, url: URL, at: Seconds): RequestRecord {
  const { headers, method = '' } = request;
  const standard = /(?:^|,)\s*compute\s+([^,\s]+)/.exec(String(headers['openstack-api-version'] ?? ''))?.[1];
  const legacy = headers['x-openstack-nova-api-version'];
  return {
    method,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    microversion: standard ?? (legacy === undefined ? undefined : String(legacy)),
    kind: KINDS.find(([pattern]) => pattern.test(url.pathname))?.[1] ?? 'other',
    at,
  };
}
