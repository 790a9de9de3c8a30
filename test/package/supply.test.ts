import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
}

/** A component of CycloneDX, as far as it is looked at. */
interface Component {
  readonly name: string;
  readonly version: string;
  readonly properties?: readonly { readonly name: string }[];
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

  test('is listed, package by package', async () => {
    const cwd = fileURLToPath(new URL('../..', import.meta.url));
    const { stdout } = await promisify(execFile)('npm', ['run', '--silent', 'sbom'], {
      cwd,
      maxBuffer: 64 * 1024 * 1024,
    });
    const { components } = JSON.parse(stdout) as { components: Component[] };
    const listed = components
      .filter(({ properties = [] }) => !properties.some(({ name }) => name === 'cdx:npm:package:development'))
      .map(({ name, version }) => `${name}@${version}`);
    const { packages } = await read<{ packages: Record<string, Locked> }>('package-lock.json');
    const locked = Object.entries(packages)
      .filter(([path, { dev, devOptional }]) => path !== '' && dev !== true && devOptional !== true)
      .map(([path, { version }]) => `${path.split('node_modules/').at(-1)}@${version}`);
    expect(locked.length).toBeGreaterThan(50);
    expect(new Set(listed)).toEqual(new Set(locked));
  });
});
