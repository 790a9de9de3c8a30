import { randomUUID } from 'node:crypto';
import type { AwsClients } from './aws-clients.ts';
import { fetchSecret } from './connection/fetch-secret.ts';
import { parseSecret } from './connection/secret.ts';
import type { Invocation, Log } from './drop/invocation.ts';
import { whereDropsLie } from './drop/where.ts';
import { InputError } from './errors.ts';
import { SECRET_BYTES, createMasking } from './mask/masking.ts';
import type { Settings } from './settings.ts';
import { openSource } from './source/open-source.ts';

/**
 * Makes everything that lives as long as one invocation: the opened secret, the source, the masks. Dispose of it
 * to forget the masking secret.
 *
 * @param shared a masking secret that several invocations share, where the operator holds none; it is forgotten too
 *   where nothing comes of the invocation
 * @throws InputError where a secret is not there or not accepted; nothing has been opened then
 */
export async function openInvocation(
  settings: Settings,
  clients: AwsClients,
  signal: AbortSignal,
  log: Log,
  shared?: Buffer,
): Promise<Invocation & Disposable> {
  let held = shared;
  try {
    const secret = await fetchSecret(clients.secretsManager, settings.secret, 'STAR_SECRET', signal);
    const connection = await parseSecret(secret.toString('utf8'));
    if (settings.maskingSecret !== undefined)
      held = await fetchSecret(clients.secretsManager, settings.maskingSecret, 'STAR_MASKING_SECRET', signal);
    if (held !== undefined && held.length < SECRET_BYTES) {
      throw new InputError(
        `STAR_MASKING_SECRET: holds ${held.length} bytes; accepted: at least ${SECRET_BYTES} random bytes`,
      );
    }
    const source = await openSource(connection, settings);
    const masking = createMasking(settings.masking, held);
    return {
      run: randomUUID(),
      settings,
      source,
      masking,
      ...whereDropsLie(settings, clients, signal),
      log,
      [Symbol.dispose]: () => masking[Symbol.dispose](),
    };
  } catch (error) {
    held?.fill(0);
    throw error;
  }
}
