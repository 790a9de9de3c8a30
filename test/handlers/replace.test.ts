import { describe, expect, test } from 'vitest';
import { InputError, SourceError } from '../../lib/errors.ts';
import { useJune } from '../support/nova/june.ts';
import { at } from '../support/nova/scene.ts';

const june = useJune();

describe.each(['databases', 'API'])('A replacement beside a schedule over the %s', (source) => {
  june.useSource(source);

  test('leaves a finish that was committed after the last run to the next', async () => {
    const { open } = await june.withOpenEvent();
    await june.run('03 00:45');
    await june.scene.finish('cell1', open, at('02 23:00'));
    await june.replace(2, 2);
    expect(await june.published()).toEqual(['02 compute_done']);
    const [drop] = await june.scene.drops();
    expect(drop?.manifest.counts.skipped).toEqual({ awaited: 1 });
    await june.run('04 00:45');
    expect(await june.published()).toEqual(['02 compute_done', '03 compute_open']);
  });

  test('leaves an event that was inserted after the last run, and began before, to the next', async () => {
    const { uuid } = await june.withOpenEvent();
    await june.run('03 00:45');
    await june.scene.event('cell1', uuid, 'compute_slow', { start: at('02 23:50'), finish: at('02 23:55') });
    await june.replace(2, 2);
    expect(await june.published()).toEqual(['02 compute_done']);
    await june.run('04 00:45');
    expect(await june.published()).toEqual(['02 compute_done', '03 compute_slow']);
  });

  test('is refused where only one of two drops is made anew between which an event came late, however far', async () => {
    const { open } = await june.withOpenEvent();
    await june.run('03 00:45');
    await june.run('04 00:45');
    await june.scene.finish('cell1', open, at('02 23:00'));
    await june.run('05 00:45');
    expect(await june.published()).toEqual(['02 compute_done', '04 compute_open']);
    const limits =
      'the published window 2025-06-04T00:00:00Z/2025-06-05T00:00:00Z has 1 events that came late for earlier ones ' +
      'or were rewritten, back to 2025-06-02T23:00:00Z; accepted: an ' +
      'end at 2025-06-05T00:00:00Z or after';
    await expect(june.replace(3, 4)).rejects.toThrow('a start at 2025-06-02T00:00:00Z or before');
    await expect(june.replace(2, 2)).rejects.toThrow(InputError);
    await expect(june.replace(2, 3)).rejects.toThrow(limits);
    await june.replace(2, 4);
    expect(await june.published()).toEqual(['02 compute_done', '02 compute_open']);
    await june.replace(3, 4);
    await june.replace(2, 2);
    await june.run('06 00:45');
    expect(await june.published()).toEqual(['02 compute_done', '02 compute_open']);
  });
});

describe.each(['databases', 'API'])(
  'A replacement of what Nova has finished again, over the %s,',
  (source) => {
    june.useSource(source);

    test('puts it where it was, by its first finish', async () => {
      const first = await june.buildTwice('02 23:40', '02 23:50');
      await june.run('03 00:45');
      await june.scene.finish('cell1', first, at('03 02:00'));
      await june.replace(2, 2);
      expect(await june.published()).toEqual(['02 compute_build']);
      const [drop] = await june.scene.drops();
      expect(drop?.rows['jsonl']?.[0]).toMatchObject({ finish_time: '2025-06-02T23:40:00Z' });
      await june.run('04 00:45');
      expect(await june.published()).toEqual(['02 compute_build']);
      const [, next] = await june.scene.drops();
      expect(next?.manifest).toMatchObject({
        displacedFrom: '2025-06-02T23:40:00Z',
        counts: { rewritten: 1 },
      });
      await expect(june.replace(2, 2)).rejects.toThrow('an end at 2025-06-04T00:00:00Z or after');
      await june.replace(2, 3);
      expect(await june.published()).toEqual(['03 compute_build']);
    });

    test('is refused until the next run has noted it, where nobody knew of the second event', async () => {
      const first = await june.buildTwice('02 23:05', '03 00:10');
      await june.run('03 00:45');
      expect(await june.published()).toEqual(['02 compute_build']);
      await june.scene.finish('cell1', first, at('03 02:00'));
      await expect(june.replace(2, 2)).rejects.toThrow(SourceError);
      await expect(june.replace(2, 2)).rejects.toThrow('has been finished again since 2025-06-03T00:00:00Z');
      expect(await june.published()).toEqual(['02 compute_build']);
      await june.run('04 00:45');
      const [, next] = await june.scene.drops();
      expect(next?.manifest.displacedFrom).toBe('2025-06-02T23:00:00Z');
      await june.replace(2, 3);
      expect(await june.published()).toEqual(['03 compute_build']);
    });
  },
);

describe.each(['databases', 'API'])('A replacement over the %s', (source) => {
  june.useSource(source);

  test('neither loses nor doubles what was finished again in a window before the last, and shown after that', async () => {
    const first = await june.buildTwice('02 23:40', '02 23:50');
    await june.run('03 00:45');
    await june.run('04 00:45');
    await june.scene.finish('cell1', first, at('03 12:00'));
    await june.replace(2, 2);
    expect(await june.published()).toEqual(['02 compute_build']);
    await june.run('05 00:45');
    await expect(june.replace(3, 3)).rejects.toThrow('a start at 2025-06-02T00:00:00Z or before');
    await june.replace(2, 4);
    expect(await june.published()).toEqual(['03 compute_build']);
  });

  test('leaves an event where it was, though the last run saw it finished again behind its window', async () => {
    const first = await june.buildTwice('02 23:40', '02 23:50');
    await june.run('03 00:45');
    await june.scene.finish('cell1', first, at('04 00:10'));
    await june.run('04 00:45');
    await june.replace(2, 3);
    expect(await june.published()).toEqual(['02 compute_build']);
    await june.run('05 00:45');
    await expect(june.replace(2, 3)).rejects.toThrow('an end at 2025-06-05T00:00:00Z or after');
    await june.replace(2, 4);
    expect(await june.published()).toEqual(['04 compute_build']);
  });

  test('does not lose what was finished again where that and its namesake were shown late', async () => {
    const uuid = await june.scene.server('cell1');
    const times = { start: at('02 23:00'), finish: at('02 23:05') };
    const first = await june.scene.event('cell1', uuid, 'compute_build', times);
    await june.run('03 00:45');
    await june.run('04 00:45');
    await june.scene.event('cell1', uuid, 'compute_build', { start: at('03 23:40'), actionId: first });
    await june.scene.finish('cell1', first, at('03 23:50'));
    await june.run('05 00:45');
    await expect(june.replace(2, 2)).rejects.toThrow(InputError);
    expect(await june.published()).toEqual(['02 compute_build']);
  });

  test.each(['directly', 'in steps'])(
    'that is continued %s after the schedule has published what it left makes everything again',
    async (way) => {
      const { open } = await june.withOpenEvent();
      await june.run('03 00:45');
      await june.run('04 00:45');
      const replacement = '0123456789abcdef';
      await june.scene.finish('cell1', open, at('02 23:00'));
      await june.touchActions();
      const range = { start: '2025-06-02', replace: true, replacement };
      await june.scene.stage.backfill({ ...range, end: '2025-06-03' });
      await june.run('05 00:45');
      await expect(june.scene.stage.backfill({ ...range, end: '2025-06-03' })).rejects.toThrow(
        'an end at 2025-06-05',
      );
      await (way === 'directly'
        ? june.scene.stage.backfill({ ...range, end: '2025-06-05' })
        : june.executed(2, 4, undefined, { replacement }));
      expect(await june.published()).toEqual(['02 compute_done', '02 compute_open']);
    },
  );

  test('of a drop of which the source has less by now is refused, and the drop stays', async () => {
    await june.withOpenEvent();
    await june.run('03 00:45');
    await june.scene.cell('cell1').query("DELETE FROM instance_actions_events WHERE event = 'compute_done'");
    const [before] = await june.scene.drops();
    await expect(june.replace(2, 2)).rejects.toThrow(
      'event: replace: the drop of window 2025-06-02T00:00:00Z/2025-06-03T00:00:00Z holds 1 events that finished in ' +
        'it, of which the source has 0 now: the others were purged, or cannot be seen; accepted: a range without it',
    );
    expect(await june.scene.drops()).toEqual([before]);
    expect(await june.claims()).toEqual([]);
  });
});

test('Windows that are published and that the source has no more are told as published', async () => {
  const { uuid } = await june.withOpenEvent();
  await june.run('03 00:45');
  await june.scene.event('cell1', uuid, 'compute_new', { start: at('03 01:00'), finish: at('03 01:10') });
  await june.run('04 00:45');
  await june.scene.cell('cell1').query("DELETE FROM instance_actions_events WHERE event <> 'compute_new'");
  const summary = await june.scene.stage.backfill({ start: '2025-06-02', end: '2025-06-04', replace: true });
  expect(summary).toMatchObject({ alreadyPublished: ['2025-06-02T00:00:00Z/2025-06-03T00:00:00Z'], rows: 1 });
  expect(await june.published()).toEqual(['02 compute_done', '03 compute_new']);
});

test('What was finished again beyond a window is noted though its server was archived', async () => {
  const first = await june.buildTwice('02 23:40', '02 23:50');
  await june.run('03 00:45');
  await june.scene.finish('cell1', first, at('04 00:10'));
  const [{ instance_uuid: uuid } = {}] = await june.scene
    .cell('cell1')
    .query('SELECT instance_uuid FROM instance_actions');
  await june.scene.archive('cell1', String(uuid));
  await june.run('04 00:45');
  await june.run('05 00:45');
  const drops = await june.scene.drops();
  expect(drops.map(({ manifest }) => manifest.displacedFrom)).toEqual([null, null, '2025-06-02T23:40:00Z']);
});

test.each(['directly', 'in steps'])(
  'A replacement that is made %s is refused where an event from before its range was finished again since',
  async (way) => {
    const uuid = await june.scene.server('cell1');
    const times = { start: at('01 20:00'), finish: at('02 00:10') };
    const first = await june.scene.event('cell1', uuid, 'compute_build', times);
    for (let start = at('01 21:00'); start < at('01 22:00'); start += 60)
      await june.scene.event('cell1', uuid, 'compute_filler', { start, finish: start + 5 });
    for (const day of ['02', '03', '04']) await june.run(`${day} 00:45`);
    await june.scene.event('cell1', uuid, 'compute_build', { start: at('04 00:10'), actionId: first });
    await june.scene.finish('cell1', first, at('04 02:00'));
    const made =
      way === 'directly'
        ? june.replace(2, 2).then(() => 'replaced')
        : june.executed(2, 2).then(({ status }) => status);
    expect(await made.catch((error: Error) => error.message)).toMatch(/has been finished again|FAILED/);
    expect((await june.published()).filter((name) => !name.includes('filler'))).toEqual(['02 compute_build']);
  },
);

test('A copy that is finished again in its cell is no event of its own in a replacement', async () => {
  await june.scene.addCell('cell2');
  await june.scene.open();
  const uuid = await june.scene.server('cell1');
  const times = { start: at('02 01:00'), finish: at('02 01:10') };
  const first = await june.scene.event('cell1', uuid, 'compute_build', times);
  await june.scene.event('cell1', uuid, 'compute_build', { start: at('02 01:20'), actionId: first });
  await june.scene.server('cell2', { uuid });
  const copied = { created: at('02 12:00') };
  const copy = await june.scene.event('cell2', uuid, 'compute_build', { ...times, ...copied });
  await june.scene.event('cell2', uuid, 'compute_build', {
    ...copied,
    start: at('02 01:20'),
    actionId: copy,
  });
  await june.run('03 00:45');
  await june.scene.finish('cell2', copy, at('03 02:00'));
  await june.replace(2, 2);
  expect(await june.published()).toEqual(['02 compute_build']);
});

test('A replacement that is executed in steps goes by how the schedule stood when it was planned', async () => {
  const { open } = await june.withOpenEvent();
  await june.run('03 00:45');
  await june.scene.finish('cell1', open, at('02 23:00'));
  expect(await june.executed(2, 2, () => june.run('04 00:45'))).toMatchObject({ status: 'SUCCEEDED' });
  expect(await june.published()).toEqual(['02 compute_done', '03 compute_open']);
  const [drop] = await june.scene.drops();
  expect(drop?.manifest.counts.skipped).toEqual({ awaited: 1 });
});

test('A replacement takes an event from its copy in another cell where the original is gone', async () => {
  await june.scene.addCell('cell2');
  await june.scene.open();
  const { uuid } = await june.withOpenEvent();
  await june.run('03 00:45');
  await june.scene.server('cell2', { uuid });
  const times = { start: at('02 01:00'), finish: at('02 01:10'), created: at('03 03:00') };
  await june.scene.event('cell2', uuid, 'compute_done', times);
  await june.scene.cell('cell1').query('DELETE FROM instance_actions_events; DELETE FROM instance_actions');
  await june.replace(2, 2);
  expect(await june.published()).toEqual(['02 compute_done']);
  await june.run('04 00:45');
  expect(await june.published()).toEqual(['02 compute_done']);
});
