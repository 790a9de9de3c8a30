import * as z from 'zod/mini';
import type { Seconds } from '../../core/time.ts';
import type { SourceState } from '../source.ts';
import { newSalt } from './fingerprint.ts';
import { readStored } from '../stored-state.ts';

/** State of the API source between windows. It holds servers, actions and events as fingerprints only. */
export interface ApiState {
  readonly salt: string;
  /** All visible events that finished before this are published; for later ones see `published`. */
  readonly completeFrom: Seconds;
  /** End of the last window that asked every server; null if there was none. */
  readonly sweptUntil: Seconds | null;
  /** A sweep that goes on in the next window; null if there is none. */
  readonly sweep: Sweep | null;
  /** Events that had not finished, and actions that had no event yet, when the last window ended. */
  readonly pending: readonly Pending[];
  /** Events published that finished at `completeFrom` or later, and when. */
  readonly published: ReadonlyMap<string, Seconds>;
  /** Earlier published events whose action has something pending: Nova may finish them again. */
  readonly siblings: readonly Sibling[];
  /** Servers that were there when last looked, not deleted: one that is in no list after that was archived. */
  readonly servers: ReadonlySet<string>;
}

/** Every server is asked once, by one window or several. */
export interface Sweep {
  /** End of the window in which it began: what finished long enough before that is found once it is over. */
  readonly from: Seconds;
  readonly asked: ReadonlySet<string>;
}

export interface Sibling {
  readonly action: string;
  readonly event: string;
  /** As it was published. */
  readonly finish: Seconds;
}

export interface Pending {
  readonly server: string;
  readonly action: string;
  /** Null for an action without events. */
  readonly event: string | null;
  readonly start: Seconds;
}

const Stored = z.strictObject({
  salt: z.string(),
  completeFrom: z.int(),
  sweptUntil: z.nullable(z.int()),
  sweep: z.nullable(z.strictObject({ from: z.int(), asked: z.array(z.string()) })),
  pending: z.array(z.tuple([z.string(), z.string(), z.nullable(z.string()), z.int()])),
  published: z.array(z.tuple([z.string(), z.int()])),
  siblings: z.array(z.tuple([z.string(), z.string(), z.int()])),
  servers: z.array(z.string()),
});

/** Where a trace begins. */
export function firstState(start: Seconds): ApiState {
  return {
    salt: newSalt(),
    completeFrom: start,
    sweptUntil: null,
    sweep: null,
    pending: [],
    published: new Map(),
    siblings: [],
    servers: new Set(),
  };
}

export function storeState({ sweep, pending, published, siblings, servers, ...rest }: ApiState): SourceState {
  const stored: z.infer<typeof Stored> = {
    ...rest,
    sweep: sweep && { from: sweep.from, asked: [...sweep.asked] },
    pending: pending.map(({ server, action, event, start }) => [server, action, event, start]),
    published: [...published],
    siblings: siblings.map(({ action, event, finish }) => [action, event, finish]),
    servers: [...servers],
  };
  return stored;
}

/** @throws StoreError if the checkpoint holds something else */
export function restoreState(state: SourceState): ApiState {
  const stored = readStored(Stored, state, 'source', 'not written by the API source');
  const { sweep, pending, published, siblings, servers, ...rest } = stored;
  return {
    ...rest,
    sweep: sweep && { from: sweep.from, asked: new Set(sweep.asked) },
    pending: pending.map(([server, action, event, start]) => ({ server, action, event, start })),
    published: new Map(published),
    siblings: siblings.map(([action, event, finish]) => ({ action, event, finish })),
    servers: new Set(servers),
  };
}
