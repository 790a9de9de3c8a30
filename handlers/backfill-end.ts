import { destroySecret, ownerOf, secretPlace } from '../lib/backfill/masking-secret.ts';
import { openDeployed } from '../lib/backfill/open-request.ts';
import { settingsFor } from '../lib/backfill/request.ts';
import { forgetStates } from '../lib/backfill/states.ts';
import { readEndStep } from '../lib/backfill/steps.ts';
import { releaseIn, sweepSecrets } from '../lib/backfill/sweep.ts';
import { completeRelease, hasProof, refuseMissing } from '../lib/backfill/complete.ts';
import { type Place, deployedStore, placeOf } from '../lib/drop/place.ts';
import { type HandlerContext, runHandler } from '../lib/runtime/handle.ts';
import { refreshIndex } from '../lib/report/refresh-index.ts';
import { readSettings } from '../lib/config/settings.ts';
import { windowsOf } from '../lib/core/window.ts';

/**
 * The last step of an execution: makes sure that all its windows are published, completes a release, and destroys the
 * masking secret. Also destroys the secret of a stopped execution and, once a day, secrets that are left over.
 */
export function handler(event: unknown, context: HandlerContext): Promise<object> {
  return runHandler(context, async ({ clients, deadline, log }) => {
    const { signal } = deadline;
    const deployed = readSettings(process.env);
    const secrets = secretPlace(deployed, clients.secretsManager, signal);
    const step = readEndStep(event);
    if ('sweep' in step || 'detail' in step) {
      const owner = 'detail' in step ? ownerOf(releaseIn(step.detail.input), step.detail.name) : undefined;
      const store = deployedStore(deployed, clients);
      const place = (release?: string): Place => placeOf(settingsFor({ release }, deployed), store, signal);
      const isComplete = (release: string): Promise<boolean> => hasProof(place(release));
      const { destroyed, over } = await sweepSecrets(secrets, isComplete, owner);
      for (const { release, name } of over) await forgetStates(place(release), name);
      log('masking secrets swept', { destroyed });
      return { destroyed };
    }
    const { execution, groups, request: asked } = step.verify;
    const { request, settings, place, trace, isComplete } = await openDeployed(asked, clients, signal);
    const windows = groups.flatMap((group) => windowsOf(group, request.windowSeconds));
    if (trace?.kind !== 'release') await refuseMissing(place, windows);
    else if (!isComplete) await completeRelease({ ...place, settings }, trace);
    await refreshIndex({ ...place, settings, log }, request.range.end);
    // For a complete release also those of executions that failed.
    await forgetStates(place, trace?.kind === 'release' ? undefined : execution);
    await destroySecret(secrets, ownerOf(request.release, execution));
    log('backfill verified', { execution, windows: windows.length });
    return { windows: windows.length, groups: groups.length };
  });
}
