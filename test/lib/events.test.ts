import { readFile, readdir } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { readRequest } from '../../lib/backfill/request.ts';
import { readEndStep, readPlanStep, readWindowsStep, requestOf } from '../../lib/backfill/steps.ts';
import { readSettings } from '../../lib/settings.ts';
import { parseInstant } from '../../lib/time.ts';
import { scheduledTime } from '../../lib/trigger.ts';

const folder = new URL('../../events/', import.meta.url);
const settings = readSettings({ STAR_BUCKET: 'traces', STAR_SECRET: 'star-compactor/nova' });
const now = parseInstant('2030-01-01') ?? 0;

/** How the door reads what is sent to it. */
const READERS: Record<string, (event: unknown) => unknown> = {
  'scheduled.json': (event) => scheduledTime(event, now),
  'eventbridge-rule.json': (event) => scheduledTime(event, now),
  'backfill.json': (event) => readRequest(event, settings, now),
  'backfill-plan.json'(event) {
    const step = readPlanStep(event);
    return 'plan' in step ? requestOf(step.plan, settings) : undefined;
  },
  'backfill-windows.json'(event) {
    const { group, request } = readWindowsStep(event);
    return requestOf(request, settings, group);
  },
  'backfill-end.json'(event) {
    const step = readEndStep(event);
    return 'sweep' in step || 'detail' in step ? undefined : requestOf(step.judge.request, settings);
  },
  'backfill-plan-renew.json': readPlanStep,
  'backfill-end-status.json': readEndStep,
  'backfill-end-sweep.json': readEndStep,
};

describe('The sample events', () => {
  test('are there for every door', async () => {
    const doors = (await readdir(new URL('../../handlers/', import.meta.url))).map((name) =>
      name.replace('.ts', ''),
    );
    const samples = await readdir(folder);
    expect(samples.toSorted()).toEqual(Object.keys(READERS).toSorted());
    for (const door of doors) expect(samples).toContain(`${door}.json`);
  });

  test.each(Object.entries(READERS))('%s is accepted by its door', async (name, read) => {
    expect(read(JSON.parse(await readFile(new URL(name, folder), 'utf8')))).toBeTruthy();
  });
});
