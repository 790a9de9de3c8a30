// Bundles the handlers as they run on Lambda. Plain JavaScript, because the packaging plugin loads it on whatever
// Node runs `serverless`, and `npm start` loads the very same thing.
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

// mysql2 is CommonJS and requires Node's own modules at run time, which ES modules have no `require` for.
const banner =
  "import{createRequire as __starCreateRequire}from'node:module';" +
  'const require=__starCreateRequire(import.meta.url);';

/** @type {import('./bundle.d.mts').bundle} */
export async function bundle({ outdir, handlers = join(root, 'handlers') }) {
  const out = resolve(outdir);
  const entryPoints = (await readdir(handlers))
    .filter((name) => /(?<!\.test)\.ts$/.test(name))
    .map((name) => ({ in: join(handlers, name), out: `handlers/${name.slice(0, -'.ts'.length)}` }));

  // Chunks bear a hash of their content, so those of an earlier build would stay and be shipped.
  for (const stale of ['handlers', 'chunks']) await rm(join(out, stale), { recursive: true, force: true });
  await mkdir(out, { recursive: true });

  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints,
    outdir: out,
    bundle: true,
    format: 'esm',
    splitting: true, // a source that a run does not need is not loaded: await import() stays one
    chunkNames: 'chunks/[name]-[hash]',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'], // the ES module builds of packages can be shaken, their CommonJS cannot
    minify: true,
    legalComments: 'none',
    banner: { js: banner },
    metafile: true,
    logLevel: 'warning',
  });
  await writeFile(join(out, 'package.json'), '{"type":"module"}\n');

  const written = Object.keys(metafile.outputs).map((path) => resolve(root, path));
  return {
    outdir: out,
    files: [join(out, 'package.json'), ...written],
    bytesByPackage: bytesByPackage(Object.values(metafile.outputs)),
    loads: loads(metafile),
  };
}

/**
 * What a run of the scheduled handler loads at its start, and what each source brings on top when it is needed.
 *
 * @param {import('esbuild').Metafile} metafile
 */
function loads({ outputs }) {
  /** @param {string} path @param {Set<string>} seen @returns {Set<string>} */
  const withImports = (path, seen) => {
    if (seen.has(path)) return seen;
    seen.add(path);
    const statics = outputs[path]?.imports.filter(({ kind }) => kind === 'import-statement') ?? [];
    for (const { path: imported, external } of statics) if (external !== true) withImports(imported, seen);
    return seen;
  };
  /** @param {string} entry */
  const outputOf = (entry) => Object.keys(outputs).find((path) => outputs[path]?.entryPoint?.endsWith(entry));
  const start = outputOf('handlers/scheduled.ts');
  if (start === undefined) return [];
  const atStart = withImports(start, new Set());
  const sources = ['nova-db', 'nova-api'].flatMap((name) => {
    const chunk = outputOf(`lib/source/${name}/${name}.ts`);
    return chunk === undefined
      ? []
      : [{ what: name, paths: [...withImports(chunk, new Set(atStart))].slice(atStart.size) }];
  });
  return [{ what: 'start', paths: [...atStart] }, ...sources].map(({ what, paths }) => ({
    what,
    bytesByPackage: bytesByPackage(paths.flatMap((path) => outputs[path] ?? [])),
  }));
}

/** @param {readonly import('esbuild').Metafile['outputs'][string][]} outputs */
function bytesByPackage(outputs) {
  /** @type {Map<string, number>} */
  const bytes = new Map();
  for (const output of outputs) {
    for (const [path, { bytesInOutput }] of Object.entries(output.inputs)) {
      const name = packageOf(path);
      bytes.set(name, (bytes.get(name) ?? 0) + bytesInOutput);
    }
  }
  return [...bytes].filter(([, size]) => size > 0).toSorted((a, b) => b[1] - a[1]);
}

/** @param {string} path */
function packageOf(path) {
  const inside = path.split('node_modules/').at(-1) ?? path;
  if (inside === path) return 'star-compactor';
  const [first = '', second = ''] = inside.split('/');
  // The SDK comes as some thirty packages, of which only the sum tells anything.
  if (first === '@aws-sdk' || first === '@smithy') return first;
  return first.startsWith('@') ? `${first}/${second}` : first;
}
