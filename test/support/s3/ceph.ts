import { setTimeout as delay } from 'node:timers/promises';
import { seeded } from '../nova/prng.ts';

/** How a Ceph gateway (radosgw 20) differs from S3 where writes of one key meet. */
export interface Ceph {
  /** Lets time pass between a condition's check and the write, so that others come in between. */
  dawdle(): Promise<void>;
  /** Whether the loser of two writes at once is told 409 `ConcurrentModification`, rather than 412. */
  tellsConflict(): boolean;
  /** Whether a conditional deletion removes what another write has put there since its check. */
  readonly deletesBlindly: boolean;
}

export interface CephOptions {
  seed: number;
  deletesBlindly?: boolean;
}

export function likeCeph({ seed, deletesBlindly = false }: CephOptions): Ceph {
  const random = seeded(seed);
  return {
    dawdle: () => delay(random.between(0, 15)),
    tellsConflict: () => random.chance(0.7),
    deletesBlindly,
  };
}
