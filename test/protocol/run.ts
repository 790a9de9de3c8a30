/*
 * Searches the model of publication with Spin: `npm run test:protocol`. Exits 1 where a promise is broken, a search is
 * cut short, or a seeded mistake is not found. Two searches run at a time, with at most 3.5 GB each.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { type Search, limits, mistakes, searches } from './searches.ts';

const AT_ONCE = 2;
const MODEL = path.join(import.meta.dirname, 'publication.pml');
const LARGEST_OUTPUT = 64 * 1024 * 1024;

interface Found {
  readonly states: number;
  readonly depth: number;
  readonly seconds: number;
  readonly errors: number;
  /** Whether the search went through all states. */
  readonly complete: boolean;
  /** The promise that is broken, or what else Spin says. */
  readonly broken: string;
  /** How it came to it, a line a request. */
  readonly trail: readonly string[];
}

const run = promisify(execFile);
await assertInstalled();
const folder = await mkdtemp(path.join(tmpdir(), 'protocol-'));
try {
  const [clean, seeded, known] = [
    await inPairs(searches, '-O2'),
    await inPairs(mistakes, '-O0'),
    await inPairs(limits, '-O0'),
  ];
  console.log('\nSearches: no promise may be broken');
  print(['search', 'bounds', 'states', 'depth', 'seconds', 'errors'], clean.map(searchRow));
  console.log('\nSeeded mistakes: each must be found');
  print(['mistake', 'bounds', 'states', 'broken promise'], seeded.map(mistakeRow));
  console.log('\nNot promised: each must be found');
  print(['limit', 'bounds', 'states', 'broken promise'], known.map(mistakeRow));
  const states = clean.reduce((sum, [, found]) => sum + found.states, 0);
  const wrong = clean.filter(([, { errors, complete }]) => errors > 0 || !complete);
  const missed = [...seeded, ...known].filter(([, { errors }]) => errors === 0);
  for (const [{ name }, { broken, trail }] of wrong) console.log(`\n${name}: ${broken}\n${trail.join('\n')}`);
  console.log(
    `\n${states.toLocaleString('en')} states searched, ${wrong.length} searches with errors, ` +
      `${seeded.length - seeded.filter(([, { errors }]) => errors === 0).length} of ${seeded.length} mistakes found`,
  );
  if (wrong.length + missed.length > 0) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function assertInstalled(): Promise<void> {
  try {
    await run('spin', ['-V']);
    // Needs the headers of the C library, too.
    await run('gcc', ['-E', '-include', 'stdio.h', '-x', 'c', '/dev/null']);
  } catch {
    console.error(
      'test:protocol: needs spin and a C compiler; install them: `apt-get install spin gcc libc6-dev`',
    );
    process.exit(1);
  }
}

/** @param optimize of the compiler: a mistake is found before the optimization pays */
async function inPairs(list: readonly Search[], optimize: string): Promise<[Search, Found][]> {
  const results: [Search, Found][] = [];
  const waiting = [...list.entries()];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, search] = next;
      results[index] = [search, await look(search, optimize)];
      process.stderr.write('.');
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return results;
}

/** Generates the verifier of a search, compiles and runs it. */
async function look({ defines, loops }: Search, optimize: string): Promise<Found> {
  const cwd = await mkdtemp(path.join(folder, 'search-'));
  const definitions = Object.entries(defines).map(([name, value]) => `-D${name}=${value}`);
  await run('spin', [...definitions, '-a', MODEL], { cwd });
  const kind = loops ? '-DNP' : '-DSAFETY';
  // Spin's own code is not free of warnings.
  const flags = ['-w', optimize, kind, '-DCOLLAPSE', '-DMEMLIM=3500', '-DVECTORSZ=2048'];
  await run('gcc', [...flags, '-o', 'pan', 'pan.c'], { cwd });
  const { stdout } = await run(path.join(cwd, 'pan'), ['-m200000', '-w24', ...(loops ? ['-l'] : [])], {
    cwd,
    maxBuffer: LARGEST_OUTPUT,
  });
  const errors = numberIn(stdout, /errors: (\d+)/);
  return {
    states: numberIn(stdout, /(\S+) states, stored/),
    depth: numberIn(stdout, /depth reached (\d+)/),
    seconds: numberIn(stdout, /elapsed time (\S+)/),
    errors,
    complete: !/not completed|too small|out of memory|max memory/i.test(stdout),
    broken: /assertion violated (\w+)/.exec(stdout)?.[1] ?? /^pan.*$/m.exec(stdout)?.[0] ?? '',
    trail: errors > 0 ? await trailOf(definitions, cwd) : [],
  };
}

/** The requests that lead to an error, with the objects by name. */
async function trailOf(definitions: string[], cwd: string): Promise<string[]> {
  const args = [...definitions, '-t', '-k', path.join(cwd, 'publication.pml.trail'), MODEL];
  const { stdout } = await run('spin', args, { cwd, maxBuffer: LARGEST_OUTPUT });
  const lines = stdout.split('\n').map((line) => line.trim());
  return lines
    .filter((line) => /^(run \d|the delayed)/.test(line))
    .map((line) =>
      line.replace(
        /\b(into|of|in) (\d+)/,
        (_, word: string, key: string) => `${word} ${keyName(Number(key))}`,
      ),
    );
}

function keyName(key: number): string {
  const fixed = ['trace.json', 'claim', 'checkpoint'][key];
  if (fixed !== undefined) return fixed;
  const [window, kind] = [Math.floor((key - 3) / 4), (key - 3) % 4];
  return `${['claims/', 'first data object of ', 'second data object of ', 'manifest of '][kind]}${window}`;
}

function numberIn(text: string, pattern: RegExp): number {
  const found = pattern.exec(text)?.[1];
  if (found === undefined)
    throw new Error(`test:protocol: no ${pattern.source} in what the verifier said:\n${text}`);
  return Number(found);
}

function bounds({ defines }: Search): string {
  const { SCHEDULES, BACKFILLS, WINDOWS, DELAYED = 0 } = defines;
  return `${SCHEDULES}+${BACKFILLS} runs, windows ${WINDOWS}, delayed ${DELAYED}`;
}

function searchRow([search, { states, depth, seconds, errors, complete }]: [Search, Found]): string[] {
  const found = complete || errors > 0 ? String(errors) : 'cut short';
  return [search.name, bounds(search), states.toLocaleString('en'), String(depth), seconds.toFixed(1), found];
}

function mistakeRow([search, { states, errors, broken }]: [Search, Found]): string[] {
  const found = errors > 0 ? broken : 'NOT FOUND';
  return [search.name, bounds(search), states.toLocaleString('en'), found];
}

function print(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  for (const row of [head, ...rows])
    console.log(
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}
