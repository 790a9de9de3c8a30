import { SFNClient } from '@aws-sdk/client-sfn';
import { StoreError, firstLine } from '../core/errors.ts';
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
  ask: (client: SFNClient, how: { readonly abortSignal: AbortSignal }) => Promise<T>,
): Promise<T> {
  const client = new SFNClient({ requestHandler });
  try {
    return await ask(client, { abortSignal: signal });
  } catch (error) {
    signal.throwIfAborted();
    const reason = error instanceof Error ? `${error.name}: ${firstLine(error)}` : String(error);
    throw new StoreError(`could not ${what}: ${reason}`, { cause: error });
  } finally {
    client.destroy();
  }
}
