import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TOOL } from '../../lib/drop/manifest.ts';
import { afterDay, readFolder, useCloudAndFolder } from '../support/publish.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

/** Of the oldest Node.js that the package runs on, as `npm exec --package=node@22 -- which node` tells it. */
const NODE_22 = process.env['TEST_NODE22'];

const cloud = useCloudAndFolder({ days: 2, eventsPerDay: 30 });

describe('The package that npm installs', () => {
  let folder: string;
  let installed: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'star-compactor-package-'));
    const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: root });
    await run('tar', ['-xzf', join(folder, stdout.trim()), '-C', folder]);
    installed = join(folder, 'node_modules', 'star-compactor');
    await run('mkdir', ['-p', join(folder, 'node_modules')]);
    await run('mv', [join(folder, 'package'), installed]);
    // In place of what npm would install from a registry.
    await symlink(join(root, 'node_modules'), join(installed, 'node_modules'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const command = async (...args: string[]): Promise<string> => {
    const { stdout } = await run(process.execPath, [join(installed, 'bin', 'star-compactor.mjs'), ...args]);
    return stdout;
  };

  test('holds the command, compiled, and its documentation, but neither sources nor tests', async () => {
    expect((await readdir(installed)).toSorted()).toEqual(
      ['LICENSE', 'README.md', 'bin', 'dist', 'docs', 'node_modules', 'package.json'].toSorted(),
    );
  });

  test.each([
    { on: 'this Node.js', node: process.execPath },
    { on: 'Node.js 22', node: NODE_22 ?? '' },
  ])('publishes a trace into a folder with one command, and verifies it, on $on', async ({ node }) => {
    if (node === '') return;
    const bin = join(installed, 'bin', 'star-compactor.mjs');
    const env = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent' };
    const to = ['--to', cloud.traces, '--cloud', 'test'];
    const published = await run(
      node,
      [
        bin,
        'publish',
        ...to,
        '--secret',
        cloud.secretFile,
        '--formats',
        'csv,parquet',
        '--until',
        afterDay(1),
      ],
      { env },
    );
    // Nothing but what it did: no warning of Node.js either.
    expect(published.stderr).toMatch(/^2025-08-02T.* rows, .*\ntest: 1 window\(s\) published\n$/);
    const verified = await run(node, [bin, 'verify', ...to], { env });
    expect(verified).toEqual({ stdout: '', stderr: 'test: 1 drop(s), all as their manifests say\n' });
    const page = (await readFolder(cloud.traces)).get('cloud=test/index.html')?.toString('utf8');
    expect(page).toContain('2025-08-02');
    await expect(
      run(node, [bin, 'doctor', '--host', '127.0.0.1', '--port', '9'], { env }),
    ).rejects.toMatchObject({ code: 1 });
  });

  test('runs: its version, its help, and a dump that finds no server', async () => {
    expect(await command('--version')).toBe(`${TOOL.version}\n`);
    expect(await command('db-dump', '--help')).toContain('--salt-file');
    const port = '9'; // discard: nothing listens there
    const failed = command('db-dump', '--host', '127.0.0.1', '--port', port, join(folder, 'dump.csv'));
    await expect(failed).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/ECONNREFUSED/) as string,
    });
    expect(await readdir(folder)).not.toContain('dump.csv');
  });
});
