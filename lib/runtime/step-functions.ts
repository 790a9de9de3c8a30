import { SFNClient } from '@aws-sdk/client-sfn';
import { type HowToAsk, ask } from './ask.ts';
import { requestHandler } from './aws-clients.ts';

/**
 * Asks Step Functions. Apart from the other clients, so that it is loaded only when it is asked.
 *
 * @param what is asked, for the message of an error
 * @throws StoreError if Step Functions refuses
 */
export async function askStepFunctions<T>(
  what: string,
  signal: AbortSignal,
  send: (client: SFNClient, how: HowToAsk) => Promise<T>,
): Promise<T> {
  const client = new SFNClient({ requestHandler });
  try {
    return await ask(what, signal, (how) => send(client, how));
  } finally {
    client.destroy();
  }
}
