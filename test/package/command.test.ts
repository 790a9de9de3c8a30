import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TOOL } from '../../lib/drop/manifest.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

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
