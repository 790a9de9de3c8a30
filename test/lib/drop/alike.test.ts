import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Settings, readCommandSettings } from '../../../lib/config/settings.ts';
import { refuseAlike } from '../../../lib/drop/alike.ts';
import { placeOf } from '../../../lib/drop/place.ts';
import { openFolder } from '../../../lib/store/folder/folder-store.ts';

const SIGNAL = new AbortController().signal;

describe('A scheduled trace is begun beside others', () => {
  let folder: string;
  let store: Awaited<ReturnType<typeof openFolder>>;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'star-compactor-alike-'));
    store = await openFolder(folder, { create: false });
    for (const key of ['cloud=prod/state/checkpoint.json', 'cloud=test-a-b/state/claim.json'])
      await store.writeText(key, '{}', 'absent', SIGNAL);
    // A release has windows of its own, and no schedule.
    for (const cloud of ['prod-2025', 'lab-2025'])
      await store.writeText(`cloud=${cloud}/state/claims/20250801T000000Z.json`, '{}', 'absent', SIGNAL);
  });
  afterEach(async () => {
    await store[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  const begin = (cloud: string, release?: Settings['release']): Promise<void> => {
    const settings = { ...readCommandSettings({ STAR_CLOUD: cloud }, ''), release };
    return refuseAlike({ ...placeOf(settings, store, SIGNAL), settings });
  };

  test.each(['production', 'pro', 'test-b', 'lab', 'prod.x', 'test-a-bc'])('as %s', async (cloud) => {
    await expect(begin(cloud)).resolves.toBe(undefined);
  });

  test.each([
    ['prod-x', 'prod'],
    ['prod-x-y', 'prod'],
    ['test', 'test-a-b'],
    ['test-a', 'test-a-b'],
  ])('but not as %s beside %s', async (cloud, other) => {
    await expect(begin(cloud)).rejects.toMatchObject({
      name: 'InputError',
      message:
        `STAR_CLOUD: got "${cloud}", but cloud=${other} is there, and a release of one could have the name of the ` +
        'other; accepted: another name, or another prefix',
    });
  });

  test('a release may have any name that its trace may have', async () => {
    await expect(begin('prod-x', { name: 'x', range: undefined })).resolves.toBe(undefined);
  });
});
