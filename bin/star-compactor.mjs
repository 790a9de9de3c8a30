#!/usr/bin/env node
// The command as npm installs it. Plain JavaScript, so that a Node.js that is too old prints why it cannot run this.
import { existsSync } from 'node:fs';
// The default export, because an old Node.js lacks the function and could not import it by name.
import nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';

// In a clone the sources run as they are; a package that npm has installed holds them compiled.
const sources = new URL('../lib/command/main.ts', import.meta.url);
const isClone = existsSync(sources);

// Of the sources `using`; compiled, zstd since 22.15 and `node:sqlite`, without a flag, since 22.13.
const LEAST = isClone ? [24, 0] : [22, 15];

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < LEAST[0] || (major === LEAST[0] && minor < LEAST[1])) {
  const wanted = LEAST.join('.').replace('.0', '');
  console.error(`star-compactor: needs Node.js ${wanted} or later, this is ${process.versions.node}`);
  process.exit(2);
}

// Half of what help costs in a clone is to take the types out of the sources; once is enough.
if (isClone)
  nodeModule.enableCompileCache(fileURLToPath(new URL('../.local/compile-cache', import.meta.url)));
const { main } = await import(
  isClone ? sources.href : new URL('../dist/star-compactor.js', import.meta.url).href
);
process.exit(await main(process.argv.slice(2)));
