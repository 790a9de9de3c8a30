import * as z from 'zod/mini';
import { shaped } from '../../source/nova-api/answers.ts';
import { has } from '../../source/nova-api/microversion.ts';
import type { Nova } from '../../source/nova-api/nova.ts';
import { type Finding, teller } from '../finding.ts';
import { policyRemedy } from './policy.ts';
import { type SeenServers, untold } from './servers.ts';

const tell = teller();
const LIST = 'Nova: the list of a server’s actions';
const SHOW = 'Nova: the events of an action';

/** How many servers are searched for an event to examine. */
const SERVERS_ASKED = 5;

const Actions = z.object({ instanceActions: z.array(z.object({ request_id: z.string() })) });
const Action = z.object({
  instanceAction: z.object({ events: z.optional(z.array(z.looseObject({}))) }),
});

/** Whether this user may see actions, their events, and the hosts of these. */
export async function* examineActions(
  nova: Nova,
  { sample, connection }: SeenServers,
): AsyncGenerator<Finding, void, void> {
  let hasActions = false;
  for (const { id } of sample.slice(0, SERVERS_ASKED)) {
    const path = `/servers/${encodeURIComponent(id)}/os-instance-actions`;
    const listed = await nova.get({ path, what: LIST, accept: [403, 404] });
    if (listed.status === 403) {
      yield tell.fatal(
        'actions',
        'of servers are not shown to this user (403)',
        'no trace can be made: events are found by their actions',
        policyRemedy('os-instance-actions:list', connection),
      );
      return;
    }
    const actions = listed.status === 404 ? [] : shaped(Actions, listed.json, LIST).instanceActions;
    for (const { request_id: request } of actions.slice(0, 1)) {
      const what = { path: `${path}/${encodeURIComponent(request)}`, what: SHOW, accept: [403, 404] };
      const shown = await nova.get(what);
      if (shown.status === 404) continue;
      if (!hasActions) yield tell.fine('actions', 'of servers are shown');
      hasActions = true;
      const events =
        shown.status === 403 ? undefined : shaped(Action, shown.json, SHOW).instanceAction.events;
      if (events === undefined) {
        yield tell.fatal(
          'events',
          'of actions are not shown to this user',
          'no trace can be made: events are its rows',
          policyRemedy(`os-instance-actions:${shown.status === 403 ? 'show' : 'events'}`, connection),
        );
        return;
      }
      const [event] = events;
      if (event === undefined) continue;
      yield tell.fine('events', 'of actions are shown');
      yield* eventHosts('host' in event, nova, connection);
      return;
    }
  }
  yield untold(hasActions ? 'events' : 'actions');
}

/** Below 2.62 nobody can see them; the check of the microversion reports that. */
function* eventHosts(
  shown: boolean,
  nova: Nova,
  connection: SeenServers['connection'],
): Generator<Finding, void, void> {
  if (!has(nova.microversion, 'eventHosts')) return;
  yield shown
    ? tell.fine('hosts of events', 'are shown')
    : tell.fatal(
        'hosts of events',
        'are not shown to this user',
        'no trace can be made: the host of an event is unknown, and a run refuses',
        policyRemedy('os-instance-actions:events', connection),
      );
}
