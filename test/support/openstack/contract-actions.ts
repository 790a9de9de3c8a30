import assert from 'node:assert/strict';
import type { Check } from './contract.ts';
import { aDeletedServer } from './contract-samples.ts';
import type { ContractTarget, Json } from './contract-target.ts';

const ACTION = 'action instance_uuid message project_id request_id start_time user_id'.split(' ');
const EVENT = 'event finish_time result start_time traceback'.split(' ');
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000$/;

export const actionChecks: Readonly<Record<string, Check>> = {
  async 'the actions of a deleted server are 404 before 2.21, and there from it on'(cloud) {
    const { id } = await aDeletedServer(cloud);
    for (const [minor, status] of [
      [1, 404],
      [20, 404],
      [21, 200],
      [93, 200],
    ] as const) {
      assert.equal((await cloud.get(`/servers/${id}/os-instance-actions`, minor)).status, status);
    }
  },
  async 'an action and its events have these fields, by microversion'(cloud) {
    const { server, actions } = await aBusyServer(cloud);
    const path = `/servers/${server}/os-instance-actions/${actions.at(-1).request_id}`;
    for (const minor of [21, 47, 51, 57, 58, 62, 66, 69, 84, 93]) {
      const { json } = await cloud.get(path, minor);
      const { events, ...action } = json.instanceAction;
      assert.deepEqual(
        keys(action),
        minor < 58 ? ACTION : [...ACTION, 'updated_at'].toSorted(),
        `2.${minor}`,
      );
      const more = [...(minor < 62 ? [] : ['host', 'hostId']), ...(minor < 84 ? [] : ['details'])];
      assert.deepEqual(keys(events[0]), [...EVENT, ...more].toSorted(), `2.${minor}`);
      assert.match(action.start_time, TIME);
      assert.match(events[0].start_time, TIME);
    }
    const { json } = await cloud.get(`/servers/${server}/os-instance-actions`, 21);
    assert.deepEqual(keys(json.instanceActions[0]), ACTION);
  },
  async 'actions come newest first, and so do the events of one'(cloud) {
    const { server, actions } = await aBusyServer(cloud);
    const starts = actions.map(({ start_time: start }) => String(start));
    assert.deepEqual(starts, starts.toSorted().toReversed());
    for (const { request_id: request } of actions) {
      const { json } = await cloud.get(`/servers/${server}/os-instance-actions/${request}`, 93);
      const times: string[] = json.instanceAction.events.map(({ start_time: start }: Json) => start);
      assert.deepEqual(times, times.toSorted().toReversed());
    }
  },
  async 'a page of actions that is full links to the next, and a request id is the marker'(cloud) {
    const { server, actions } = await aBusyServer(cloud);
    const path = `/servers/${server}/os-instance-actions`;
    const first = await cloud.get(`${path}?limit=1`, 58);
    assert.deepEqual(first.json.instanceActions, [actions[0]]);
    const [{ rel, href }] = first.json.links;
    assert.equal(rel, 'next');
    assert.ok(href.endsWith(`${path}?limit=1&marker=${actions[0].request_id}`), href);
    const second = await cloud.get(`${path}?limit=1&marker=${actions[0].request_id}`, 58);
    assert.deepEqual(second.json.instanceActions, [actions[1]]);
    const whole = await cloud.get(path, 58);
    assert.equal('links' in whole.json, false);
    assert.deepEqual((await cloud.get(`${path}?limit=0`, 58)).json, { instanceActions: [] });
    assert.equal((await cloud.get(`${path}?limit=1`, 57)).json.instanceActions.length, actions.length);
  },
  async 'changes-since and changes-before include the second in which an action changed'(cloud) {
    const { server, actions } = await aBusyServer(cloud);
    const { updated_at: updated } = actions[0];
    const second = `${updated.slice(0, 19)}Z`;
    const found = async (query: string): Promise<unknown[]> => {
      const { json } = await cloud.get(`/servers/${server}/os-instance-actions?${query}`, 66);
      return json.instanceActions.map((action: Json) => action.request_id);
    };
    const changed = actions.filter((action) => action.updated_at >= updated);
    assert.deepEqual(
      await found(`changes-since=${second}`),
      changed.map((action) => action.request_id),
    );
    assert.ok((await found(`changes-before=${second}`)).includes(actions[0].request_id));
    assert.deepEqual(await found('changes-before=1970-01-01'), []);
  },
  async 'a wrong query for actions is 400'(cloud) {
    const { server } = await aBusyServer(cloud);
    for (const [minor, query, message] of [
      [58, 'unknown=1', "Additional properties are not allowed ('unknown' was unexpected)"],
      [93, 'a=1&b=1', "Additional properties are not allowed ('a', 'b' were unexpected)"],
      [
        65,
        'changes-before=2026-01-01',
        "Additional properties are not allowed ('changes-before' was unexpected)",
      ],
      [
        93,
        'limit=1&limit=2',
        "Invalid input for query parameters limit. Value: ['1', '2']. ['1', '2'] is too long",
      ],
      [93, 'limit=-1', "Invalid input for query parameters limit. Value: -1. '-1' does not match '^[0-9]*$'"],
      [93, 'marker=req-unknown', 'Marker None could not be found.'],
      [
        93,
        'changes-since=2026-02-01&changes-before=2026-01-01',
        'The value of changes-since must be less than or equal to changes-before.',
      ],
    ] as const) {
      const { status, json } = await cloud.get(`/servers/${server}/os-instance-actions?${query}`, minor);
      assert.equal(status, 400, query);
      assert.deepEqual(json.badRequest, { code: 400, message });
    }
    assert.equal((await cloud.get(`/servers/${server}/os-instance-actions?unknown=1`, 57)).status, 200);
  },
  async 'an unknown action is 404'(cloud) {
    const { server } = await aBusyServer(cloud);
    const { status, json } = await cloud.get(`/servers/${server}/os-instance-actions/req-unknown`, 93);
    assert.equal(status, 404);
    assert.deepEqual(json.itemNotFound, { code: 404, message: 'Action req-unknown not found' });
  },
};

/** A server at rest whose second newest action began before its newest. */
async function aBusyServer(cloud: ContractTarget): Promise<{ server: string; actions: Json[] }> {
  for (const { id } of await cloud.settled()) {
    const { json } = await cloud.get(`/servers/${id}/os-instance-actions`, 93);
    const actions: Json[] = json.instanceActions;
    if (actions.length > 1 && actions[0].start_time > actions[1].start_time) return { server: id, actions };
  }
  throw new Error('The cloud has no server at rest with several actions');
}

function keys(value: object): string[] {
  return Object.keys(value).toSorted();
}
