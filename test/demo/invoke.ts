// One invocation in a process of its own, as Lambda makes it: loads the bundled handler, hands it the event and
// sends the answer to the process that forked this one. Standard output is the function's log.
import { randomUUID } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import type { handler as Handler } from '../../handlers/scheduled.ts';
import type { Answer } from './function.ts';

const [file = '', event = '{}', lifetimeMs = '0'] = process.argv.slice(2);
const ends = Date.now() + Number(lifetimeMs);

const answer = await invoke().catch((error: unknown): Answer => ({ error: String(error) }));
process.send?.(answer, () => process.disconnect());

async function invoke(): Promise<Answer> {
  const { handler }: { handler: typeof Handler } = await import(pathToFileURL(file).href);
  const summary = await handler(JSON.parse(event), {
    awsRequestId: randomUUID(),
    getRemainingTimeInMillis: () => ends - Date.now(),
  });
  return { summary, peakBytes: process.resourceUsage().maxRSS * 1024 };
}
