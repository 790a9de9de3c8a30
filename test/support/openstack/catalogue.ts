import { createHash } from 'node:crypto';
import type { Call } from './answers.ts';
import type { Cloud } from './cloud.ts';
import type { Token } from './tokens.ts';

export interface Service {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly endpoints: readonly Endpoint[];
}

export interface Endpoint {
  readonly id: string;
  readonly region: string;
  readonly interface: 'admin' | 'public' | 'internal';
  readonly url: string;
}

const OTHER_REGION = 'OtherRegion';
const DEAD = 'http://127.0.0.1:1';
const INTERFACES = ['admin', 'internal', 'public'] as const;

/**
 * What a client has to find its way through: several services, of which one is like Nova by its type (devstack
 * has it), two regions, of which the first is out of reach, and three interfaces, told apart by their paths.
 */
export function services(cloud: Cloud, call: Call, token: Token): Service[] {
  const project = cloud.projectInUrl ? `/${token.account.projectId}` : '';
  const path: Record<string, (of: Endpoint['interface']) => string> = {
    identity: () => '/identity',
    image: () => '/image',
    compute_legacy: () => `/compute/v2/${token.account.projectId}`,
    compute: (of) => `/compute${of === 'public' ? '' : `-${of}`}/v2.1${project}`,
    network: () => '/networking',
    volumev3: () => `/volume/v3/${token.account.projectId}`,
    placement: () => '/placement',
    ...(cloud.ironic === undefined ? {} : { baremetal: () => '/baremetal' }),
    ...(cloud.blazar === undefined ? {} : { reservation: () => '/reservation/v1' }),
  };
  const names: Record<string, string> = {
    identity: 'keystone',
    image: 'glance',
    compute_legacy: 'nova_legacy',
    compute: 'nova',
    network: 'neutron',
    volumev3: 'cinderv3',
    placement: 'placement',
    baremetal: 'ironic',
    reservation: 'blazar',
  };
  // Keystone leaves out endpoints that it has no project for.
  const isShown = ({ url }: Endpoint): boolean =>
    token.scope === 'project' || !url.endsWith(token.account.projectId);
  return Object.entries(path).map(([type, pathOf]) => ({
    id: idOf(type),
    type,
    name: names[type] ?? type,
    endpoints: [OTHER_REGION, cloud.region]
      .flatMap((region) =>
        INTERFACES.map((of) => ({
          id: idOf(`${type} ${region} ${of}`),
          region,
          interface: of,
          url: `${region === OTHER_REGION ? DEAD : call.origin}${pathOf(of)}`,
        })),
      )
      .filter(isShown),
  }));
}

function idOf(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
