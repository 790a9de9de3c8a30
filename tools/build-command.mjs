// Compiles the command line into dist/, for the package: Node.js runs no TypeScript from node_modules. What the
// package depends on stays outside and is installed with it.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const outdir = join(root, 'dist');

await rm(outdir, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: [{ in: 'lib/command/main.ts', out: 'star-compactor' }],
  outdir,
  bundle: true,
  packages: 'external',
  format: 'esm',
  splitting: true, // a command loads the source and the format that it needs
  chunkNames: 'chunks/[name]-[hash]',
  platform: 'node',
  target: 'node22', // whose `using` is made of what it knows
  logLevel: 'warning',
});
