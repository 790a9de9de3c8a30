import type { AwsClients } from '../aws-clients.ts';
import type { Settings } from '../settings.ts';
import { layoutOf } from '../store/layout.ts';
import type { Invocation } from './invocation.ts';

/** The place of the drops, for what needs neither the source nor the masks. */
export type Where = Pick<Invocation, 'bucket' | 'layout' | 'signal'>;

export function whereDropsLie(settings: Settings, clients: AwsClients, signal: AbortSignal): Where {
  return { bucket: { client: clients.s3, name: settings.bucket }, layout: layoutOf(settings), signal };
}
