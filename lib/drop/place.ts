import type { Settings } from '../config/settings.ts';
import type { AwsClients } from '../runtime/aws-clients.ts';
import { type Layout, layoutOf } from '../store/layout.ts';
import { s3Store } from '../store/s3/s3-store.ts';
import type { Store } from '../store/store.ts';

/** Where the drops of one trace are: all that is needed to read them, without the source or the masks. */
export interface Place {
  readonly store: Store;
  readonly layout: Layout;
  /** Aborts shortly before the invocation's time is over, with a DeadlineError. */
  readonly signal: AbortSignal;
}

export function placeOf(
  settings: Pick<Settings, 'prefix' | 'cloud'>,
  store: Store,
  signal: AbortSignal,
): Place {
  return { store, layout: layoutOf(settings), signal };
}

/** The store of a deployed function. */
export function deployedStore({ bucket }: Pick<Settings, 'bucket'>, { s3 }: Pick<AwsClients, 's3'>): Store {
  return s3Store({ client: s3, name: bucket });
}
