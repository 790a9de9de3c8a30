import { randomUUID } from 'node:crypto';
import { handler } from '../../../handlers/scheduled.ts';
import type { Answer, Invocation } from './runtime.ts';

/*
 * The far side of `runtime.ts`: a process that holds the handler, loaded and idle as a warm function is, and runs
 * it for every message. It ends with the process that started it.
 */

async function run({ event, env, lifetimeMs }: Invocation): Promise<Answer> {
  for (const name of Object.keys(process.env)) if (name.startsWith('STAR_')) delete process.env[name];
  Object.assign(process.env, env);
  const ends = Date.now() + lifetimeMs;
  const context = { awsRequestId: randomUUID(), getRemainingTimeInMillis: () => ends - Date.now() };
  try {
    return { summary: await handler(event, context) };
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    return { error: { name, message } };
  }
}

process.on('message', (invocation: Invocation) => {
  void run(invocation).then((answer) => process.send?.(answer));
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
