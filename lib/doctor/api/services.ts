import * as z from 'zod/mini';
import type { OpenStackConnection } from '../../connection/connection.ts';
import { shaped } from '../../source/nova-api/answers.ts';
import { CELL_TIMEOUT_SECONDS } from '../../source/nova-api/listing.ts';
import { has } from '../../source/nova-api/microversion.ts';
import type { Nova } from '../../source/nova-api/nova.ts';
import { counted } from '../amounts.ts';
import { type Finding, teller } from '../finding.ts';
import { policyRemedy } from './policy.ts';

const tell = teller();
const WHAT = 'Nova: the list of services';

const Services = z.object({
  services: z.array(z.object({ binary: z.string(), status: z.optional(z.string()) })),
});

/** Whether all cells answer, by the state of their computes; below 2.69 a run does not ask. */
export async function* examineServices(
  nova: Nova,
  connection: OpenStackConnection,
): AsyncGenerator<Finding, void, void> {
  if (!has(nova.microversion, 'downCells')) return;
  const answer = await nova.get({
    path: '/os-services',
    what: WHAT,
    accept: [403],
    timeoutSeconds: CELL_TIMEOUT_SECONDS * 2,
  });
  if (answer.status === 403) {
    yield tell.fatal(
      'services',
      'not shown to this user (403)',
      'no trace can be made: whether all cells answer is unknown, and a run refuses',
      policyRemedy('os-services:list', connection),
    );
    return;
  }
  const { services } = shaped(Services, answer.json, WHAT);
  const unknown = services.filter(({ status }) => status === 'UNKNOWN').length;
  if (unknown > 0 || answer.seconds >= CELL_TIMEOUT_SECONDS * 0.9) {
    yield tell.fatal(
      'cells',
      unknown > 0
        ? `a cell does not answer: ${counted(unknown, 'service')} UNKNOWN`
        : `a cell may not answer: the list of services took ${Math.round(answer.seconds)} s`,
      'no trace can be made until it does, because lists lack its servers; with allowPartial, the trace lacks them until the cell answers again',
      'check the databases of the cells, and Nova’s log',
    );
    return;
  }
  const computes = services.filter(({ binary }) => binary === 'nova-compute').length;
  yield tell.fine('cells', `all answer, with ${counted(computes, 'compute')}`);
}
