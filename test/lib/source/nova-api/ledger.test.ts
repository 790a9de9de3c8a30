import { describe, expect, test } from 'vitest';
import { type Ledger, openLedger } from '../../../../lib/source/nova-api/ledger.ts';
import type { ActionEvent } from '../../../../lib/source/nova-api/actions.ts';
import { restoreState, storeState } from '../../../../lib/source/nova-api/state.ts';
import { DAY, HOUR, MINUTE, type Seconds } from '../../../../lib/core/time.ts';

const START = Date.UTC(2026, 9, 1) / 1000;
const SETTLE = 10 * MINUTE;

/** One event; by its times in minutes since the start. */
function event(name: string, start: number, finish: number | null): ActionEvent {
  return {
    event: name,
    start: START + start * MINUTE,
    finish: finish === null ? null : START + finish * MINUTE,
    result: finish === null ? null : 'Success',
    host: 'cmp-1',
  };
}

interface Read {
  server?: string;
  request?: string;
  events: ActionEvent[];
}

/** A trace of hourly windows, each reading what it is given; the state goes through its stored form. */
function trace(options: { horizon?: Seconds; settle?: (hour: number) => Seconds } = {}) {
  let stored: unknown;
  let hour = 0;
  return {
    window(reads: Read[], { isComplete = true, listed = [] as string[], deleted = [] as string[] } = {}) {
      const window = { start: START + hour * HOUR, end: START + (hour + 1) * HOUR };
      hour++;
      const state =
        stored === undefined ? undefined : restoreState(JSON.parse(JSON.stringify(stored)) as never);
      const ledger: Ledger = openLedger(state, {
        window,
        state: undefined,
        openHorizonSeconds: options.horizon ?? 30 * DAY,
        settleSeconds: options.settle?.(hour) ?? SETTLE,
        begin: START,
        whole: false,
      });
      const published = reads.flatMap(({ server = 'server', request = 'req-1', events }) =>
        ledger.take(
          server,
          { requestId: request, start: events[0]?.start ?? window.start, updated: undefined },
          events,
        ),
      );
      for (const server of listed) ledger.meet(server, false);
      for (const server of deleted) ledger.meet(server, true);
      const closed = ledger.close(isComplete, false);
      stored = storeState(closed.state);
      return {
        published: published.map((row) => row.event),
        counts: closed.counts,
        ledger,
        state: closed.state,
      };
    },
  };
}

describe('The ledger of the API source', () => {
  test('publishes an event in the window in which it finished, whenever it began', () => {
    const hours = trace();
    expect(hours.window([{ events: [event('long', 50, 70)] }]).published).toEqual([]);
    expect(hours.window([{ events: [event('long', 50, 70)] }]).published).toEqual(['long']);
    expect(hours.window([{ events: [event('long', 50, 70)] }]).published).toEqual([]);
  });

  test('leaves to a backfill what finished before the first window, and to the next what begins after', () => {
    const hours = trace();
    const events = [event('before', -20, -10), event('straddling', -20, 5), event('after', 61, 62)];
    expect(hours.window([{ events }]).published).toEqual(['straddling']);
    expect(hours.window([{ events }]).published).toEqual(['after']);
  });

  test('publishes late, and once, what was not to be seen when its window was read', () => {
    const hours = trace();
    hours.window([]);
    const late = hours.window([{ events: [event('late', 51, 59), event('too old', 10, 49)] }]);
    expect(late.published).toEqual(['late']);
    expect(late.counts.late).toBe(1);
    expect(hours.window([{ events: [event('late', 51, 59)] }]).published).toEqual([]);
  });

  test('does not repeat what it finds again in its look-back, nor count it as rewritten', () => {
    const hours = trace();
    expect(hours.window([{ events: [event('edge', 58, 59)] }]).published).toEqual(['edge']);
    const again = hours.window([{ events: [event('edge', 58, 59)] }]);
    expect(again.published).toEqual([]);
    expect(again.counts).toMatchObject({ rewritten: 0, late: 0 });
  });

  test('counts a published event that Nova finished again as rewritten, once, and keeps the published row', () => {
    const hours = trace();
    const build = (first: number): ActionEvent[] => [event('build', 20, first), event('build', 40, null)];
    expect(hours.window([{ events: build(30) }]).published).toEqual(['build']);
    const second = hours.window([{ events: build(70) }]);
    expect(second.published).toEqual([]);
    expect(second.counts).toMatchObject({ rewritten: 1, stillOpen: 1 });
    expect(hours.window([{ events: build(70) }]).counts.rewritten).toBe(0);
  });

  test('does not carry a published event as open where its second finish lies ahead', () => {
    const hours = trace();
    hours.window([{ events: [event('build', 5, 10), event('build', 8, null)] }]);
    const rewritten = [event('build', 5, 130), event('build', 8, null)];
    expect(hours.window([{ events: rewritten }]).published).toEqual([]);
    const third = hours.window([{ events: rewritten }]);
    expect(third.published).toEqual([]);
    expect(third.counts.rewritten).toBe(1);
  });

  test('publishes with its second finish an event that was rewritten before its window was read', () => {
    const hours = trace();
    expect(hours.window([{ events: [event('build', 5, 65), event('build', 8, null)] }]).published).toEqual(
      [],
    );
    expect(hours.window([{ events: [event('build', 5, 65), event('build', 8, null)] }]).published).toEqual([
      'build',
    ]);
  });

  test('tells apart events of one name, and even of one second, in one action', () => {
    const hours = trace();
    expect(hours.window([{ events: [event('twin', 5, 6), event('twin', 5, 7)] }]).published).toHaveLength(2);
    expect(hours.window([{ events: [event('twin', 5, 6), event('twin', 5, 7)] }]).published).toEqual([]);
  });

  test('carries open events of servers that it does not see again, up to the horizon', () => {
    const hours = trace({ horizon: 3 * HOUR });
    expect(hours.window([{ events: [event('open', 30, null)] }]).counts.stillOpen).toBe(1);
    expect(hours.window([]).counts.stillOpen).toBe(1);
    expect(hours.window([]).counts).toMatchObject({ stillOpen: 1, abandoned: 0 });
    expect(hours.window([]).counts).toMatchObject({ stillOpen: 0, abandoned: 1 });
    const finished = hours.window([{ events: [event('open', 30, 270)] }]);
    expect(finished.published).toEqual([]);
    expect(finished.counts.skipped).toEqual({ abandoned: 1 });
  });

  test('publishes a long event that began before the trace, in the window in which it finishes', () => {
    const hours = trace();
    hours.window([]);
    hours.window([]);
    expect(hours.window([{ events: [event('ancient', -500, 150)] }]).published).toEqual(['ancient']);
  });

  test('waits for actions with open events and for those without any', () => {
    const hours = trace();
    hours.window([
      { server: 'a', request: 'req-open', events: [event('open', 30, null)] },
      { server: 'b', request: 'req-empty', events: [] },
      { server: 'c', request: 'req-done', events: [event('done', 30, 31)] },
    ]);
    const { ledger, state } = hours.window([]);
    expect(['a', 'b', 'c'].map((server) => ledger.waitsFor(server))).toEqual([true, true, false]);
    expect(ledger.waitsForAction('a', 'req-open')).toBe(true);
    expect(ledger.waitsForAction('b', 'req-empty')).toBe(true);
    expect(ledger.waitsForAction('a', 'req-empty')).toBe(false);
    expect(state.pending).toHaveLength(2);
  });

  test('waits a day for a finish that is committed late, and longer only where the server has changed', () => {
    const hours = trace();
    hours.window([{ events: [event('open', 30, null)] }]);
    const waits = (hasChanged: boolean): boolean =>
      hours.window([]).ledger.looksThrough('server', hasChanged);
    for (let hour = 1; hour <= 24; hour++) expect(waits(false)).toBe(true);
    expect(waits(false)).toBe(false);
    expect(waits(true)).toBe(true);
    const late = hours.window([{ events: [event('open', 30, 40)] }]);
    expect(late.published).toEqual(['open']);
    expect(late.counts).toMatchObject({ late: 1, stillOpen: 0 });
  });

  test('looks back to where all could be seen, and publishes what comes to light then', () => {
    const hours = trace();
    hours.window([]);
    hours.window([{ server: 'seen', events: [event('seen', 70, 71)] }], { isComplete: false });
    hours.window([], { isComplete: false });
    const whole = hours.window([
      { server: 'seen', events: [event('seen', 70, 71)] },
      { server: 'hidden', events: [event('hidden', 70, 72), event('hidden too', 60, 190)] },
    ]);
    expect(whole.published).toEqual(['hidden', 'hidden too']);
    expect(whole.counts.late).toBe(1);
  });

  test('counts an open event that is gone, and one without a start', () => {
    const hours = trace();
    hours.window([{ events: [event('open', 30, null)] }]);
    expect(hours.window([{ events: [] }]).counts.skipped).toEqual({ eventGone: 1 });
    const unknown = { ...event('no start', 0, 130), start: undefined };
    expect(hours.window([{ events: [unknown] }]).counts.skipped).toEqual({ noStartTime: 1 });
  });

  test('does not look further back than it remembers where the settle time is raised', () => {
    const hours = trace({ settle: (hour) => (hour <= 2 ? 10 * MINUTE : 3 * HOUR) });
    const events = [event('early', 5, 6)];
    expect(hours.window([{ events }]).published).toEqual(['early']);
    for (let hour = 0; hour < 4; hour++) expect(hours.window([{ events }]).published).toEqual([]);
  });

  test('gives up no open event in a window that did not ask for it', () => {
    const hours = trace({ horizon: HOUR });
    hours.window([{ events: [event('open', 50, null)] }]);
    hours.window([], { isComplete: false });
    expect(hours.window([], { isComplete: false }).counts).toMatchObject({ abandoned: 0, stillOpen: 1 });
    expect(hours.window([{ events: [event('open', 50, 100)] }]).published).toEqual(['open']);
  });

  test('remembers no id of a server or a request', () => {
    const hours = trace();
    const { state } = hours.window([
      {
        server: '5c3e0000-0000-4000-a000-000000000001',
        request: 'req-5c3e',
        events: [event('open', 30, null)],
      },
    ]);
    expect(JSON.stringify(storeState(state))).not.toMatch(/5c3e|cmp-1|open/);
  });
});

describe('A server that was there and is in no list any more', () => {
  test('is counted once as archived, and not where it was deleted or where a cell did not answer', () => {
    const hours = trace();
    const archived = (...of: Parameters<typeof hours.window>): unknown =>
      hours.window(...of).counts.skipped['serverArchived'];
    expect(archived([], { listed: ['a', 'b', 'c'] })).toBeUndefined();
    expect(archived([], { listed: ['a'], isComplete: false })).toBeUndefined();
    expect(archived([], { listed: ['a', 'd'], deleted: ['b'] })).toBe(1);
    expect(archived([], { listed: ['a', 'd'] })).toBeUndefined();
    expect(archived([], { listed: [] })).toBe(2);
  });

  test('is remembered by nothing but a salted fingerprint', () => {
    const { state } = trace().window([], { listed: ['server-of-alice'] });
    expect(JSON.stringify(storeState(state))).not.toContain('alice');
    expect(state.servers.size).toBe(1);
  });
});
