import * as z from 'zod/mini';
import type { OpenStackConnection } from '../../connection/connection.ts';
import { SourceError } from '../../core/errors.ts';

export interface Endpoint {
  readonly interface: string;
  readonly region: string | undefined;
  readonly url: string;
}

/** A token's service catalogue. */
export type Catalogue = readonly { readonly type: string; readonly endpoints: readonly Endpoint[] }[];

/** Identity API v3: one endpoint an interface. */
export const CatalogueV3 = z.array(
  z.object({
    type: z.string(),
    endpoints: z.array(
      z.pipe(
        z.object({
          interface: z.string(),
          url: z.string(),
          region: z.nullish(z.string()),
          region_id: z.nullish(z.string()),
        }),
        z.transform(({ interface: face, url, region, region_id: id }): Endpoint => ({
          interface: face,
          url,
          region: id ?? region ?? undefined,
        })),
      ),
    ),
  }),
);

const INTERFACES = ['public', 'internal', 'admin'] as const;

/** Identity API v2.0: all interfaces of a region in one. */
export const CatalogueV2 = z.array(
  z.object({
    type: z.string(),
    endpoints: z.pipe(
      z.array(
        z.object({
          region: z.nullish(z.string()),
          publicURL: z.nullish(z.string()),
          internalURL: z.nullish(z.string()),
          adminURL: z.nullish(z.string()),
        }),
      ),
      z.transform((regions): Endpoint[] =>
        regions.flatMap((endpoint) =>
          INTERFACES.flatMap((face) => {
            const url = endpoint[`${face}URL`] ?? '';
            return url === '' ? [] : [{ interface: face, url, region: endpoint.region ?? undefined }];
          }),
        ),
      ),
    ),
  }),
);

/** Nova's URL: the one that is given, or the catalogue's. */
export function computeEndpoint(
  catalogue: Catalogue,
  wanted: Pick<OpenStackConnection, 'region' | 'interface' | 'computeUrl'>,
): string {
  return wanted.computeUrl ?? serviceEndpoint(catalogue, 'compute', wanted);
}

/**
 * A service's URL: the first of the wanted interface and region.
 *
 * @param type such as `compute`
 * @throws SourceError naming what the catalogue has instead
 */
export function serviceEndpoint(
  catalogue: Catalogue,
  type: string,
  wanted: Pick<OpenStackConnection, 'region' | 'interface'>,
): string {
  const refuse = (problem: string): never => {
    throw new SourceError(`Keystone: the catalogue ${problem}`, { transient: false });
  };
  const all = endpointsOf(catalogue, type);
  if (all.length === 0) refuse(`has no ${type} service for this user and scope`);
  const offered = all.filter((endpoint) => endpoint.interface === wanted.interface);
  if (offered.length === 0) {
    refuse(
      `has no ${wanted.interface} ${type} endpoint; accepted: interface (OS_INTERFACE), one of ${list(all, 'interface')}`,
    );
  }
  const here = offered.filter(({ region }) => wanted.region === undefined || region === wanted.region);
  if (here.length === 0) {
    refuse(
      `has no ${type} endpoint in the requested region; accepted: region_name (OS_REGION_NAME), one of ${list(offered, 'region')}`,
    );
  }
  if (new Set(here.map(({ region }) => region)).size > 1) {
    refuse(
      `has ${type} endpoints in several regions; accepted: region_name (OS_REGION_NAME), one of ${list(here, 'region')}`,
    );
  }
  // Several in one region, such as one for IPv4 and one for IPv6: the first, as in keystoneauth.
  return here[0]?.url ?? refuse(`has no ${type} endpoint`);
}

export function hasService(catalogue: Catalogue, type: string): boolean {
  return endpointsOf(catalogue, type).length > 0;
}

function endpointsOf(catalogue: Catalogue, wanted: string): Endpoint[] {
  return catalogue.filter(({ type }) => type === wanted).flatMap(({ endpoints }) => endpoints);
}

/** The warning if a token that came over https is sent over http; otherwise undefined. */
export function exposedToken(authUrl: string, endpoint: string, service = 'Nova'): string | undefined {
  const isExposed = new URL(authUrl).protocol === 'https:' && new URL(endpoint).protocol === 'http:';
  if (!isExposed) return undefined;
  const orGiven = service === 'Nova' ? ', or give the https URL as compute_endpoint_override' : '';
  return (
    `Keystone is asked over https, but its catalogue has an http URL for ${service}: the token crosses the network in ` +
    `clear text; have the catalogue corrected${orGiven}`
  );
}

function list(endpoints: readonly Endpoint[], key: 'interface' | 'region'): string {
  return [...new Set(endpoints.map((endpoint) => endpoint[key] ?? ''))].join(', ');
}
