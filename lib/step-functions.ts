import { SFNClient } from '@aws-sdk/client-sfn';
import { requestHandler } from './aws-clients.ts';

/** Apart from the other clients, so that only who asks Step Functions loads what does. */
export function openStepFunctions(): SFNClient {
  return new SFNClient({ requestHandler });
}
