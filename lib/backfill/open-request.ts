import type { AwsClients } from '../runtime/aws-clients.ts';
import { type Place, deployedStore, placeOf } from '../drop/place.ts';
import { type Trace, readTrace } from '../drop/trace.ts';
import { type Settings, readSettings } from '../config/settings.ts';
import { type BackfillRequest, readRequest, resolveRequest, settingsFor } from './request.ts';

/** A request, and the trace that it is for. */
export interface OpenRequest {
  readonly request: BackfillRequest;
  /** As deployed, but for what belongs to the release. */
  readonly settings: Settings;
  readonly place: Place;
  /** Undefined where nobody has begun it. */
  readonly trace: Trace | undefined;
}

/**
 * What every step of a backfill begins with: holds the event against the settings and the trace.
 *
 * @throws InputError, StoreError; nothing is written
 */
export async function openRequest(
  event: unknown,
  clients: Pick<AwsClients, 's3'>,
  signal: AbortSignal,
): Promise<OpenRequest> {
  const deployed = readSettings(process.env);
  const asked = readRequest(event);
  const settings = settingsFor(asked, deployed);
  const place = placeOf(settings, deployedStore(settings, clients), signal);
  const trace = await readTrace(place);
  const request = resolveRequest(asked, trace, settings, Math.floor(Date.now() / 1000));
  return { request, settings, place, trace };
}
