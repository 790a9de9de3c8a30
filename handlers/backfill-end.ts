import { judge } from '../lib/backfill/judge.ts';
import { destroySecret, secretPlace } from '../lib/backfill/masking-secret.ts';
import { forgetStates, plannedCheckpoint } from '../lib/backfill/plan-execution.ts';
import { readEndStep, requestOf } from '../lib/backfill/steps.ts';
import { isAtWork, sweepSecrets } from '../lib/backfill/sweep.ts';
import { type DoorContext, enter } from '../lib/door.ts';
import { refreshIndex } from '../lib/drop/index-page.ts';
import { whereDropsLie } from '../lib/drop/where.ts';
import { BackfillIncompleteError } from '../lib/errors.ts';
import { readSettings } from '../lib/settings.ts';

/**
 * The last step of an execution, and what is done about one that was cut off: in the end its masking secret is
 * destroyed, whatever came of its windows. Once a day it looks for secrets that were left all the same.
 */
export function handler(event: unknown, context: DoorContext): Promise<object> {
  return enter(context, async ({ clients, deadline, log }) => {
    const settings = readSettings(process.env);
    const step = readEndStep(event);
    const { signal } = deadline;
    const place = secretPlace(settings, clients.secretsManager, signal);
    if ('sweep' in step) {
      const destroyed = await sweepSecrets(place, settings);
      log('swept', { destroyed });
      return { destroyed };
    }
    if ('detail' in step) {
      const { name: execution, status } = step.detail;
      // It may have been redriven since.
      const isOver = !(await isAtWork(settings, execution, signal));
      if (isOver) await destroySecret(place, execution);
      log('execution ended', { execution, status, isOver });
      return {};
    }
    const { execution, groups, request, ...redrives } = step.judge;
    const where = { ...whereDropsLie(settings, clients, signal), settings, log };
    const asked = requestOf(request, settings);
    // Whatever came of it, there are new drops.
    await refreshIndex(where, asked.range.end);
    const stand = (await plannedCheckpoint(where, execution))?.window.end ?? -Infinity;
    const verdict = await judge(where, asked, groups, { ...redrives, stand }).catch(
      async (error: unknown) => {
        // Any other error may pass, and the step is tried again.
        if (error instanceof BackfillIncompleteError) await destroySecret(place, execution);
        throw error;
      },
    );
    log('backfill judged', { execution, ...verdict });
    if (!verdict.again) {
      await forgetStates(where, execution);
      await destroySecret(place, execution);
    }
    return verdict;
  });
}
