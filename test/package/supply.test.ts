import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly link?: boolean;
}

const read = async <T>(path: string): Promise<T> =>
  JSON.parse(await readFile(new URL(`../../${path}`, import.meta.url), 'utf8')) as T;

/** What may run a script when it is installed, and why. */
const MAY_RUN: Readonly<Record<string, string>> = {
  node: 'puts the runtime of this machine in its place',
  esbuild: 'puts the binary of this machine in its place',
  'es5-ext': 'prints a message; comes with serverless, and is in no bundle',
};

describe('What the product is made of', () => {
  test('is pinned, version by version', async () => {
    const { dependencies, devDependencies } =
      await read<Record<string, Record<string, string>>>('package.json');
    const all = Object.entries({ ...dependencies, ...devDependencies });
    expect(all.length).toBeGreaterThan(20);
    expect(all.filter(([, version]) => !/^(npm:\w+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
  });

  test('is locked with the hash of every package', async () => {
    const { packages } = await read<{ packages: Record<string, Locked> }>('package-lock.json');
    const locked = Object.entries(packages).filter(([path]) => path !== '');
    expect(locked.filter(([, { integrity, link }]) => integrity === undefined && link !== true)).toEqual([]);
  });

  test('runs no script when it is installed, but those that are known', async () => {
    const { packages } = await read<{ packages: Record<string, Locked> }>('package-lock.json');
    const running = Object.entries(packages)
      .filter(([, { hasInstallScript }]) => hasInstallScript === true)
      .map(([path]) => path.split('node_modules/').at(-1) ?? '');
    expect(running.filter((name) => MAY_RUN[name] === undefined)).toEqual([]);
  });
});
