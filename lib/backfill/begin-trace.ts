import { isDeepStrictEqual } from 'node:util';
import type { Invocation } from '../drop/invocation.ts';
import { type Trace, createTrace } from '../drop/trace.ts';
import { InputError } from '../core/errors.ts';
import { windowText } from '../core/window.ts';
import type { BackfillPlan } from './plan.ts';
import { releaseOf } from './release.ts';
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
