import { makeSecret, needsSecret, secretPlace } from '../lib/backfill/masking-secret.ts';
import { planExecution } from '../lib/backfill/plan-execution.ts';
import { besideSchedule } from '../lib/backfill/plan.ts';
import { readPlanStep, requestOf } from '../lib/backfill/steps.ts';
import { type DoorContext, enter } from '../lib/door.ts';
import { InputError } from '../lib/errors.ts';
import { keepHeapSmall } from '../lib/heap.ts';
import { openInvocation } from '../lib/open-invocation.ts';
import { readSettings } from '../lib/settings.ts';

keepHeapSmall();

/** The first step of an execution: plans its groups and makes the secret that they share; or that secret anew. */
export function handler(event: unknown, context: DoorContext): Promise<object> {
  return enter(context, async ({ clients, deadline, log }) => {
    const settings = readSettings(process.env);
    const step = readPlanStep(event);
    const makeShared = async (execution: string): Promise<void> => {
      if (!needsSecret(settings)) return;
      await makeSecret(secretPlace(settings, clients.secretsManager, deadline.signal), execution);
    };
    if ('renew' in step) {
      await makeShared(step.renew.execution);
      return step.renew;
    }
    const { plan: asked, execution, redrives } = step;
    const whole = requestOf(asked, settings);
    if (whole.dryRun)
      throw new InputError('event: dryRun: got true; accepted: to invoke the function backfill with it');
    // Nothing is masked here, so this function may not, and need not, read an operator's masking secret.
    const planning = { ...settings, maskingSecret: undefined };
    using invocation = await openInvocation(planning, clients, deadline.signal, log);
    const { request, checkpoint } = await besideSchedule(invocation, whole);
    const planned = await planExecution(invocation, request, execution, checkpoint);
    await makeShared(execution);
    log('backfill planned', { execution, groups: planned.groups.length, ...planned.summary });
    return { ...planned, execution, redrives };
  });
}
