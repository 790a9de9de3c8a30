import { ownerOf, readSecret, secretPlace } from '../lib/backfill/masking-secret.ts';
import { openDeployed } from '../lib/backfill/open-request.ts';
import { planBackfill, refuseGone } from '../lib/backfill/plan.ts';
import { refuseOtherSettings } from '../lib/backfill/begin-trace.ts';
import { runBackfill, timeOver } from '../lib/backfill/run.ts';
import { readStates } from '../lib/backfill/states.ts';
import { readWindowsStep } from '../lib/backfill/steps.ts';
import { InputError } from '../lib/core/errors.ts';
import { superseded } from '../lib/drop/claim.ts';
import { openInvocation } from '../lib/drop/open-invocation.ts';
import { loadWatch } from '../lib/report/load-watch.ts';
import { type HandlerContext, runHandler } from '../lib/runtime/handle.ts';

/**
 * The step of an execution that several workers do at once: publishes a group of windows. Fails where some are left, so
 * that the state machine tries it again, which leaves published ones alone.
 */
export function handler(event: unknown, context: HandlerContext): Promise<object> {
  return runHandler(context, async ({ clients, deadline, log }) => {
    const { signal } = deadline;
    const { group, ...step } = readWindowsStep(event);
    const { request, settings, place, trace, isComplete } = await openDeployed(step.request, clients, signal);
    if (trace === undefined)
      throw new InputError(
        `trace: ${place.layout.trace}: has gone since the plan was made; ask for the backfill again`,
      );
    // Another execution has completed the release, and the secret is gone.
    if (isComplete) return { done: 0 };
    const secrets = secretPlace(settings, clients.secretsManager, signal);
    using secret = await readSecret(secrets, ownerOf(request.release, step.execution));
    const watch = await loadWatch(settings);
    using invocation = await openInvocation(settings, clients, signal, log, watch, secret.salt);
    if (trace.kind === 'release') refuseOtherSettings(invocation, trace, secret.key);

    const own = { ...request, range: group };
    const plan = await planBackfill(invocation, own);
    refuseGone(own, plan, true);
    const states = await readStates(invocation, step.execution, group);
    const remaining = (): number => deadline.remaining();
    const { done, left, isTimeOver } = await runBackfill(invocation, own, plan, remaining, states);
    log('group done', { ...step, group, done: done.length, left: left.length });
    const [next] = left;
    // A retry later finds it published, or takes it over. At once, two executions could take it from each other forever.
    if (next !== undefined) throw isTimeOver ? timeOver(next) : superseded(next);
    return { done: done.length };
  });
}
