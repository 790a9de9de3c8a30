import * as z from 'zod/mini';
import { SourceError } from '../../core/errors.ts';
import { type Seconds, parseInstant } from '../../core/time.ts';
import type { Instance } from '../../tables/instance-events/row.ts';
import { timeIn } from './answers.ts';
import type { FlavourSizes } from './flavours.ts';

/** The name of the request, in errors. */
export const SERVERS = 'Nova: the list of servers';

/** A server as a listing shows it. */
export interface Server {
  readonly created: Seconds;
  /** When its row last changed; if never, Nova shows the time of the request. */
  readonly updated: Seconds;
  readonly isDeleted: boolean;
  readonly launched: Seconds | null;
  readonly terminated: Seconds | null;
  /** `vm_state` */
  readonly state: string | null;
  readonly zone: string | null;
  /** The name of its flavour. */
  readonly flavour: string | null;
  readonly instance: Instance;
}

const count = z.nullish(z.number());
const name = z.nullish(z.string());

/** `GET /servers/detail`, as far as a trace needs it; `OS-EXT-SRV-ATTR` is what administrators see. */
const Row = z.object({
  id: z.string(),
  status: z.string(),
  created: z.string(),
  updated: z.string(),
  user_id: z.nullable(z.string()),
  tenant_id: z.nullable(z.string()),
  'OS-SRV-USG:launched_at': name,
  'OS-SRV-USG:terminated_at': name,
  'OS-EXT-STS:vm_state': name,
  'OS-EXT-AZ:availability_zone': name,
  flavor: z.object({
    id: z.optional(z.string()),
    vcpus: count,
    ram: count,
    disk: count,
    original_name: name,
  }),
  'OS-EXT-SRV-ATTR:hostname': z.nullable(z.string()),
  'OS-EXT-SRV-ATTR:host': z.nullable(z.string()),
  'OS-EXT-SRV-ATTR:hypervisor_hostname': z.nullable(z.string()),
});

/** Nova shows five keys and this status for a server whose cell does not answer (microversion 2.69). */
const Unknown = z.object({ id: z.string(), status: z.literal('UNKNOWN') });

export const ServerPage = z.object({
  servers: z.array(z.looseObject({ id: z.string(), status: z.optional(name) })),
});

export type RawServer = z.output<typeof ServerPage>['servers'][number];

/** Whether the row stands for a server that could not be read. A server with all its fields may have this status too. */
export function isUnknown(row: RawServer): boolean {
  return z.safeParse(Unknown, row).success && !('updated' in row);
}

/** @throws SourceError if the user cannot see fields for administrators */
export function toServer(row: RawServer, sizes: FlavourSizes | undefined): Server {
  const parsed = z.safeParse(Row, row);
  const created = parseInstant(parsed.data?.created ?? '');
  const updated = parseInstant(parsed.data?.updated ?? '');
  if (!parsed.success || created === undefined || updated === undefined) {
    const field = parsed.error?.issues[0]?.path.join('.') ?? 'created or updated';
    const isHidden = field.startsWith('OS-EXT');
    throw new SourceError(
      `${SERVERS}: ${field} is missing or not as documented` +
        (isHidden ? '; accepted: a user to whom Nova shows it, by default an administrator' : ''),
      { transient: false },
    );
  }
  const { data } = parsed;
  const known = data.flavor.vcpus === undefined ? sizes?.(data.flavor.id ?? '') : undefined;
  const flavour = known ?? data.flavor;
  return {
    created,
    updated,
    isDeleted: data.status === 'DELETED',
    launched: timeIn(data['OS-SRV-USG:launched_at']),
    terminated: timeIn(data['OS-SRV-USG:terminated_at']),
    state: data['OS-EXT-STS:vm_state'] ?? null,
    zone: data['OS-EXT-AZ:availability_zone'] ?? null,
    flavour: data.flavor.original_name ?? known?.name ?? null,
    instance: {
      uuid: data.id,
      hostname: data['OS-EXT-SRV-ATTR:hostname'],
      userId: data.user_id,
      projectId: data.tenant_id,
      host: data['OS-EXT-SRV-ATTR:host'],
      node: data['OS-EXT-SRV-ATTR:hypervisor_hostname'],
      memoryMb: flavour?.ram ?? null,
      rootGb: flavour?.disk ?? null,
      vcpus: flavour?.vcpus ?? null,
    },
  };
}
