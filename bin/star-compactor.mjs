#!/usr/bin/env node
// The command as npm installs it. Plain JavaScript, so that a Node.js that is too old can be told so.
import { existsSync } from 'node:fs';

const LEAST = 24;

if (Number.parseInt(process.versions.node, 10) < LEAST) {
  console.error(`star-compactor: needs Node.js ${LEAST} or later, this is ${process.versions.node}`);
  process.exit(2);
}

// In a clone the sources run as they are; a package that npm has installed holds them compiled.
const sources = new URL('../lib/command/main.ts', import.meta.url);
const { main } = await import(
  existsSync(sources) ? sources.href : new URL('../dist/star-compactor.js', import.meta.url).href
);
process.exit(await main(process.argv.slice(2)));
