import { watchSteps } from './steps.ts';
import { publish } from '../../../lib/command/publish.ts';

/*
 * The far side of `../invoke/runtime.ts` for the command line: a warm process that publishes into a folder for every
 * message, and dies, or fails, before one of its steps on the disk. It ends with the process that started it.
 */

export interface FolderRun {
  readonly options: Readonly<Record<string, string | true>>;
  /** Counted from 1. */
  readonly dieAt?: number;
  readonly failAt?: { readonly step: number; readonly code: string };
}

async function run({ options, dieAt, failAt }: FolderRun): Promise<object> {
  let steps = 0;
  watchSteps((step) => {
    steps++;
    if (steps === dieAt) process.kill(process.pid, 'SIGKILL');
    if (steps === failAt?.step)
      throw Object.assign(new Error(`${failAt.code}: ${step}`), { code: failAt.code });
  });
  try {
    const cloud = { databases: {}, openStack: {} };
    const status = await publish(options, cloud, new AbortController().signal);
    return { summary: { status, steps } };
  } catch (error) {
    const { name, message } = error as Error;
    return { error: { name, message } };
  } finally {
    watchSteps(undefined);
  }
}

process.on('message', ({ event }: { event: FolderRun }) => {
  void run(event).then((answer) => process.send?.(answer));
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
