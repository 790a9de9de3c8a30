import { SFNClient } from '@aws-sdk/client-sfn';
import { requestHandler } from './aws-clients.ts';

/** Apart from the other clients, so that it is loaded only where Step Functions is asked. */
export function openStepFunctions(): SFNClient {
  return new SFNClient({ requestHandler });
}
