import { createHash, randomUUID } from 'node:crypto';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventsOf, listKeys, readObject } from '../support/drops.ts';
import { type MariaDb, useMariaDb } from '../support/mariadb/index.ts';
import { type Scene, at, startScene } from '../support/nova/scene.ts';
import { BUCKET } from '../support/stage.ts';

const MASKED = {
  STAR_MASKING: 'sha2-salted',
  STAR_ALLOW_UNSAFE_MASKING: 'false',
  STAR_FORMATS: 'csv,jsonl,parquet',
};

let db: MariaDb;
let scene: Scene;
let isIndexLost = false;

beforeAll(async () => {
  db = await useMariaDb();
});
afterAll(() => db.stop());
beforeEach(async () => {
  scene = await startScene(db, [], {
    env: { ...MASKED, STAR_REPORT: 'true' },
    onS3Request({ operation, key }) {
      const isIndex = operation === 'PutObject' && key === 'cloud=test/index.html';
      return isIndex && isIndexLost ? { status: 403, code: 'AccessDenied' } : undefined;
    },
  });
  await scene.addCell('cell1');
  await scene.open();
});
afterEach(async () => {
  await scene.stop();
  await db.query('DROP DATABASE IF EXISTS nova_cell1');
});

const text = async (key: string): Promise<string> =>
  (await readObject(scene.stage.client, key)).toString('utf8');

/** Servers of several users, each with an event on the second of the month. */
async function populate(users: number): Promise<{ hostname: string; uuid: string; user: string }[]> {
  const servers: { hostname: string; uuid: string; user: string }[] = [];
  for (let nth = 0; nth < users; nth++) {
    const user = randomUUID().replaceAll('-', '');
    const hostname = `host-of-${nth}-${user.slice(0, 6)}`;
    const uuid = await scene.server('cell1', { user_id: user, hostname });
    await scene.event('cell1', uuid, 'compute_stop_instance', {
      start: at('02 10:30'),
      finish: at('02 10:31'),
    });
    servers.push({ hostname, uuid, user });
  }
  return servers;
}

describe('A drop’s page', () => {
  test('lies beside the manifest, which names it, and holds what was counted and no raw identifier', async () => {
    const servers = await populate(6);
    await scene.run(at('03 00:45'));
    const [drop] = await scene.drops();
    const { report, privacy } = drop?.manifest ?? {};
    expect(report?.key).toBe(
      'cloud=test/manifests/date=2025-06-02/20250602T000000Z-20250603T000000Z.report.html',
    );
    const page = await text(report?.key ?? '');
    expect({
      bytes: Buffer.byteLength(page),
      sha256: createHash('sha256').update(page).digest('hex'),
    }).toEqual({
      bytes: report?.bytes,
      sha256: report?.sha256,
    });
    expect(page).toMatch(/^<!doctype html>/);
    for (const { hostname, uuid, user } of servers) {
      for (const value of [hostname, uuid, user]) expect(page).not.toContain(value);
    }
    expect(privacy).toMatchObject({
      distinct: { users: 6, projects: 1, hosts: 1, instances: 6 },
      classes: { rare: 0, rareShare: 0, fewerThanUsers: 5 },
      scan: { found: 0 },
    });
    // Uuid, host name and user of each, and the project and host of all.
    expect(privacy?.scan?.values).toBe(20);
  });

  test('is made of an empty day as well', async () => {
    await scene.run(at('03 00:45'));
    const [drop] = await scene.drops();
    expect(eventsOf(drop?.manifest).counts.rows).toBe(0);
    expect(await text(drop?.manifest.report?.key ?? '')).toMatch(/nothing finished/i);
    expect(drop?.manifest.privacy?.classes.rareShare).toBe(0);
  });

  test('is left out where reports are switched off, with the figures and the index', async () => {
    scene.stage.env['STAR_REPORT'] = 'false';
    await populate(1);
    await scene.run(at('03 00:45'));
    const [drop] = await scene.drops();
    expect(drop?.manifest).not.toHaveProperty('report');
    expect(drop?.manifest).not.toHaveProperty('privacy');
    expect((await listKeys(scene.stage.client)).filter((key) => key.endsWith('.html'))).toEqual([]);
  });
});

describe('The privacy limit', () => {
  test('keeps a window back in which too many rows are shared by few users, and says what to do', async () => {
    scene.stage.env['STAR_PRIVACY_LIMIT_PERCENT'] = '50';
    await populate(4);
    await expect(scene.run(at('03 00:45'))).rejects.toMatchObject({
      name: 'PrivacyError',
      message: expect.stringMatching(
        /^window 2025-06-02T00:00:00Z\/2025-06-03T00:00:00Z: 4 of 4 events \(100.0 %\) share .* STAR_PRIVACY_LIMIT_PERCENT accepts 50 %/,
      ) as string,
    });
    const keys = await listKeys(scene.stage.client);
    expect(keys.filter((key) => !key.includes('/state/'))).toEqual([]);

    scene.stage.env['STAR_PRIVACY_LIMIT_PERCENT'] = '100';
    await scene.run(at('03 00:45'));
    expect((await scene.drops())[0]?.manifest.privacy?.classes).toMatchObject({ rareRows: 4, rareShare: 1 });
  });

  test('on servers is one of its own: servers as old as nobody else’s trip it, and no event does', async () => {
    scene.stage.env['STAR_TABLES'] = 'instance_events,instances';
    await populate(5);
    const old = { created_at: '2025-05-20 08:00:00', user_id: 'u-old', hostname: 'old' };
    await scene.server('cell1', old);
    scene.stage.env['STAR_PRIVACY_LIMIT_PERCENT'] = '0';
    scene.stage.env['STAR_PRIVACY_SERVERS_LIMIT_PERCENT'] = '10';
    await expect(scene.run(at('03 00:45'))).rejects.toMatchObject({
      name: 'PrivacyError',
      message: expect.stringMatching(
        /: 1 of 6 servers \(16.7 %\) share flavour and day of creation with .* STAR_PRIVACY_SERVERS_LIMIT_PERCENT accepts 10 %/,
      ) as string,
    });
    scene.stage.env['STAR_PRIVACY_SERVERS_LIMIT_PERCENT'] = '20';
    await scene.run(at('03 00:45'));
    const { privacy } = (await scene.drops())[0]?.manifest ?? {};
    expect(privacy?.classes.rareRows).toBe(0);
    expect(privacy?.instances).toEqual({
      by: ['flavour', 'dayCreated'],
      count: 2,
      fewerThanUsers: 5,
      rare: 1,
      rareRows: 1,
      rareShare: 1 / 6,
    });
  });

  test('lets a window pass in which everybody is hidden among five', async () => {
    scene.stage.env['STAR_PRIVACY_LIMIT_PERCENT'] = '0';
    await populate(5);
    expect(await scene.run(at('03 00:45'))).toMatchObject({ status: 'published' });
  });
});

describe('The scan for raw identifiers', () => {
  test('does not take names for leaks that are words of every trace or page', async () => {
    for (const hostname of [
      'Success',
      'compute_stop_instance',
      'test',
      'events',
      'cloud',
      'hosts',
      '1001',
      'html',
    ]) {
      const uuid = await scene.server('cell1', {
        hostname,
        user_id: hostname,
        project_id: hostname,
        host: hostname,
      });
      await scene.event('cell1', uuid, 'compute_stop_instance', {
        start: at('02 10:30'),
        finish: at('02 10:31'),
      });
    }
    expect(await scene.run(at('03 00:45'))).toMatchObject({ status: 'published' });
    expect((await scene.drops())[0]?.manifest.privacy?.scan).toMatchObject({ found: 0 });
  });

  test('lets no tenant stop the trace: names that encoders write of themselves are published as masks', async () => {
    const names = [
      'null',
      'true',
      'active',
      '1',
      '-1',
      '2025-06-02T10',
      '2025-06-02',
      '2025-06-02t10:30:00z',
      '00Z',
      '31Z',
      'EVENT',
      'START_TIME',
      'startSec',
      'memory_mb',
      'Error',
    ];
    const hostile = { user_id: 'null', project_id: '00Z', host: '2025-06-02T10' };
    for (const hostname of names) {
      const uuid = await scene.server('cell1', { hostname, ...hostile });
      await scene.event('cell1', uuid, 'compute_stop_instance', {
        start: at('02 10:30'),
        finish: at('02 10:31'),
      });
    }
    for (const version of ['0.2', '0.3']) {
      scene.stage.env['STAR_PREFIX'] = version;
      scene.stage.env['STAR_FORMAT_VERSION'] = version;
      expect(await scene.run(at('03 00:45'))).toMatchObject({ status: 'published' });
    }
    delete scene.stage.env['STAR_PREFIX'];
    delete scene.stage.env['STAR_FORMAT_VERSION'];
  });

  test('stops a drop in which an event’s name gives a server away, and says where and what to exclude', async () => {
    const hostname = `payroll-${randomUUID()}`;
    const uuid = await scene.server('cell1', { hostname, project_id: 'p-1' });
    // Nova has no such event; a fork or a plug-in might.
    await scene.event('cell1', uuid, `compute_rename to ${hostname}`, {
      start: at('02 10:30'),
      finish: at('02 10:31'),
    });
    const failed = scene.run(at('03 00:45'));
    await expect(failed).rejects.toMatchObject({
      name: 'PrivacyError',
      message: expect.stringMatching(
        /^window .*: got 1 raw identifier.*\(EVENT of instance_events, START_TIME 2025-06-02T10:30:00Z\).*STAR_EXCLUDE_USERS or STAR_EXCLUDE_PROJECTS/,
      ) as string,
    });
    await expect(failed).rejects.not.toThrow(hostname);
    expect((await listKeys(scene.stage.client)).filter((key) => !key.includes('/state/'))).toEqual([]);

    scene.stage.env['STAR_EXCLUDE_PROJECTS'] = 'p-1';
    expect(await scene.run(at('03 00:45'))).toMatchObject({ status: 'published' });
  });
});

describe('The index page', () => {
  test('lists the drops of schedule and backfill, and reads only manifests that are new to it', async () => {
    const uuid = await scene.server('cell1');
    const times = { start: at('01 10:30'), finish: at('01 10:31') };
    await scene.event('cell1', uuid, 'compute_stop_instance', times);
    await populate(1);
    await scene.run(at('03 00:45'));
    await scene.run(at('05 00:45'));
    const index = await text('cloud=test/index.html');
    for (const day of ['02', '03', '04']) {
      expect(index).toContain(`href="manifests/date=2025-06-${day}/`);
    }
    const before = scene.stage.s3.requests().length;
    await scene.run(at('06 00:45'));
    const manifests = scene.stage.s3
      .requests()
      .slice(before)
      .filter(({ operation, key }) => operation === 'GetObject' && /manifests\/.*\.json$/.test(key ?? ''))
      .map(({ key }) => key?.split('/')[2]);
    expect(new Set(manifests)).toEqual(new Set(['date=2025-06-05']));
    const { rows } = await scene.stage.backfill({ start: '2025-06-01', end: '2025-06-02' });
    expect(rows).toBe(1);
    const both = await text('cloud=test/index.html');
    for (const day of ['01', '02', '03', '04', '05']) {
      expect(both).toContain(`href="manifests/date=2025-06-${day}/`);
    }
  });

  test.each([
    'javascript:alert(1)',
    'cloud=test/javascript:alert(1)',
    'cloud=test/../../elsewhere.html',
    'https://example.org/',
    'cloud=test/manifests/date=2025-06-03/20250603T000000Z-20250604T000000Z.report.html',
  ])('links to no key that a manifest makes up: %s', async (key) => {
    await populate(1);
    await scene.run(at('03 00:45'));
    const Key = 'cloud=test/manifests/date=2025-06-02/20250602T000000Z-20250603T000000Z.json';
    const manifest = JSON.parse(await text(Key)) as object;
    const Body = JSON.stringify({ ...manifest, report: { key, bytes: 1, sha256: '' } });
    await scene.stage.client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
    await scene.run(at('04 00:45'));
    const links = Array.from(
      (await text('cloud=test/index.html')).matchAll(/href="([^#"]*)"/g),
      ([, href]) => href,
    );
    const own = (date: string, window: string): string => `manifests/date=2025-06-${date}/${window}`;
    expect(new Set(links)).toEqual(
      new Set([
        'data:,',
        own('02', '20250602T000000Z-20250603T000000Z.json'),
        own('03', '20250603T000000Z-20250604T000000Z.report.html'),
      ]),
    );
  });

  test('leaves out a manifest that is none, and anything else beside the manifests', async () => {
    await populate(1);
    await scene.run(at('03 00:45'));
    const none = 'cloud=test/manifests/date=2025-06-02/20250602T000000Z-20250603T000000Z.json';
    const elsewhere = 'cloud=test/manifests/mine/20250601T000000Z-20250602T000000Z.json';
    const objects = { [elsewhere]: await text(none), [none]: '{"counts": {"events": "<script>"}}' };
    for (const [Key, Body] of Object.entries(objects))
      await scene.stage.client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
    await scene.run(at('04 00:45'));
    const index = await text('cloud=test/index.html');
    expect(index).toContain('href="manifests/date=2025-06-03/');
    expect(index).not.toMatch(/2025-06-02|mine|<script>/);
  });

  test('is made good by the next run where it failed, and fails none', async () => {
    await populate(1);
    isIndexLost = true;
    expect(await scene.run(at('03 00:45'))).toMatchObject({ status: 'published' });
    expect(await listKeys(scene.stage.client)).not.toContain('cloud=test/index.html');
    isIndexLost = false;
    expect(await scene.run(at('03 01:45'))).toMatchObject({ status: 'upToDate' });
    expect(await listKeys(scene.stage.client)).toContain('cloud=test/index.html');
  });
});
