import type { AwsClients } from '../runtime/aws-clients.ts';
import { deployedStore, placeOf } from '../drop/place.ts';
import { readTrace } from '../drop/trace.ts';
import { readSettings } from '../config/settings.ts';
import { readRequest, resolveRequest, settingsFor, withRelease } from './request.ts';

/**
 * Begins every step of a backfill: checks the event against the settings and the trace.
 *
 * @returns the request, the settings and the place of its trace, the trace itself (undefined if no run has begun it),
 *   and whether it is a complete release
 * @throws InputError, StoreError; nothing is written
 */
export async function openRequest(event: unknown, clients: Pick<AwsClients, 's3'>, signal: AbortSignal) {
  const asked = readRequest(event);
  const traced = settingsFor(asked, readSettings(process.env));
  const place = placeOf(traced, deployedStore(traced, clients), signal);
  const trace = await readTrace(place);
  const settings = withRelease(traced, trace);
  const request = resolveRequest(asked, trace, settings, Math.floor(Date.now() / 1000));
  const isComplete =
    trace?.kind === 'release' && (await place.store.readText(place.layout.release, signal)) !== undefined;
  return { request, settings, place, trace, isComplete };
}
