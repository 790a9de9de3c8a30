import type { OpenStackConnection } from '../../connection/connection.ts';
import { shaped } from '../../source/nova-api/answers.ts';
import type { ApiAnswer } from '../../source/nova-api/calls.ts';
import type { Nova } from '../../source/nova-api/nova.ts';
import { type RawServer, SERVERS, ServerPage, isUnknown } from '../../source/nova-api/servers.ts';
import { type Finding, teller } from '../finding.ts';
import { policyRemedy } from './policy.ts';

const tell = teller();

/** Servers to look at. */
const SAMPLE = 20;

export interface SeenServers {
  /** Whether other projects' servers are among them. */
  readonly ofAllProjects: boolean;
  /** Some, the newest first; of the user's own project where others are not shown. */
  readonly sample: readonly RawServer[];
  readonly connection: OpenStackConnection;
}

/** Whether this user may see all projects' servers, deleted ones, and their hosts. */
export async function* examineServers(
  nova: Nova,
  connection: OpenStackConnection,
): AsyncGenerator<Finding, SeenServers, void> {
  const all = await list(nova, { all_tenants: '1', limit: String(SAMPLE) });
  const ofAllProjects = all.status === 200;
  const scope: Record<string, string> = ofAllProjects ? { all_tenants: '1' } : {};
  if (ofAllProjects) yield tell.fine('all projects', 'their servers are shown');
  else {
    yield tell.fatal(
      'all projects',
      'servers of other projects are not shown to this user (403)',
      'no trace can be made: it would be of one project only, and a run refuses',
      policyRemedy('servers:detail:get_all_tenants', connection),
    );
  }
  const own = ofAllProjects ? all : await list(nova, { limit: String(SAMPLE) });
  if (own.status !== 200) {
    yield tell.fatal(
      'servers',
      'none at all are shown to this user (403)',
      'no trace can be made',
      policyRemedy('servers:detail', connection),
    );
    return { ofAllProjects, sample: [], connection };
  }
  const sample = serversOf(own);
  yield deletedFinding(await list(nova, { ...scope, deleted: 'true', limit: '1' }), sample, connection);
  yield hostsFinding(sample, connection);
  return { ofAllProjects, sample, connection };
}

function list(nova: Nova, query: Record<string, string>): Promise<ApiAnswer> {
  return nova.get({
    path: '/servers/detail',
    query: new URLSearchParams(query),
    what: SERVERS,
    accept: [403],
    timeoutSeconds: 240,
  });
}

function serversOf(answer: ApiAnswer): RawServer[] {
  return shaped(ServerPage, answer.json, SERVERS).servers.filter((row) => !isUnknown(row));
}

/**
 * Nova ignores the filter of a user who may not use it, and returns live servers (`remove_invalid_options` in Nova).
 */
function deletedFinding(
  answer: ApiAnswer,
  sample: readonly RawServer[],
  connection: OpenStackConnection,
): Finding {
  const first = answer.status === 200 ? serversOf(answer)[0] : undefined;
  if (answer.status !== 200 || (first !== undefined && first.status?.endsWith('DELETED') !== true)) {
    return tell.lacking(
      'deleted servers',
      'cannot be listed by this user: Nova ignores `deleted`',
      'servers that were deleted before a compute took them; all others are found by when they changed',
      policyRemedy('servers:allow_all_filters', connection),
    );
  }
  if (first !== undefined) return tell.fine('deleted servers', 'are shown, until they are archived');
  return sample.length > 0
    ? tell.fine('deleted servers', 'there is none at present')
    : untold('deleted servers');
}

/** Whether this user may see it is unknown, which is not fine. */
export function untold(check: string): Finding {
  return tell.lacking(
    check,
    'unknown: there is none to examine',
    'unknown; where it is not shown to this user, a run refuses',
    'examine again when there is a server with an action',
  );
}

const HOSTS = ['OS-EXT-SRV-ATTR:host', 'OS-EXT-SRV-ATTR:hypervisor_hostname', 'OS-EXT-SRV-ATTR:hostname'];

function hostsFinding([server]: readonly RawServer[], connection: OpenStackConnection): Finding {
  if (server === undefined) return untold('hosts');
  const hidden = HOSTS.filter((name) => !(name in server));
  if (hidden.length === 0) return tell.fine('hosts', 'of servers are shown');
  return tell.fatal(
    'hosts',
    `of servers are not shown to this user (${hidden.join(', ')})`,
    'no trace can be made: HOST_NAME (PHYSICAL) and INSTANCE_NAME come from there, and a run refuses',
    policyRemedy('os-extended-server-attributes', connection),
  );
}
