import { createHash } from 'node:crypto';
import type { Row } from '../mariadb/index.ts';

export interface Flavor {
  readonly id: string;
  readonly name: string;
  readonly vcpus: number;
  readonly ram: number;
  readonly disk: number;
  readonly ephemeral: number;
  /** Half of them are not, so that a client which asks for public ones only is noticed. */
  readonly isPublic: boolean;
}

type Sizes = [vcpus: number, ram: number, disk: number, ephemeral: number];

const flavors = new Map<string, Flavor>();

/** The flavour of an instance's row. There is one for each combination of sizes. */
export function flavorOf(row: Row): Flavor {
  const sizes = ['vcpus', 'memory_mb', 'root_gb', 'ephemeral_gb'].map((column) => Number(row[column] ?? 0));
  const key = sizes.join('-');
  const [vcpus = 0, ram = 0, disk = 0, ephemeral = 0] = sizes;
  const known = flavors.get(key);
  if (known !== undefined) return known;
  const hex = createHash('sha256').update(key).digest('hex');
  const id = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20, 32),
  ].join('-');
  const flavor = { id, name: `sized.${key}`, vcpus, ram, disk, ephemeral, isPublic: hex < '8' };
  flavors.set(key, flavor);
  return flavor;
}

/** Undefined for a flavour that no server has shown yet. */
export function sizesOf(id: string): Sizes | undefined {
  const found = [...flavors.values()].find((flavor) => flavor.id === id);
  return found && [found.vcpus, found.ram, found.disk, found.ephemeral];
}

/** The id of the flavour of servers with these sizes. */
export function flavorId(sizes: { vcpus: number; ram: number; disk: number; ephemeral?: number }): string {
  const { vcpus, ram, disk, ephemeral = 0 } = sizes;
  return flavorOf({ vcpus, memory_mb: ram, root_gb: disk, ephemeral_gb: ephemeral }).id;
}
