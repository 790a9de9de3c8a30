import { PutObjectCommand } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Place } from '../../../lib/drop/place.ts';
import { manifestsOf, publishedWithin, windowOfKey } from '../../../lib/drop/published.ts';
import { DAY, HOUR } from '../../../lib/core/time.ts';
import { type Window, windowText, windowsOf } from '../../../lib/core/window.ts';
import { useBucket } from '../../support/bucket.ts';
import { BUCKET } from '../../support/stage.ts';

const START = Date.UTC(2025, 5, 2) / 1000;

const place = useBucket();
let trace: Place;

beforeEach(() => {
  trace = place.newTrace();
});

const put = (Key: string, Body = '{}'): Promise<unknown> =>
  place.stage.client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
const publish = async (...windows: Window[]): Promise<void> => {
  for (const window of windows) await put(trace.layout.manifest(window), `{"of":"${windowText(window)}"}\n`);
};
const within = async (range: Window): Promise<Window[]> => {
  const found: Window[] = [];
  for await (const window of publishedWithin(trace, range)) found.push(window);
  return found;
};

describe('The published windows within a range', () => {
  const days = windowsOf({ start: START, end: START + 5 * DAY }, DAY);

  test('are those that overlap it, also by a part, in their order', async () => {
    await publish(...days);
    expect(await within({ start: START + DAY, end: START + 3 * DAY })).toEqual(days.slice(1, 3));
    expect(await within({ start: START + DAY + HOUR, end: START + 3 * DAY + 1 })).toEqual(days.slice(1, 4));
    expect(await within({ start: START - 9 * DAY, end: START })).toEqual([]);
    expect(await within({ start: START + 5 * DAY, end: START + 9 * DAY })).toEqual([]);
  });

  test('are told by their manifests, whatever their length, and by nothing else that lies there', async () => {
    const hours = windowsOf({ start: START + 22 * HOUR, end: START + 26 * HOUR }, HOUR);
    await publish(...hours);
    for (const window of days) await put(trace.layout.report(window));
    await put(`${trace.layout.manifests}date=2025-06-02/notes.json`);
    await put(trace.layout.data(days[0]!, 'instance_events', 'csv', 'gzip'));
    expect(await within({ start: START, end: START + 5 * DAY })).toEqual(hours);
  });
});

describe('The window of a key', () => {
  test('is in the name of a manifest', () => {
    const window = { start: START, end: START + HOUR };
    expect(windowOfKey(trace.layout.manifest(window))).toEqual(window);
  });

  test.each([
    'manifests/date=2025-06-02/20250602T000000Z-20250603T000000Z.report.html',
    'manifests/date=2025-06-02/20250632T000000Z-20250603T000000Z.json',
    'manifests/date=2025-06-02/notes.json',
    '20250602T000000Z-20250603T000000Z.json',
    '',
  ])('is none in %j', (key) => {
    expect(windowOfKey(key)).toBeUndefined();
  });
});

test('Manifests come in the order of their windows, with their text as it is stored; one that is missing is left out', async () => {
  const windows = windowsOf({ start: START, end: START + 40 * HOUR }, HOUR);
  const published = windows.filter((_, nth) => nth % 7 !== 3);
  await publish(...published);
  const found: object[] = [];
  for await (const { key, text, manifest } of manifestsOf(trace, windows))
    found.push({ key, text, manifest });
  expect(found).toEqual(
    published.map((window) => ({
      key: trace.layout.manifest(window),
      text: `{"of":"${windowText(window)}"}\n`,
      manifest: { of: windowText(window) },
    })),
  );
});
