import type { ServiceName } from '../../connection/connection.ts';
import { SourceError } from '../../core/errors.ts';
import { lackingColumns, readBlazarSchema } from '../../source/blazar-db/schema.ts';
import { NODE_COLUMNS } from '../../source/ironic-db/nodes.ts';
import type { CellSession } from '../../source/nova-db/session.ts';
import type { Finding, Teller } from '../finding.ts';
import { examinePlacement } from './placement.ts';

type Examine = (session: CellSession, tell: Teller) => AsyncGenerator<Finding, void, void>;

/** Whether what a run reads of a service's own database can be read. */
export const EXAMINED_SERVICES: Readonly<Record<ServiceName, Examine>> = {
  placement: examinePlacement,
  ironic: examineIronic,
  blazar: examineBlazar,
};

const CHECK = 'tables';

async function* examineIronic({ query }: CellSession, tell: Teller): AsyncGenerator<Finding, void, void> {
  const columns = NODE_COLUMNS.join(', ');
  try {
    await query(`SELECT ${columns} FROM nodes LIMIT 1`);
    yield tell.fine(CHECK, 'readable');
  } catch (error) {
    if (!(error instanceof SourceError) || error.transient) throw error;
    yield tell.lacking(
      CHECK,
      `may not be read, or are missing: nodes (${columns})`,
      'machines and machine_events of bare metal: a run that is to publish them is refused',
      'grant SELECT on these columns; docs/bare-metal.md lists the GRANTs',
    );
  }
}

async function* examineBlazar(session: CellSession, tell: Teller): AsyncGenerator<Finding, void, void> {
  const lacking = lackingColumns(await readBlazarSchema(session));
  if (lacking.length === 0) {
    yield tell.fine(CHECK, 'readable');
    return;
  }
  yield tell.lacking(
    CHECK,
    `may not be read, or are missing: ${lacking.join(', ')}`,
    'leases and lease_events: a run that is to publish them is refused',
    'grant SELECT on these columns; docs/bare-metal.md lists the GRANTs',
  );
}
