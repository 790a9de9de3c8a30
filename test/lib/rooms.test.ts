import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const LIB = fileURLToPath(new URL('../../lib/', import.meta.url));

/** The rooms in the order of the flow: each may import those before it, and none behind it. */
const ROOMS = [
  'core',
  'tables',
  'config',
  'runtime',
  'connection',
  'source',
  'transform',
  'privacy',
  'format',
  'store',
  'drop',
  'schedule',
  'backfill',
  'report',
  'verify',
  'doctor',
  'command',
];

/** Every file of `lib/`, and the files that it imports, types included. */
const imports = new Map(
  readdirSync(LIB, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => [file, importsOf(file)]),
);

function importsOf(file: string): string[] {
  const text = readFileSync(join(LIB, file), 'utf8');
  const specifiers = [...text.matchAll(/(?:\bfrom\s+|\bimport\s*\(\s*)'(\.{1,2}\/[^']+)'/g)];
  return specifiers.map(([, specifier = '']) => normalize(join(dirname(file), specifier)));
}

const roomOf = (file: string): string => file.split('/')[0] ?? '';

describe('The rooms of lib/', () => {
  test('are all there are: no file lies loose', () => {
    const rooms = new Set([...imports.keys()].map(roomOf));
    expect([...rooms].toSorted()).toEqual(ROOMS.toSorted());
  });

  test('import only what comes before them in the flow', () => {
    const against = [...imports].flatMap(([file, imported]) =>
      imported
        .filter((other) => ROOMS.indexOf(roomOf(other)) > ROOMS.indexOf(roomOf(file)))
        .map((other) => `${file} imports ${other}`),
    );
    expect(against).toEqual([]);
  });

  test('import nothing from outside of lib/ but packages', () => {
    const outside = [...imports].flatMap(([file, imported]) =>
      imported
        .filter((other) => relative('.', other).startsWith('..'))
        .map((other) => `${file} imports ${other}`),
    );
    expect(outside).toEqual([]);
  });

  test('have no circles of imports', () => {
    expect(circle()).toEqual([]);
  });
});

test('What the functions load is no part of the command line, nor what locks a folder', () => {
  const handlers = fileURLToPath(new URL('../../handlers/', import.meta.url));
  const reached = new Set<string>();
  const walk = (file: string): void => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const other of imports.get(file) ?? []) walk(other);
  };
  for (const name of readdirSync(handlers)) {
    const text = readFileSync(join(handlers, name), 'utf8');
    for (const [, file = ''] of text.matchAll(/'\.\.\/lib\/([^']+)'/g)) walk(file);
  }
  expect(reached.size).toBeGreaterThan(100);
  expect([...reached].filter((file) => /^(command|verify|store\/folder)\//.test(file))).toEqual([]);
});

/** The files of one circle of imports, or nothing. */
function circle(): string[] {
  const done = new Set<string>();
  const path: string[] = [];
  const walk = (file: string): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    path.push(file);
    for (const other of imports.get(file) ?? []) {
      const found = walk(other);
      if (found.length > 0) return found;
    }
    path.pop();
    done.add(file);
    return [];
  };
  for (const file of imports.keys()) {
    const found = walk(file);
    if (found.length > 0) return found;
  }
  return [];
}
