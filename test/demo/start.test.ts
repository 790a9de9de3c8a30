import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const START = fileURLToPath(new URL('start.ts', import.meta.url));

describe('npm start', () => {
  let folder: string;
  /** Where a private server keeps its files while it runs, and only then. */
  let env: NodeJS.ProcessEnv;
  const demo = (...more: string[]): string[] => [
    START,
    '--events-per-day=300',
    `--folder=${folder}/demo`,
    ...more,
  ];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'star-compactor-demo-'));
    env = { ...process.env, TMPDIR: folder };
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('shows a drop for each day, and leaves the objects and no server', async () => {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, demo(), { env });
    expect(stderr).toBe('');
    expect(stdout).toContain('invoked again: up to date');
    expect(stdout).toContain('none in two');
    const cloud = join(folder, 'demo/s3/traces/cloud=demo');
    expect(await readdir(join(cloud, 'instance_events'))).toHaveLength(5);
    expect(await readdir(join(cloud, 'manifests'))).toHaveLength(5);
    expect(await readdir(folder)).toEqual(['demo']);
  });

  test('stops everything when it is interrupted', async () => {
    const child = spawn(process.execPath, demo(), { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = once(child, 'exit');
    let said = '';
    child.stderr.on('data', (text) => (said += String(text)));
    for await (const text of child.stdout) if (String(text).includes('Five mornings')) child.kill('SIGINT');
    expect(await ended).toEqual([130, null]);
    expect(said).toBe('npm start: stopped by SIGINT; everything is stopped again\n');
    expect(await readdir(folder)).toEqual(['demo']);
  });

  test('refuses a setting that it does not know', async () => {
    const child = spawn(process.execPath, demo('--cloud=mine'), { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (text) => (said += String(text)));
    expect(await once(child, 'close')).toEqual([1, null]);
    expect(said).toMatch(/^npm start: Unknown option '--cloud'.*\n$/);
  });
});
