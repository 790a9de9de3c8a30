import { SourceError } from '../../core/errors.ts';
import { HOST_TABLES, readHostSchema } from '../../source/nova-db/host-schema.ts';
import type { CellSession } from '../../source/nova-db/session.ts';
import type { Finding, Teller } from '../finding.ts';

/** Whether the tables of physical hosts can be read: a run with `machines` or `machine_events` refuses otherwise. */
export async function* examineHosts(session: CellSession, tell: Teller): AsyncGenerator<Finding, void, void> {
  const check = 'tables of machines';
  try {
    const { services, nodes } = await readHostSchema(session);
    yield tell.fine(check, `readable: ${[...services, ...nodes].join(', ')}`);
  } catch (error) {
    if (!(error instanceof SourceError) || error.transient) throw error;
    yield tell.lacking(
      check,
      'may not be read, or are missing',
      'machines and machine_events: a run that is to publish them is refused',
      `grant SELECT on ${[...HOST_TABLES.services, ...HOST_TABLES.nodes].join(', ')}, or set ` +
        'STAR_TABLES=instance_events,instances',
    );
  }
}
