import { makeSecret, needsSecret, ownerOf, readSecret, secretPlace } from '../lib/backfill/masking-secret.ts';
import { openRequest } from '../lib/backfill/open-request.ts';
import { planBackfill, refuseGone } from '../lib/backfill/plan.ts';
import { planExecution } from '../lib/backfill/plan-execution.ts';
import { beginTrace, isComplete, refuseOtherSettings } from '../lib/backfill/release.ts';
import { readPlanStep } from '../lib/backfill/steps.ts';
import { type HandlerContext, runHandler } from '../lib/runtime/handle.ts';
import { refuseUnfit } from '../lib/drop/fitness.ts';
import { InputError } from '../lib/core/errors.ts';
import { keepHeapSmall } from '../lib/runtime/heap.ts';
import { openInvocation, openMasking } from '../lib/drop/open-invocation.ts';

keepHeapSmall();

/** The first step of an execution: plans its groups, makes the secret that they share, and last begins the trace. */
export function handler(event: unknown, context: HandlerContext): Promise<object> {
  return runHandler(context, async ({ clients, deadline, log }) => {
    const { signal } = deadline;
    const { plan: asked, execution } = readPlanStep(event);
    const { request, settings, place, trace } = await openRequest(asked, clients, signal);
    const { release, concurrency } = request;
    if (request.dryRun)
      throw new InputError('event: dryRun: got true; accepted: to invoke the function backfill with it');
    if (release !== undefined && (await isComplete(place)))
      return { request: asked, execution, groups: [], concurrency, summary: { complete: true } };

    // Nothing is masked to plan: the operator's secret is read only where its scope has to be told.
    using planning = await openInvocation(
      { ...settings, maskingSecret: undefined },
      clients,
      signal,
      log,
      undefined,
    );
    const plan = await planBackfill(planning, request);
    refuseGone(request, plan, trace);
    // Before anything is written.
    if (trace === undefined) await refuseUnfit(planning);

    const secrets = secretPlace(settings, clients.secretsManager, signal);
    const owner = ownerOf(release, execution);
    // Where a release was begun and its secret is gone, masks of a new one would not join.
    if (needsSecret(release, settings) && trace?.kind !== 'release') await makeSecret(secrets, owner);
    using secret = release === undefined ? undefined : await readSecret(secrets, owner);
    using masking = secret && (await openMasking(settings, clients, signal, secret.salt));
    const invocation = masking === undefined ? planning : { ...planning, settings, masking };
    if (trace?.kind === 'release' && secret !== undefined) refuseOtherSettings(invocation, trace, secret.key);
    const planned = await planExecution(invocation, request, plan, execution);
    await beginTrace(invocation, request, plan, trace, secret?.key);
    log('backfill planned', { execution, groups: planned.groups.length, ...planned.summary });
    return { ...planned, execution };
  });
}
