import { createHmac } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Invocation } from '../drop/invocation.ts';
import { racksOf } from '../drop/racks.ts';
import { type ReleaseTrace, type Trace, createTrace } from '../drop/trace.ts';
import { InputError } from '../core/errors.ts';
import type { Settings } from '../config/settings.ts';
import { windowText } from '../core/window.ts';
import type { Source } from '../source/source.ts';
import type { BackfillPlan } from './plan.ts';
import { type BackfillRequest, latestEdge } from './request.ts';

/**
 * Begins the trace before anything is claimed: fixes all that the workers of a release have to agree on, or the `begin`
 * of a scheduled trace. Without effect if the trace was begun, or nothing is due. Ask `refuseUnfit` first: a wrong
 * clock must fix nothing.
 *
 * @param trace as it was found
 * @param key of the HMAC of a release's settings; undefined for a backfill without a release
 * @throws InputError if another run has begun the trace meanwhile in a way that does not fit the request
 */
export async function beginTrace(
  invocation: Invocation,
  request: BackfillRequest,
  plan: BackfillPlan,
  trace: Trace | undefined,
  key?: Buffer,
): Promise<Trace | undefined> {
  const { settings, source, masking } = invocation;
  if (trace !== undefined || plan.due.length === 0) return trace;
  const { windowSeconds, range } = request;
  const { tables, formats, compression } = settings;
  const ours: Trace =
    request.release === undefined || key === undefined
      ? { kind: 'scheduled', begin: latestEdge(Date.now() / 1000, windowSeconds), windowSeconds }
      : {
          kind: 'release',
          range: { start: plan.beforeHistory.at(-1)?.end ?? range.start, end: range.end },
          windowSeconds,
          tables,
          formats,
          compression,
          source: source.kind,
          maskingScope: masking.scope,
          ...(await racksOf(invocation, range)),
          settings: sealOf(settings, source.kind, key),
        };
  const found = await createTrace(invocation, settings.cloud, ours);
  const isFit =
    found.kind === 'scheduled'
      ? ours.kind === 'scheduled' && found.windowSeconds === windowSeconds && range.end <= found.begin
      : isDeepStrictEqual(found, ours);
  if (isFit) return found;
  throw new InputError(
    `event: start, end: got ${windowText(range)}, but another run has just begun cloud=${settings.cloud} otherwise; ` +
      'ask again to see what is accepted',
  );
}

/**
 * Compares the settings of a deployment with those that a release was begun with.
 *
 * @throws InputError if they differ
 */
export function refuseOtherSettings(
  { settings, source, masking }: Pick<Invocation, 'settings' | 'source' | 'masking'>,
  trace: ReleaseTrace,
  key: Buffer,
): void {
  const isSame =
    trace.settings === sealOf(settings, source.kind, key) &&
    trace.maskingScope === masking.scope &&
    trace.source === source.kind;
  if (isSame) return;
  throw new InputError(
    `event: release: cloud=${settings.cloud} was begun with other settings, another masking secret or another kind of ` +
      'source than this deployment has now; accepted: the same; or choose another name, or delete that folder if it is ' +
      'incomplete',
  );
}

/** What may change while a release is made, because no byte of a drop follows from it. Everything else is held. */
const FREE: ReadonlySet<string> = new Set<keyof Settings>([
  ...(['bucket', 'prefix', 'cloud', 'release', 'secret', 'maskingSecret', 'backfillMachine'] as const),
  ...(['backfillSecrets', 'settleSeconds', 'openHorizonSeconds', 'apiConcurrency'] as const),
  ...(['privacyLimit', 'privacyServersLimit'] as const),
]);

/** With a key, because trace.json is public and must not confirm a guess at who is left out. */
function sealOf(settings: Settings, source: Source['kind'], key: Buffer): string {
  const held = Object.entries(settings).filter(([name]) => !FREE.has(name));
  const text = JSON.stringify([source, Object.fromEntries(held)], (_, value: unknown) => {
    if (value instanceof Set) return [...(value as Set<string>)].toSorted();
    return value instanceof RegExp ? value.source : value;
  });
  return createHmac('sha256', key).update(text).digest('hex');
}
