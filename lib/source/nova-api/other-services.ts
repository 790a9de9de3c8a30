import type { OpenStackConnection } from '../../connection/connection.ts';
import type { Seconds } from '../../core/time.ts';
import { SourceError } from '../../core/errors.ts';
import { type Api, type ApiAnswer, type Session, apiAt } from './calls.ts';
import { exposedToken, hasService, serviceEndpoint } from './catalogue.ts';

/** Services of a cloud beside Nova, by their names: what the catalogue calls them, and what they are asked with. */
export const OTHER_SERVICES = {
  Ironic: {
    type: 'baremetal',
    // Ocata: the first with `resource_class`.
    headers: { 'X-OpenStack-Ironic-API-Version': '1.21' },
    tables: 'machines and machine_events',
  },
  Blazar: { type: 'reservation', headers: {}, tables: 'leases and lease_events' },
} as const;

export type OtherService = keyof typeof OTHER_SERVICES;

/** @returns undefined where the catalogue has none */
export async function openOther(
  session: Session,
  connection: OpenStackConnection,
  service: OtherService,
  warn: (text: string) => void,
): Promise<Api | undefined> {
  const { type, headers } = OTHER_SERVICES[service];
  const { catalogue } = await session.tokens.current();
  if (!hasService(catalogue, type)) return undefined;
  const endpoint = serviceEndpoint(catalogue, type, connection);
  const exposed = exposedToken(connection.authUrl, endpoint, service);
  if (exposed !== undefined) warn(exposed);
  // With its version, or without; both are common.
  const url = `${endpoint.replace(/\/+$/, '').replace(/\/v1(\.\d+)?$/, '')}/v1`;
  return apiAt(session, { url, headers, service });
}

/** @throws SourceError where the catalogue has no such service */
export async function requireOther(
  { other }: { readonly other: (service: OtherService) => Promise<Api | undefined> },
  service: OtherService,
): Promise<Api> {
  const { type, tables } = OTHER_SERVICES[service];
  const api = await other(service);
  if (api !== undefined) return api;
  throw new SourceError(
    `Keystone: the catalogue has no ${type} service (${service}) for this user and scope; accepted: a cloud with one, ` +
      `or STAR_TABLES without ${tables}`,
    { transient: false },
  );
}

/** When a service answered, by its own clock where it tells. */
export function answeredAt({ date }: Pick<ApiAnswer, 'date'>): Seconds {
  const told = Date.parse(date ?? '');
  return Math.floor((Number.isNaN(told) ? Date.now() : told) / 1000);
}
