import { beginTrace, refuseOtherSettings } from '../lib/backfill/begin-trace.ts';
import { groupsOf } from '../lib/backfill/groups.ts';
import { ownerOf, readSecret, secretPlace } from '../lib/backfill/masking-secret.ts';
import { openDeployed } from '../lib/backfill/open-request.ts';
import { planBackfill, refuseGone } from '../lib/backfill/plan.ts';
import { keepStates } from '../lib/backfill/states.ts';
import { readPlanStep } from '../lib/backfill/steps.ts';
import { makeNewSecret } from '../lib/backfill/sweep.ts';
import { InputError } from '../lib/core/errors.ts';
import { intervals, isoWindow } from '../lib/core/window.ts';
import { refuseUnfit } from '../lib/drop/fitness.ts';
import { openInvocation, openMasking } from '../lib/drop/open-invocation.ts';
import { type HandlerContext, runHandler } from '../lib/runtime/handle.ts';

/** The first step of an execution: plans its groups, makes the secret that they share, and begins the trace last. */
export function handler(event: unknown, context: HandlerContext): Promise<object> {
  return runHandler(context, async ({ clients, deadline, log }) => {
    const { signal } = deadline;
    const { plan: asked, execution } = readPlanStep(event);
    const { request, settings, trace, isComplete } = await openDeployed(asked, clients, signal);
    const answer = { request: asked, execution, concurrency: request.concurrency, groups: [] };
    if (request.dryRun)
      throw new InputError('event: dryRun: got true; accepted: to invoke the function backfill with it');
    if (isComplete) return answer;

    using planning = await openInvocation(settings, clients, signal, log, undefined);
    const plan = await planBackfill(planning, request);
    refuseGone(request, plan, trace?.kind === 'release');
    const [due, published] = [plan.due.length, plan.published.length];
    const summary = { due, published, beforeHistory: intervals(plan.beforeHistory) };
    // A release whose windows are all there is completed without its secret, which may be gone.
    if (due === 0) return { ...answer, summary };
    // Before anything is written.
    await refuseUnfit(planning, trace);

    const secrets = secretPlace(settings, clients.secretsManager, signal);
    const owner = ownerOf(request.release, execution);
    // A release that was begun keeps its secret, or fails: masks of a new one would not join.
    if (trace?.kind !== 'release') await makeNewSecret(secrets, owner, execution);
    using secret = await readSecret(secrets, owner);
    using masking = await openMasking(settings, clients, signal, secret.salt);
    const invocation = { ...planning, masking };
    if (trace?.kind === 'release') refuseOtherSettings(invocation, trace, secret.key);
    const groups = groupsOf(plan.due, plan.events);
    await keepStates(invocation, groups, execution);
    await beginTrace(invocation, request, plan, trace, secret.key);
    log('backfill planned', { execution, groups: groups.length, ...summary });
    return { ...answer, groups: groups.map(isoWindow), summary };
  });
}
