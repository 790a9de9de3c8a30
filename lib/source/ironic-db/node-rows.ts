import type { Seconds } from '../../core/time.ts';
import type { MachineName } from '../../tables/machines/row.ts';
import type { FoundMachine, MachinesRead } from '../machines/found.ts';
import { IRONIC } from '../machines/other-machines.ts';
import { type NodeFacts, type PropertyChoice, propertiesOf, rackOfNode } from './properties.ts';

/** A row of Ironic's `nodes`. */
export interface IronicNode extends NodeFacts {
  readonly uuid: string;
  readonly created: Seconds | null;
  /** Of the row: any lock moves it, and every change. */
  readonly updated: Seconds | null;
  readonly provisionState: string | null;
  readonly maintenance: boolean;
}

/** A row of Nova's `compute_nodes` that stands for a node: all that is left of one that Ironic has deleted. */
export interface NovaNode {
  readonly uuid: string;
  readonly created: Seconds | null;
  readonly deleted: Seconds | null;
}

/** What Blazar knows of a node. */
export interface Capabilities {
  readonly values: ReadonlyMap<string, string>;
  /** When the newest of the configured ones was set. */
  readonly changed: Seconds | null;
}

export interface NodesFound {
  readonly nodes: readonly IronicNode[];
  readonly novaNodes: readonly NovaNode[];
  /** By uuid in lower case; undefined where Blazar cannot be read. */
  readonly capabilities: ReadonlyMap<string, Capabilities> | undefined;
}

/** States in which Nova and Blazar count a node as fit for use. */
const FIT: ReadonlySet<string | null> = new Set(['available', 'active']);

/** @param at when Ironic was read */
export function bareMetalOf(
  { nodes, novaNodes, capabilities }: NodesFound,
  at: Seconds,
  choice: PropertyChoice,
): MachinesRead {
  const there = new Set(nodes.map(({ uuid }) => keyOf(uuid)));
  const gone = novaNodes.filter(({ uuid }) => !there.has(keyOf(uuid)));
  return {
    at,
    partial: false,
    parts: [IRONIC],
    machines: [
      ...nodes.map((node) => machineOf(node, capabilities?.get(keyOf(node.uuid)), choice, capabilities)),
      ...lastOf(gone).flatMap(goneMachine),
    ],
    names: new Map(gone.map(({ uuid }) => [keyOf(uuid), nameOf(uuid, null)])),
  };
}

/** Uuids are compared in lower case, and published as they are written. */
export function keyOf(uuid: string): string {
  return uuid.toLowerCase();
}

function nameOf(uuid: string, rack: string | null): MachineName {
  return { host: uuid, node: uuid, rack };
}

function machineOf(
  node: IronicNode,
  known: Capabilities | undefined,
  choice: PropertyChoice,
  blazar: NodesFound['capabilities'],
): FoundMachine {
  const { uuid, created, updated, provisionState, maintenance, properties } = node;
  return {
    key: keyOf(uuid),
    slot: null,
    ...nameOf(uuid, rackOfNode(node, known?.values, choice)),
    created,
    deleted: null,
    renews: true,
    capacity: {
      vcpus: whole(properties['cpus']),
      memoryMb: whole(properties['memory_mb']),
      diskGb: whole(properties['local_gb']),
      properties: propertiesOf(node, known?.values, choice),
    },
    capacityAt: known?.changed ?? null,
    // What Ironic tells of the capacity, which has no time of its own.
    alike: propertiesOf(node, undefined, { ...choice, names: [...choice.names, ...OF_IRONIC] }),
    // Nothing tells when a capability was taken away.
    ...(blazar === undefined ? {} : { capacityBy: null }),
    changedBy: blazar === undefined ? updated : null,
    switchedBy: updated,
    enabled: !maintenance,
    disabledAt: null,
    switchedAt: null,
    up: !maintenance && FIT.has(provisionState),
  };
}

const OF_IRONIC = ['cpus', 'memory_mb', 'local_gb'];

/** Of several rows of one node, one that is not deleted goes first, then the last. */
function lastOf(rows: readonly NovaNode[]): NovaNode[] {
  const last = new Map<string, NovaNode>();
  for (const row of rows) {
    const other = last.get(keyOf(row.uuid));
    if (other === undefined || (row.deleted ?? Infinity) > (other.deleted ?? Infinity))
      last.set(keyOf(row.uuid), row);
  }
  return [...last.values()];
}

/** One that Nova has not missed yet is only a name. */
function goneMachine({ uuid, created, deleted }: NovaNode): FoundMachine[] {
  if (deleted === null) return [];
  return [
    {
      key: keyOf(uuid),
      slot: null,
      ...nameOf(uuid, null),
      created,
      deleted,
      noticed: true,
      capacity: { vcpus: null, memoryMb: null, diskGb: null },
      capacityAt: null,
      alike: null,
      changedBy: null,
      switchedBy: null,
      enabled: null,
      disabledAt: null,
      switchedAt: null,
      up: false,
    },
  ];
}

/** Ironic keeps numbers, or what somebody typed. */
function whole(value: unknown): number | null {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : null;
}
