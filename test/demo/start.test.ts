import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { IS_SLOW } from '../support/slow.ts';
import { until } from '../support/until.ts';

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
    for (const table of ['instance_events', 'instances', 'machines', 'machine_events'])
      expect(await readdir(join(cloud, table))).toHaveLength(5);
    expect(stdout).toMatch(/at \S+T12:00:00Z: [\d,]+ servers with [\d,]+ of [\d,]+ vCPUs, [\d.]+ %/);
    expect(await readdir(join(cloud, 'manifests'))).toHaveLength(5);
    expect(await readdir(folder)).toEqual(['demo']);
  });

  test.runIf(IS_SLOW).each(['database', 'api'])(
    'of bare metal shows what is reserved, by way of %s',
    async (source) => {
      const options = [START, '--machines=baremetal', `--source=${source}`, `--folder=${folder}/demo`];
      const { stdout, stderr } = await promisify(execFile)(process.execPath, options, { env });
      expect(stderr).toBe('');
      for (const table of ['instances', 'machines', 'machine_events', 'leases', 'lease_events'])
        expect(stdout).toMatch(new RegExp(`^  ${table} +[1-9]\\d*  `, 'm'));
      expect(stdout).toMatch(
        /at \S+T12:00:00Z: [1-9]\d* leases with [1-9]\d* of 4\d nodes, [\d.]+ % reserved/,
      );
      expect(stdout).toMatch(
        /none of [\d,]+ ids and names of servers, users, projects, hosts and leases is in/,
      );
      expect(await readdir(folder)).toEqual(['demo']);
    },
  );

  test('stops everything when it is interrupted', async () => {
    const child = spawn(process.execPath, demo(), { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = once(child, 'exit');
    let said = '';
    child.stderr.on('data', (text) => (said += String(text)));
    for await (const text of child.stdout) if (String(text).includes('Five mornings')) child.kill('SIGINT');
    expect(await ended).toEqual([130, null]);
    expect(said).toBe('npm start: stopped by SIGINT; everything is stopped\n');
    expect(await readdir(folder)).toEqual(['demo']);
  });

  test('is interrupted while MariaDB starts, and leaves nothing', async () => {
    const child = spawn(process.execPath, demo(), { env, stdio: ['ignore', 'ignore', 'pipe'] });
    const ended = once(child, 'exit');
    let said = '';
    child.stderr.on('data', (text) => (said += String(text)));
    const hasSocket = (): boolean =>
      readdirSync(folder).some((own) => existsSync(join(folder, own, 'socket')));
    await until(hasSocket, 1);
    child.kill('SIGINT');
    expect(await ended).toEqual([130, null]);
    expect(said).toBe('npm start: stopped by SIGINT; everything is stopped\n');
    expect(await readdir(folder)).toEqual(['demo']);
  });

  test.each([
    ['--cloud=mine', /^npm start: Unknown option '--cloud'.*; npm start -- --help lists the options\n$/],
    [
      '--source=files',
      /^npm start: --source: got "files"; accepted: database or api; npm start -- --help .*\n$/,
    ],
    ['--machines=metal', /^npm start: --machines: got "metal"; accepted: vm or baremetal; npm start .*\n$/],
    [
      '--machines=baremetal',
      /^npm start: --events-per-day: got it with --machines baremetal, whose nodes have few; leave it out; .*\n$/,
    ],
    [
      '--events-per-day=0',
      /^npm start: --events-per-day: got "0"; accepted: 100 to 1000000; npm start .*\n$/,
    ],
  ])('refuses %s before anything is started', async (option, message) => {
    const child = spawn(process.execPath, demo(option), { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let [printed, said] = ['', ''];
    child.stdout.on('data', (text) => (printed += String(text)));
    child.stderr.on('data', (text) => (said += String(text)));
    expect(await once(child, 'close')).toEqual([1, null]);
    expect(said).toMatch(message);
    expect(printed).toBe('');
    expect(await readdir(folder)).toEqual([]);
  });

  test.each(['--help', '-h'])('with %s tells its options', async (option) => {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, demo(option), { env });
    expect(stdout).toMatch(/^Usage: npm start -- \[options\]\n.*--source.*--events-per-day.*--folder/s);
    expect(stderr).toBe('');
    expect(await readdir(folder)).toEqual([]);
  });
});
