import type { AwsClients } from '../runtime/aws-clients.ts';
import type { Settings } from '../config/settings.ts';
import type { Bucket } from '../store/s3/bucket.ts';
import { type Layout, layoutOf } from '../store/layout.ts';

/** Where the drops of one trace are: all that is needed to read them, without the source or the masks. */
export interface Place {
  readonly bucket: Bucket;
  readonly layout: Layout;
  /** Aborts shortly before the invocation's time is over, with a DeadlineError. */
  readonly signal: AbortSignal;
}

export function placeOf(
  settings: Pick<Settings, 'bucket' | 'prefix' | 'cloud'>,
  clients: Pick<AwsClients, 's3'>,
  signal: AbortSignal,
): Place {
  return { bucket: { client: clients.s3, name: settings.bucket }, layout: layoutOf(settings), signal };
}
