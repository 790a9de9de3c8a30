import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Ran } from '../../support/command.ts';
import { afterDay, useCloudAndFolder } from '../../support/publish.ts';

const cloud = useCloudAndFolder({ days: 12, eventsPerDay: 30 });

const backfill = (start: string, end: string, ...more: string[]): Promise<Ran> => {
  const range = ['--start', `2025-08-${start}`, '--end', `2025-08-${end}`];
  return cloud.run('backfill', ['--cloud', 'test', '--secret', cloud.secretFile, ...range, ...more]);
};
const verify = (): Promise<Ran> => cloud.run('verify');
const manifests = async (trace: string): Promise<string[]> =>
  [...(await cloud.objects()).keys()].filter((key) =>
    new RegExp(`^cloud=${trace}/manifests/.*Z\\.json$`).test(key),
  );

/** How many pages of a trace link one before or after them, and which of these are not there. */
async function links(trace: string, rel: 'prev' | 'next'): Promise<{ count: number; dead: string[] }> {
  const objects = await cloud.objects();
  const pages = [...objects].filter(
    ([key]) => key.startsWith(`cloud=${trace}/manifests/`) && key.endsWith('.html'),
  );
  const linked = pages.flatMap(([key, page]) => {
    const [, href] = new RegExp(`<a href="([^"]+)" rel="${rel}"`).exec(page.toString()) ?? [];
    return href === undefined ? [] : [posix.join(posix.dirname(key), href)];
  });
  return { count: linked.length, dead: linked.filter((key) => !objects.has(key)) };
}

describe('backfill', () => {
  test('publishes past windows up to where the schedule began, in a line each, and leaves alone what is there', async () => {
    await cloud.publish(['--until', afterDay(9)]);
    const first = await backfill('03', '06');
    expect(first.status).toBe(0);
    expect(first.stderr.split('\n')).toHaveLength(5);
    expect(first.stderr).toMatch(/test: 3 window\(s\) published\n$/);
    const before = await cloud.objects();
    const again = await backfill('02', '07');
    expect(again).toMatchObject({ status: 0 });
    expect(again.stderr).toMatch(/test: 2 window\(s\) published, 3 were already\n$/);
    const after = await cloud.objects();
    const kept = [...before.keys()].filter((key) => !/index\.(html|json)$/.test(key));
    expect(kept.filter((key) => after.get(key)?.equals(before.get(key) ?? Buffer.of()) !== true)).toEqual([]);
    expect(await manifests('test')).toHaveLength(6);
    // Not from the first of either backfill, nor from the first of the schedule.
    expect(await links('test', 'prev')).toEqual({ count: 3, dead: [] });
    expect(await verify()).toMatchObject({ status: 0 });
  });

  test('refuses a range that reaches too far, and cuts it there if asked', async () => {
    await cloud.publish(['--until', afterDay(5)]);
    expect(await backfill('04', '08')).toMatchObject({
      status: 2,
      stderr:
        'star-compactor: --end: got "2025-08-08", but the trace begins at 2025-08-06T00:00:00Z, and the schedule ' +
        'publishes what follows; accepted: up to 2025-08-06T00:00:00Z, or --cut\n',
    });
    expect(await backfill('04', '08', '--cut')).toMatchObject({ status: 0 });
    expect(await manifests('test')).toHaveLength(3);
  });

  test('tells what it would do, and writes nothing', async () => {
    const { status, stderr } = await backfill('02', '05', '--dry-run');
    expect([status, stderr]).toEqual([
      0,
      expect.stringMatching(/^test: 3 window\(s\) would be published, with about \d+ event\(s\)\n$/),
    ]);
    expect([...(await cloud.objects()).keys()]).toEqual([]);
  });

  test.each([
    [['03', '02'], [], /^--end: got "2025-08-02"; accepted: a time after start, 2025-08-03T00:00:00Z$/],
    [['03', '04'], ['--release', 'a b'], /^--release: got "a b"; accepted: a name of 1 to 32 letters/],
    [
      ['03', '04'],
      ['--release', 'a'],
      /^--salt-file: got nothing; accepted: a file of at least 32 random bytes .*, to be kept until the release is complete$/,
    ],
    [
      ['03', '04'],
      ['--salt-file', 'x'],
      /^--salt-file: is for a release; accepted: with --release, or --masking-secret/,
    ],
  ] as const)('refuses %j %j', async ([start, end], more, message) => {
    const { status, stderr } = await backfill(start, end, ...more);
    expect(status).toBe(2);
    expect(stderr.trim().replace('star-compactor: ', '')).toMatch(message);
  });
});

describe('backfill --release', () => {
  test('publishes a trace of its own, whose drops join, and completes it', async () => {
    const released = await backfill('02', '05', '--release', 'r1', '--salt-file', cloud.saltFile);
    expect(released.stderr).toMatch(/test-r1: 3 window\(s\) published\n$/);
    expect(released.status).toBe(0);
    const objects = await cloud.objects();
    const release = JSON.parse(objects.get('cloud=test-r1/release.json')?.toString() ?? '') as {
      manifests: unknown[];
    };
    expect(release.manifests).toHaveLength(3);
    expect(await links('test-r1', 'prev')).toEqual({ count: 2, dead: [] });
    expect(await links('test-r1', 'next')).toEqual({ count: 2, dead: [] });
    const again = await backfill('02', '05', '--release', 'r1', '--salt-file', cloud.saltFile);
    expect(again).toMatchObject({
      status: 0,
      stderr: 'test-r1: the release of 2025-08-02T00:00:00Z/2025-08-05T00:00:00Z is complete\n',
    });
    expect(await cloud.objects()).toEqual(objects);
    expect(await verify()).toMatchObject({ status: 0, stdout: Buffer.from('') });
  });

  test('goes on with the same salt file after it was killed, and is refused with another', async () => {
    const args = ['--release', 'r2', '--salt-file', cloud.saltFile] as const;
    const killed = await cloud
      .run(
        'backfill',
        [
          '--cloud',
          'test',
          '--secret',
          cloud.secretFile,
          '--start',
          '2025-08-02',
          '--end',
          '2025-08-08',
          ...args,
        ],
        {
          meanwhile: (child) => child.stderr?.once('data', () => child.kill('SIGKILL')),
        },
      )
      .catch((error: unknown) => String(error));
    expect(killed).toMatch(/SIGKILL/);
    const some = await manifests('test-r2');
    expect(some.length).toBeGreaterThan(0);
    expect(some.length).toBeLessThan(6);
    expect(await verify()).toMatchObject({ status: 0 });

    const other = join(cloud.work, 'other');
    await writeFile(other, randomBytes(32));
    const refused = await backfill('02', '08', '--release', 'r2', '--salt-file', other);
    expect([refused.status, refused.stderr]).toEqual([
      2,
      expect.stringMatching(
        /^star-compactor: --release: cloud=test-r2 was begun with other settings, another masking secret/,
      ),
    ]);
    const resumed = await backfill('02', '08', ...args);
    expect(resumed.status).toBe(0);
    const scopes = new Set<string>();
    for (const key of await manifests('test-r2')) {
      const text = await readFile(join(cloud.traces, key), 'utf8');
      scopes.add((JSON.parse(text) as { masking: { scope: string } }).masking.scope);
    }
    expect([(await manifests('test-r2')).length, scopes.size]).toEqual([6, 1]);
    expect(await verify()).toMatchObject({ status: 0, stdout: Buffer.from('') });
  });
});
