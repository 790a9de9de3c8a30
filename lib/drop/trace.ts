import * as z from 'zod/mini';
import { COMPRESSIONS, type Compression } from '../config/choices.ts';
import { StoreError } from '../core/errors.ts';
import type { Stored as StoredText } from '../store/store.ts';
import { instantField, windowField } from '../core/fields.ts';
import { MINUTE, type Seconds, iso } from '../core/time.ts';
import { type Window, isoWindow } from '../core/window.ts';
import { readClaim } from './claim.ts';
import { parseState } from './parse-state.ts';
import type { Place } from './place.ts';

/*
 * `state/trace.json` fixes what must not change while a trace grows. The first run creates it by compare-and-swap, before
 * it claims anything. It never changes afterwards.
 */

/** A trace that the schedule publishes forward from `begin`, and backfill before it. */
export interface ScheduledTrace {
  readonly kind: 'scheduled';
  readonly begin: Seconds;
  /** Of every window before `begin`, whatever the setting is today. */
  readonly windowSeconds: Seconds;
}

/** A trace of its own that one backfill publishes. */
export interface ReleaseTrace {
  readonly kind: 'release';
  /** As asked for, but cut to what the source still had when the release was planned. */
  readonly range: Window;
  readonly windowSeconds: Seconds;
  readonly tables: readonly string[];
  readonly formats: readonly string[];
  readonly compression: Compression;
  readonly source: string;
  readonly maskingScope: string;
  /** Masks of the racks of its hosts, in order of the racks' names; undefined where none is told. */
  readonly racks?: readonly string[];
  /** HMAC of the settings that change a drop's bytes, under a key that is kept with the masking secret. */
  readonly settings: string;
}

export type Trace = ScheduledTrace | ReleaseTrace;

const common = { traceVersion: z.literal(1), cloud: z.string(), windowMinutes: z.int(), created: z.string() };

const Stored = z.discriminatedUnion('kind', [
  z.strictObject({ ...common, kind: z.literal('scheduled'), begin: instantField }),
  z.strictObject({
    ...common,
    kind: z.literal('release'),
    range: windowField,
    tables: z.array(z.string()),
    formats: z.array(z.string()),
    compression: z.enum(COMPRESSIONS),
    source: z.string(),
    maskingScope: z.string(),
    racks: z.exactOptional(z.array(z.string())),
    settings: z.string(),
  }),
]);

/**
 * @returns undefined if no run has begun the trace
 * @throws StoreError if the object is not one of this version, or is gone from a trace that has claims
 */
export async function readTrace(place: Place): Promise<Trace | undefined> {
  // Another run may begin the trace, and claim a window, between the first two looks.
  const stored = (await look(place)) ?? ((await hasClaims(place)) ? await look(place) : null);
  if (stored === null) return undefined;
  const { trace: key } = place.layout;
  if (stored !== undefined) return parseTrace(stored.json(), key);
  throw new StoreError(
    `trace: ${key}: is gone, but the trace has claims; bring it back (the bucket keeps old versions)`,
  );
}

function look({ store, layout, signal }: Place): Promise<StoredText | undefined> {
  return store.readText(layout.trace, signal);
}

/**
 * Begins a trace.
 *
 * @returns what is fixed now: this, or what another run fixed first
 * @throws StoreError as {@link readTrace} does
 */
export async function createTrace(place: Place, cloud: string, trace: Trace): Promise<Trace> {
  const { store, layout, signal } = place;
  const text = formatTrace(cloud, trace, Math.floor(Date.now() / 1000));
  if ((await store.writeText(layout.trace, text, 'absent', signal)) !== undefined) return trace;
  const found = await readTrace(place);
  if (found === undefined)
    throw new StoreError(`trace: ${layout.trace}: was removed while this run began it`);
  return found;
}

async function hasClaims(place: Place): Promise<boolean> {
  const { store, layout, signal } = place;
  if ((await readClaim(place, layout.claim)) !== undefined) return true;
  for await (const _ of store.list(layout.windowClaims, '', signal)) return true;
  return false;
}

function formatTrace(cloud: string, trace: Trace, created: Seconds): string {
  const { windowSeconds, ...fixed } = trace;
  const times =
    fixed.kind === 'scheduled'
      ? { ...fixed, begin: iso(fixed.begin) }
      : { ...fixed, range: isoWindow(fixed.range) };
  const known = { traceVersion: 1, cloud, windowMinutes: windowSeconds / MINUTE, created: iso(created) };
  return `${JSON.stringify({ ...known, ...times }, null, 2)}\n`;
}

function parseTrace(value: unknown, key: string): Trace {
  const stored = parseState('trace', key, value, Stored, 1);
  const { traceVersion: _, cloud: __, created: ___, windowMinutes, ...fixed } = stored;
  return { ...fixed, windowSeconds: windowMinutes * MINUTE };
}
