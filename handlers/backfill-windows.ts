import {
  type BackfillSecret,
  needsSecret,
  ownerOf,
  readSecret,
  secretPlace,
} from '../lib/backfill/masking-secret.ts';
import { openRequest } from '../lib/backfill/open-request.ts';
import { isComplete, refuseOtherSettings } from '../lib/backfill/release.ts';
import { type GroupResult, runGroup } from '../lib/backfill/run-group.ts';
import { readWindowsStep, windowOf } from '../lib/backfill/steps.ts';
import { type HandlerContext, runHandler } from '../lib/runtime/handle.ts';
import { InputError } from '../lib/core/errors.ts';
import { keepHeapSmall } from '../lib/runtime/heap.ts';
import { loadWatch } from '../lib/report/load-watch.ts';
import { openInvocation } from '../lib/drop/open-invocation.ts';

keepHeapSmall();

/** The step of an execution that many workers take at once: publishes one run of windows. */
export function handler(event: unknown, context: HandlerContext): Promise<GroupResult> {
  return runHandler(context, async ({ clients, deadline, log }) => {
    const { signal } = deadline;
    const { group, request: asked, execution } = readWindowsStep(event);
    const { request: whole, settings, place, trace } = await openRequest(asked, clients, signal);
    if (trace === undefined)
      throw new InputError(
        `trace: ${place.layout.trace}: is gone since the plan; ask for the backfill again`,
      );
    // Another execution of the same release was quicker, and the secret is gone.
    if (trace.kind === 'release' && (await isComplete(place))) return { left: null, published: 0, rows: 0 };
    const secrets = secretPlace(settings, clients.secretsManager, signal);
    using secret: BackfillSecret | undefined = needsSecret(whole.release, settings)
      ? await readSecret(secrets, ownerOf(whole.release, execution))
      : undefined;
    using invocation = await openInvocation(
      settings,
      clients,
      signal,
      log,
      await loadWatch(settings),
      secret?.salt,
    );
    if (trace.kind === 'release' && secret !== undefined) refuseOtherSettings(invocation, trace, secret.key);
    const request = { ...whole, range: windowOf(group) };
    const result = await runGroup(invocation, request, group, execution, () => deadline.remaining());
    log('group done', { execution, ...group, ...result });
    return result;
  });
}
