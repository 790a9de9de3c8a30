import { randomBytes } from 'node:crypto';
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { StoreError, firstLine } from '../errors.ts';
import type { Settings } from '../settings.ts';
import { openStepFunctions } from '../step-functions.ts';
import { compactIso, iso } from '../time.ts';
import { windowText, windowsOf } from '../window.ts';
import { type BackfillRequest, eventOf } from './request.ts';
import type { BackfillSummary } from './summary.ts';

/** Up to so many windows are made in the invocation itself. */
const SHORT = 31;

/** Whether a backfill is for the state machine, if there is one. A dry run only looks. */
export function isLong(request: BackfillRequest, settings: Settings): boolean {
  if (settings.backfillMachine === undefined || request.dryRun) return false;
  return windowsOf(request.range, settings.windowSeconds).length > SHORT;
}

/**
 * Starts an execution of the project's state machine for a range.
 *
 * @throws StoreError where Step Functions does not take it
 */
export async function startExecution(
  request: BackfillRequest,
  settings: Settings,
  signal: AbortSignal,
): Promise<BackfillSummary> {
  const { range } = request;
  const client = openStepFunctions();
  // Its name is also that of its masking secret, so it must not come again.
  const name = `${compactIso(range.start)}-${compactIso(range.end)}-${randomBytes(4).toString('hex')}`;
  try {
    const command = new StartExecutionCommand({
      stateMachineArn: settings.backfillMachine,
      name,
      input: JSON.stringify(eventOf(request, range)),
    });
    const { executionArn: arn = '' } = await client.send(command, { abortSignal: signal });
    return started(request, settings, arn);
  } catch (error) {
    signal.throwIfAborted();
    const reason = error instanceof Error ? `${error.name}: ${firstLine(error)}` : String(error);
    throw new StoreError(`could not start the state machine of backfills: ${reason}`, { cause: error });
  } finally {
    client.destroy();
  }
}

function started({ range }: BackfillRequest, settings: Settings, arn: string): BackfillSummary {
  return {
    cloud: settings.cloud,
    status: 'started',
    start: iso(range.start),
    end: iso(range.end),
    windows: windowsOf(range, settings.windowSeconds).length,
    done: [],
    rows: 0,
    bytes: 0,
    maskingScope: null,
    alreadyPublished: [],
    leftToOther: [],
    beforeHistory: [],
    sourceFrom: null,
    left: [windowText(range)],
    next: null,
    execution: { arn, watch: `aws stepfunctions describe-execution --execution-arn ${arn}` },
    message: 'the state machine is at work',
  };
}
