import { randomUUID } from 'node:crypto';
import { InputError, StoreError } from '../core/errors.ts';
import { TOLERATED } from '../drop/clocks.ts';
import type { Store } from '../store/store.ts';
import { duration } from './amounts.ts';
import { type Finding, teller } from './finding.ts';

/**
 * Tries what publication needs of a store: that it compares and swaps, also when an upload in parts is completed, and
 * that its clock is right. Leaves nothing there.
 *
 * @param prefix of all keys
 */
export async function* examineStore(
  store: Store,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<Finding, void, void> {
  const tell = teller();
  const key = `${prefix === '' ? '' : `${prefix}/`}probe-${randomUUID()}.json`;
  try {
    const lacking = await store.probe(key, signal);
    yield lacking.length === 0
      ? tell.fine('store', `${store.name} compares and swaps`)
      : tell.fatal(
          'store',
          `${store.name} ignores ${lacking.join(', ')}`,
          'no trace can be published there: two runs could publish the same window',
          'a store that keeps these conditions, such as Amazon S3, or a folder',
        );
    const time = await store.clock(key, signal);
    if (time === null) return;
    const ahead = time - Date.now() / 1000;
    const by = `${duration(ahead)} ${ahead > 0 ? 'ahead of' : 'behind'} this machine`;
    yield Math.abs(ahead) <= TOLERATED
      ? tell.fine('clock of the store', 'agrees with this machine to five minutes')
      : tell.fatal(
          'clock of the store',
          by,
          'no trace can be begun: it would begin at a wrong time',
          'set the clocks by NTP',
        );
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof StoreError || error instanceof InputError)) throw error;
    yield tell.fatal('store', error.message, 'no trace can be published there');
  }
}
