import { readFile, readdir } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { type BackfillRequest, readRequest, resolveRequest } from '../../lib/backfill/request.ts';
import { readEndStep, readPlanStep, readWindowsStep } from '../../lib/backfill/steps.ts';
import { readSettings } from '../../lib/config/settings.ts';
import { parseInstant } from '../../lib/core/time.ts';
import { scheduledTime } from '../../lib/schedule/scheduled-time.ts';
import { windowText } from '../../lib/core/window.ts';

const folder = new URL('../../events/', import.meta.url);
const settings = readSettings({ STAR_BUCKET: 'traces', STAR_SECRET: 'star-compactor/nova' });
const now = parseInstant('2030-01-01') ?? 0;

/** Of a trace that nobody has begun. */
const request = (event: unknown): BackfillRequest =>
  resolveRequest(readRequest(event), undefined, settings, now);

const YEAR = '2025-01-01T00:00:00Z/2026-01-01T00:00:00Z';

/** How each handler reads what is sent to it, and what it finds there. */
const READERS: Record<string, [read: (event: unknown) => unknown, found: unknown]> = {
  'scheduled.json': [(event) => scheduledTime(event, now), parseInstant('2026-11-23T00:45:00Z')],
  'eventbridge-rule.json': [(event) => scheduledTime(event, now), parseInstant('2026-11-23T00:45:00Z')],
  'backfill.json': [(event) => windowText(request(event).range), '2026-11-01T00:00:00Z/2026-11-08T00:00:00Z'],
  'backfill-release.json': [
    (event) => {
      const { range, release, formats } = request(event);
      return [windowText(range), release, formats];
    },
    [YEAR, '2025', ['csv', 'parquet']],
  ],
  'backfill-plan.json': [
    (event) => {
      const { range, concurrency } = request(readPlanStep(event).plan);
      return [windowText(range), concurrency];
    },
    [YEAR, 8],
  ],
  'backfill-windows.json': [
    (event) => {
      const { group, request: whole } = readWindowsStep(event);
      return [windowText(group), windowText(request(whole).range)];
    },
    ['2025-01-01T00:00:00Z/2025-02-01T00:00:00Z', YEAR],
  ],
  'backfill-end.json': [
    (event) => {
      const step = readEndStep(event);
      return 'sweep' in step || 'detail' in step || request(step.verify.request).release;
    },
    '2025',
  ],
  'backfill-end-status.json': [
    (event) => {
      const step = readEndStep(event);
      return 'detail' in step && step.detail.status;
    },
    'ABORTED',
  ],
  'backfill-end-sweep.json': [readEndStep, { sweep: true }],
};

describe('The sample events', () => {
  test('are there for every handler', async () => {
    const handlers = (await readdir(new URL('../../handlers/', import.meta.url))).map((name) =>
      name.replace('.ts', ''),
    );
    const samples = await readdir(folder);
    expect(samples.toSorted()).toEqual(Object.keys(READERS).toSorted());
    for (const handler of handlers) expect(samples).toContain(`${handler}.json`);
  });

  test.each(Object.entries(READERS))('%s is accepted by its handler', async (name, [read, found]) => {
    expect(read(JSON.parse(await readFile(new URL(name, folder), 'utf8')))).toEqual(found);
  });
});
