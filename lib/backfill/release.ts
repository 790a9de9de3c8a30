import { createHmac } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Invocation } from '../drop/invocation.ts';
import { type ReleaseTrace, type Trace, createTrace } from '../drop/trace.ts';
import type { Place } from '../drop/place.ts';
import { InputError } from '../core/errors.ts';
import type { Settings } from '../config/settings.ts';
import type { Source } from '../source/source.ts';
import { windowText } from '../core/window.ts';
import type { BackfillPlan } from './plan.ts';
import { type BackfillRequest, latestEdge } from './request.ts';

/**
 * Fixes what the windows of a plan need fixed, before anything is claimed: of a release all that its workers have to
 * agree on, of a scheduled trace that nobody has begun its `begin`. The clocks were held against each other before.
 *
 * @param trace as it was found
 * @param key of the HMAC of a release's settings; undefined for a backfill without a release
 * @throws InputError where another run began the trace meanwhile, and not for this request
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
    key === undefined
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
 * Holds the settings of a worker against those that its release was begun with.
 *
 * @throws InputError where the release was begun with others
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

/** Whether a release's last step was taken. */
export async function isComplete({ store, layout, signal }: Place): Promise<boolean> {
  return (await store.readText(layout.release, signal)) !== undefined;
}

function releaseOf(
  { settings, source, masking }: Invocation,
  { asked, range, windowSeconds }: BackfillRequest,
  { beforeHistory }: BackfillPlan,
  key: Buffer,
): ReleaseTrace {
  return {
    kind: 'release',
    asked,
    range: { start: beforeHistory.at(-1)?.end ?? range.start, end: range.end },
    windowSeconds,
    tables: settings.tables,
    formats: settings.formats,
    source: source.kind,
    maskingScope: masking.scope,
    settings: sealOf(settings, source.kind, key),
  };
}

/** Under a key, for a guess at who is left out must not be confirmed by what is published. */
function sealOf(settings: Settings, source: Source['kind'], key: Buffer): string {
  const { epoch, formats, compression, formatVersion, licence, masking, report, hostFrom } = settings;
  const { windowSeconds, excludeUsers, excludeProjects, retiredCells, allowPartial } = settings;
  const sets = [excludeUsers, excludeProjects, retiredCells].map((set) => [...set].toSorted());
  const all = {
    epoch,
    formats,
    compression,
    formatVersion,
    licence,
    masking,
    report,
    hostFrom,
    windowSeconds,
    allowPartial,
  };
  return createHmac('sha256', key)
    .update(JSON.stringify([all, sets, source]))
    .digest('hex');
}
