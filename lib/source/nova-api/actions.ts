import * as z from 'zod/mini';
import { SourceError } from '../../core/errors.ts';
import { MINUTE, type Seconds, iso, parseInstant } from '../../core/time.ts';
import { shaped } from './answers.ts';
import { goesNowhere } from './listing.ts';
import { has } from './microversion.ts';
import type { Nova } from './nova.ts';

/** An action as the list of a server's actions shows it, without its events. */
export interface Action {
  readonly requestId: string;
  readonly start: Seconds | undefined;
  /** When an event of it last began or finished; undefined if Nova does not show it. */
  readonly updated: Seconds | undefined;
}

/** One event of an action, finished or not. */
export interface ActionEvent {
  readonly event: string | null;
  readonly start: Seconds | undefined;
  readonly finish: Seconds | null;
  readonly result: string | null;
  readonly host: string | null;
}

const text = z.nullish(z.string());

const List = z.object({
  instanceActions: z.array(z.object({ request_id: z.string(), start_time: text, updated_at: text })),
  links: z.optional(z.array(z.object({ rel: z.string(), href: z.string() }))),
});

const Shown = z.object({
  instanceAction: z.object({
    events: z.array(z.object({ event: text, start_time: text, finish_time: text, result: text, host: text })),
  }),
});

const LIST = 'Nova: the list of a server’s actions';
const SHOW = 'Nova: the events of an action';

/**
 * The actions of a server that changed since then, newest first; all actions without `since`, or below microversion
 * 2.58, which has no times of change. Undefined if the server is gone: it was archived meanwhile, or was never built.
 */
export async function listActions(
  nova: Nova,
  server: string,
  since: Seconds | undefined,
): Promise<Action[] | undefined> {
  const tellsChanges = has(nova.microversion, 'actionChanges');
  const actions: Action[] = [];
  for (let marker: string | undefined; ;) {
    const query = new URLSearchParams({
      ...(tellsChanges && since !== undefined ? { 'changes-since': iso(since) } : {}),
      ...(marker === undefined ? {} : { marker }),
    });
    const path = `/servers/${encodeURIComponent(server)}/os-instance-actions`;
    const answer = await nova.get({ path, query, what: LIST, accept: [404] });
    if (answer.status === 404) return undefined;
    const { instanceActions, links = [] } = shaped(List, answer.json, LIST);
    for (const { request_id: requestId, start_time: start, updated_at: updated } of instanceActions) {
      actions.push({ requestId, start: seconds(start), updated: seconds(updated) });
    }
    const last = instanceActions.at(-1)?.request_id;
    if (!links.some(({ rel }) => rel === 'next')) return actions;
    if (last === undefined || last === marker) throw goesNowhere(LIST);
    marker = last;
  }
}

/** The events of an action, oldest first. Undefined if the action is gone. */
export async function showEvents(
  nova: Nova,
  server: string,
  requestId: string,
): Promise<ActionEvent[] | undefined> {
  const path = `/servers/${encodeURIComponent(server)}/os-instance-actions/${encodeURIComponent(requestId)}`;
  const answer = await nova.get({ path, what: SHOW, accept: [404] });
  if (answer.status === 404) return undefined;
  const { events } = shaped(Shown, answer.json, SHOW).instanceAction;
  if (has(nova.microversion, 'eventHosts') && events.some(({ host }) => host === undefined)) {
    throw new SourceError(
      `${SHOW}: their hosts are not shown to this user; accepted: one with the role that Nova's policy asks for ` +
        '(os-instance-actions:events, by default of administrators)',
      { transient: false },
    );
  }
  return events.toReversed().map(({ event, start_time: start, finish_time: finish, result, host }) => ({
    event: event ?? null,
    start: seconds(start),
    finish: seconds(finish) ?? null,
    result: result ?? null,
    host: host ?? null,
  }));
}

/** The start of an action is by the API's clock, that of its events by a conductor's. */
const CLOCK_DIFFERENCE = 5 * MINUTE;

/** Whether an action can hold events that finished in `[since, until)`. */
export function mayHold(action: Action, since: Seconds, until: Seconds, horizonSeconds: Seconds): boolean {
  if (action.start !== undefined && action.start >= until + CLOCK_DIFFERENCE) return false;
  if (action.updated !== undefined) return action.updated >= since;
  // Its time of change is unknown, and it may be as old as the horizon of open events.
  return action.start === undefined || action.start >= since - horizonSeconds;
}

/** `2026-11-23T07:31:21.000000`, in UTC, without a zone. */
function seconds(time: string | null | undefined): Seconds | undefined {
  return time === null || time === undefined ? undefined : parseInstant(time);
}
