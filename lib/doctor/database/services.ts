import type { ServiceName } from '../../connection/connection.ts';
import { SourceError } from '../../core/errors.ts';
import { lackingColumns, readBlazarSchema } from '../../source/blazar-db/schema.ts';
import { NODE_COLUMNS } from '../../source/ironic-db/nodes.ts';
import { mayReadFlavours, readHints } from '../../source/nova-db/reservations.ts';
import type { CellSession } from '../../source/nova-db/session.ts';
import type { Finding, Teller } from '../finding.ts';
import { examinePlacement } from './placement.ts';

type Examine = (session: CellSession, tell: Teller) => AsyncGenerator<Finding, void, void>;

/** Whether what a run reads of a service's own database can be read. */
export const EXAMINED_SERVICES: Readonly<Record<ServiceName, Examine>> = {
  placement: examinePlacement,
  ironic: examineIronic,
  blazar: examineBlazar,
  nova_api: examineNovaApi,
};

const CHECK = 'tables';

const UNJOINED = 'of instances the RESERVATION_ID of servers that name their lease in no other way';

async function* examineNovaApi(session: CellSession, tell: Teller): AsyncGenerator<Finding, void, void> {
  try {
    await readHints(session, ['none']);
    yield tell.fine(CHECK, 'readable');
  } catch (error) {
    if (!(error instanceof SourceError) || error.transient) throw error;
    yield tell.lacking(
      CHECK,
      'may not be read, or are missing: request_specs (instance_uuid, spec)',
      `${UNJOINED}: a run is refused`,
      'grant SELECT on these columns, or leave nova_api out of the secret; docs/bare-metal.md lists the GRANTs',
    );
  }
}

/** Of a cell, where leases are told of: whether flavours can be read, in which servers name theirs. */
export async function* examineFlavours(
  session: CellSession,
  tell: Teller,
): AsyncGenerator<Finding, void, void> {
  const check = 'flavours of servers';
  yield (await mayReadFlavours(session))
    ? tell.fine(check, 'readable')
    : tell.lacking(
        check,
        'may not be read, or are missing: instance_extra (instance_uuid, flavor)',
        UNJOINED,
        'grant SELECT on these columns',
      );
}

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
