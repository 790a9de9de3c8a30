import { createHmac } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Invocation } from '../drop/invocation.ts';
import { type ReleaseTrace, type Trace, createTrace } from '../drop/trace.ts';
import { InputError } from '../core/errors.ts';
import type { Settings } from '../config/settings.ts';
import type { Source } from '../source/source.ts';
import { windowText } from '../core/window.ts';
import type { BackfillPlan } from './plan.ts';
import { type BackfillRequest, latestEdge } from './request.ts';

/**
 * Begins the trace before anything is claimed: fixes all that the workers of a release have to agree on, or the `begin`
 * of a scheduled trace. Without effect if the trace was begun, or nothing is due. Compare the clocks first
 * (`clocks.ts`): a wrong one must fix nothing.
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
): Promise<void> {
  const { settings } = invocation;
  if (trace !== undefined || plan.due.length === 0) return;
  const { windowSeconds, range } = request;
  const ours: Trace =
    request.release === undefined || key === undefined
      ? { kind: 'scheduled', begin: latestEdge(Date.now() / 1000, windowSeconds), windowSeconds }
      : releaseOf(invocation, request, plan, key);
  const found = await createTrace(invocation, settings.cloud, ours);
  const isFit =
    found.kind === 'scheduled'
      ? ours.kind === 'scheduled' && found.windowSeconds === windowSeconds && range.end <= found.begin
      : isDeepStrictEqual(found, ours);
  if (isFit) return;
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

function releaseOf(
  { settings, source, masking }: Invocation,
  { range, windowSeconds }: BackfillRequest,
  { beforeHistory }: BackfillPlan,
  key: Buffer,
): ReleaseTrace {
  return {
    kind: 'release',
    range: { start: beforeHistory.at(-1)?.end ?? range.start, end: range.end },
    windowSeconds,
    tables: settings.tables,
    formats: settings.formats,
    source: source.kind,
    maskingScope: masking.scope,
    settings: sealOf(settings, source.kind, key),
  };
}

/** With a key, because trace.json is public and must not confirm a guess at who is left out. */
function sealOf(settings: Settings, source: Source['kind'], key: Buffer): string {
  const { epoch, formats, compression, formatVersion, licence, masking, report, hostFrom } = settings;
  const { windowSeconds, excludeUsers, excludeProjects, retiredCells, allowPartial } = settings;
  const sets = [excludeUsers, excludeProjects, retiredCells].map((set) => [...set].toSorted());
  const single = [epoch, formats, compression, formatVersion, licence, masking, report, hostFrom];
  const text = JSON.stringify([single, windowSeconds, allowPartial, sets, source]);
  return createHmac('sha256', key).update(text).digest('hex');
}
