import { type Settings, readSettings } from '../config/settings.ts';
import { deployedStore, placeOf } from '../drop/place.ts';
import { hasProof } from './complete.ts';
import { type Trace, readTrace } from '../drop/trace.ts';
import type { Store } from '../store/store.ts';
import type { AwsClients } from '../runtime/aws-clients.ts';
import { type Asked, readRequest, resolveRequest, settingsFor } from './request.ts';

/**
 * Begins a backfill: checks what was asked for against the settings and the trace.
 *
 * @returns the request, the settings and the place of its trace, the trace itself (undefined if no run has begun it),
 *   and whether it is a complete release
 * @throws InputError, StoreError; nothing is written
 */
export async function openRequest(asked: Asked, deployed: Settings, store: Store, signal: AbortSignal) {
  const traced = settingsFor(asked, deployed);
  const place = placeOf(traced, store, signal);
  const trace = await readTrace(place);
  const settings = settingsOf(trace, traced);
  const request = resolveRequest(asked, trace, settings, Math.floor(Date.now() / 1000));
  const isComplete = trace?.kind === 'release' && (await hasProof(place));
  return { request, settings, place, trace, isComplete };
}

/** The settings, with what a release was begun with: which window opens it, and the ranks of its racks. */
export function settingsOf(trace: Trace | undefined, settings: Settings): Settings {
  if (settings.release === undefined || trace?.kind !== 'release') return settings;
  const { range, racks } = trace;
  return { ...settings, release: { ...settings.release, range, ...(racks && { racks }) } };
}

/** The same in a deployed function. Every step of an execution begins with it. */
export function openDeployed(event: unknown, clients: Pick<AwsClients, 's3'>, signal: AbortSignal) {
  const deployed = readSettings(process.env);
  return openRequest(readRequest(event), deployed, deployedStore(deployed, clients), signal);
}
