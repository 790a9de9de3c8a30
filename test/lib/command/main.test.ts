import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const ROOT = new URL('../../../', import.meta.url).href;
const COMMAND = fileURLToPath(new URL('bin/star-compactor.mjs', ROOT));

/** Writes the address of every module that is loaded to standard error. */
const LISTED = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  registerHooks({ load: (url, context, next) => (process.stderr.write(url + '\\n'), next(url, context)) });
`)}`;

/** The project's modules and the packages that the command loads, below the project's folder. */
async function loadedBy(...args: string[]): Promise<{ own: string[]; packages: Set<string> }> {
  const run = promisify(execFile)(process.execPath, ['--import', LISTED, COMMAND, ...args]);
  const { stdout, stderr } = await run;
  expect(stdout).not.toBe('');
  const paths = stderr
    .split('\n')
    .filter((url) => url.startsWith(ROOT))
    .map((url) => url.slice(ROOT.length));
  const packages = paths.flatMap((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []);
  return { own: paths.filter((path) => path.startsWith('lib/')), packages: new Set(packages) };
}

test.each([
  ['--help'],
  ['--version'],
  ['db-dump', '--help'],
  ['api-dump', '--help'],
  ['doctor', '--help'],
  ['help', 'doctor'],
])('%s %s loads no command, no connection, no source and no package but the parser', async (...args) => {
  const { own, packages } = await loadedBy(...args);
  expect(packages).toEqual(new Set(['commander']));
  expect(own).toContain('lib/command/program.ts');
  expect(own.filter((path) => /^lib\/(connection|source|store|doctor|report|settings)/.test(path))).toEqual(
    [],
  );
  expect(own.filter((path) => /^lib\/command\/(dump|doctor|.*-connection)/.test(path))).toEqual([]);
});
