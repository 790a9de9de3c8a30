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

/**
 * Nova's URL: the one that is given, or the first of the wanted interface and region.
 *
 * @throws SourceError naming what the catalogue has instead
 */
export function computeEndpoint(
  catalogue: Catalogue,
  wanted: Pick<OpenStackConnection, 'region' | 'interface' | 'computeUrl'>,
): string {
  if (wanted.computeUrl !== undefined) return wanted.computeUrl;
  const refuse = (problem: string): never => {
    throw new SourceError(`Keystone: the catalogue ${problem}`, { transient: false });
  };
  const all = catalogue.filter(({ type }) => type === 'compute').flatMap(({ endpoints }) => endpoints);
  if (all.length === 0) refuse('has no compute service for this user and scope');
  const offered = all.filter((endpoint) => endpoint.interface === wanted.interface);
  if (offered.length === 0) {
    refuse(
      `has no ${wanted.interface} compute endpoint; accepted: interface (OS_INTERFACE), one of ${list(all, 'interface')}`,
    );
  }
  const here = offered.filter(({ region }) => wanted.region === undefined || region === wanted.region);
  if (here.length === 0) {
    refuse(
      `has no compute endpoint in the requested region; accepted: region_name (OS_REGION_NAME), one of ${list(offered, 'region')}`,
    );
  }
  if (new Set(here.map(({ region }) => region)).size > 1) {
    refuse(
      `has compute endpoints in several regions; accepted: region_name (OS_REGION_NAME), one of ${list(here, 'region')}`,
    );
  }
  // Several in one region, such as one for IPv4 and one for IPv6: the first, as in keystoneauth.
  return here[0]?.url ?? refuse('has no compute endpoint');
}

/** The warning if a token that came over https is sent over http; otherwise undefined. */
export function exposedToken(authUrl: string, endpoint: string): string | undefined {
  const isExposed = new URL(authUrl).protocol === 'https:' && new URL(endpoint).protocol === 'http:';
  if (!isExposed) return undefined;
  return (
    'Keystone is asked over https, but its catalogue has an http URL for Nova: the token crosses the network in clear ' +
    'text; have the catalogue corrected, or give the https URL as compute_endpoint_override'
  );
}

function list(endpoints: readonly Endpoint[], key: 'interface' | 'region'): string {
  return [...new Set(endpoints.map((endpoint) => endpoint[key] ?? ''))].join(', ');
}
