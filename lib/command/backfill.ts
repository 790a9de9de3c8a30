import { createHmac } from 'node:crypto';
import { beginTrace, refuseOtherSettings } from '../backfill/begin-trace.ts';
import { planBackfill, refuseGone } from '../backfill/plan.ts';
import { type Asked, readRequest } from '../backfill/request.ts';
import { runBackfill } from '../backfill/run.ts';
import { completeRelease } from '../backfill/complete.ts';
import { openRequest, settingsOf } from '../backfill/open-request.ts';
import { type BackfillSummary, summarizeComplete, summarizePlan, summarizeRun } from '../backfill/summary.ts';
import { InputError } from '../core/errors.ts';
import { refuseUnfit } from '../drop/fitness.ts';
import { makeInvocation } from '../drop/open-invocation.ts';
import { missingIn } from '../drop/published.ts';
import { readTrace } from '../drop/trace.ts';
import type { Settings } from '../config/settings.ts';
import { loadWatch } from '../report/load-watch.ts';
import { refreshIndex } from '../report/refresh-index.ts';
import { createMasking } from '../transform/masking.ts';
import { EXIT } from './exit.ts';
import { type CloudOptions, type Publishing, openPublishing, readSecretBytes } from './publishing.ts';
import type { GivenOptions } from './settings.ts';

/**
 * Publishes past windows, or a release, in this process.
 *
 * @returns the exit status
 */
export async function backfill(
  options: GivenOptions,
  cloud: CloudOptions,
  signal: AbortSignal,
): Promise<number> {
  try {
    const asked = readRequest(eventOf(options));
    if ((asked.release === undefined) !== (options['saltFile'] === undefined)) {
      throw new InputError(
        asked.release === undefined
          ? '--salt-file: is for a release; accepted: with --release, or --masking-secret for masks that join'
          : '--salt-file: got nothing; accepted: a file of at least 32 random bytes (head -c 32 /dev/urandom > FILE), ' +
              'to be kept until the release is complete',
      );
    }
    await using publishing = await openPublishing(options, cloud);
    const summary = await run(publishing, asked, options, signal);
    publishing.tell(`${summary.cloud}: ${summary.message}`, summary);
    return summary.status === 'unfinished' ? EXIT.unfinished : EXIT.done;
  } catch (error) {
    throw error instanceof InputError ? asOptions(error) : error;
  }
}

function eventOf(options: GivenOptions): object {
  const named = ['start', 'end', 'release', 'cut', 'dryRun'].filter((name) => options[name] !== undefined);
  return Object.fromEntries(named.map((name) => [name, options[name]]));
}

/** What a function is told by an event a command is told by options. */
function asOptions(error: InputError): InputError {
  const message = error.message
    .replace(/^event: ([\w, ]+): /, (_, fields: string) => `${fields.replaceAll(/\w+/g, '--$&')}: `)
    .replace('"cut": true', '--cut')
    .replace('--dryRun', '--dry-run');
  return new InputError(message, { cause: error });
}

async function run(
  { connection, opened, settings: deployed, display, log }: Publishing,
  asked: Asked,
  options: GivenOptions,
  signal: AbortSignal,
): Promise<BackfillSummary> {
  const { request, settings, place, trace, isComplete } = await openRequest(
    asked,
    deployed,
    opened.store,
    signal,
  );
  if (isComplete) return summarizeComplete(settings, request);
  const { held, key } = await secretsOf(settings, options);
  using invocation = await makeInvocation({
    settings,
    connection,
    store: opened.store,
    masking: createMasking(settings.masking, held),
    openWatch: await loadWatch(settings),
    log,
    signal,
    progress: display,
  });
  const plan = await planBackfill(invocation, request);
  refuseGone(request, plan, trace?.kind === 'release');
  if (trace?.kind === 'release' && key !== undefined) refuseOtherSettings(invocation, trace, key);
  if (request.dryRun) return summarizePlan(settings, request, plan);
  if (plan.due.length > 0) await refuseUnfit(invocation, trace);
  const begun = await beginTrace(invocation, request, plan, trace, key);
  const publishing = { ...invocation, settings: settingsOf(begun, settings) };
  const { done } = await runBackfill(publishing, request, plan, () => Infinity);
  // Another run may have published meanwhile what this one left to it.
  const left = await missingIn(invocation, plan.due);
  const after = await readTrace(place);
  if (left.length === 0 && after?.kind === 'release') await completeRelease(invocation, after);
  if (after !== undefined) await refreshIndex(invocation, request.range.end);
  return summarizeRun(settings, request, plan, { done, left });
}

/** The masking secret, where there is one, and of a release the key of the HMAC of its settings. */
async function secretsOf(
  { maskingSecret }: Settings,
  options: GivenOptions,
): Promise<{ readonly held: Buffer | undefined; readonly key: Buffer | undefined }> {
  const [saltFile] = [options['saltFile']].filter((file) => typeof file === 'string');
  const salt = saltFile === undefined ? undefined : await readSecretBytes(saltFile, '--salt-file');
  // One file is enough for both: nothing of the salt can be learnt from what is made of it.
  const key = salt && createHmac('sha256', salt).update('star-compactor release settings').digest();
  if (maskingSecret === undefined) return { held: salt, key };
  salt?.fill(0);
  return { held: await readSecretBytes(maskingSecret, '--masking-secret'), key };
}
