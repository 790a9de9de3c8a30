import { SourceError } from '../../core/errors.ts';
import { readProviders } from '../../source/nova-db/hosts.ts';
import type { CellSession } from '../../source/nova-db/session.ts';
import type { Finding, Teller } from '../finding.ts';

/** Whether Placement's tables can be read, where the secret has its database: a run with machines refuses otherwise. */
export async function* examinePlacement(
  session: CellSession,
  tell: Teller,
): AsyncGenerator<Finding, void, void> {
  const check = 'tables of Placement';
  try {
    const { size } = await readProviders(session);
    yield tell.fine(check, `readable: ${size} resource providers`);
  } catch (error) {
    if (!(error instanceof SourceError) || error.transient) throw error;
    yield tell.lacking(
      check,
      'may not be read, or are missing',
      'machines and machine_events: a run that is to publish them is refused',
      'grant SELECT on resource_providers, inventories, resource_provider_traits and traits, or leave placement out of ' +
        'the secret; times of changes are then bounded',
    );
  }
}
