import { needsSecret, readSecret, secretPlace } from '../lib/backfill/masking-secret.ts';
import { settingsFor } from '../lib/backfill/request.ts';
import { type GroupResult, runGroup } from '../lib/backfill/run-group.ts';
import { readWindowsStep, requestOf } from '../lib/backfill/steps.ts';
import { type DoorContext, enter } from '../lib/door.ts';
import { keepHeapSmall } from '../lib/heap.ts';
import { openInvocation } from '../lib/open-invocation.ts';
import { readSettings } from '../lib/settings.ts';

keepHeapSmall();

/** The step of an execution that many workers take at once: publishes one run of windows. */
export function handler(event: unknown, context: DoorContext): Promise<GroupResult> {
  return enter(context, async ({ clients, deadline, log }) => {
    const deployed = readSettings(process.env);
    const { group, request: asked, execution } = readWindowsStep(event);
    const request = requestOf(asked, deployed, group);
    const settings = settingsFor(request, deployed);
    const { signal } = deadline;
    const shared = needsSecret(settings)
      ? await readSecret(secretPlace(settings, clients.secretsManager, signal), execution)
      : undefined;
    using invocation = await openInvocation(settings, clients, signal, log, shared);
    const result = await runGroup(invocation, request, group, execution, () => deadline.remaining());
    log('group done', { execution, ...group, ...result });
    return result;
  });
}
