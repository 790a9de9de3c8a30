'use strict';
const { compileFunction } = require('node:vm');
const { buildSync } = require('esbuild');

/** The framework reads JavaScript and no TypeScript, on whatever Node the machine has. */
function load(entry) {
  const { outputFiles } = buildSync({
    entryPoints: [require.resolve(entry)],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    logLevel: 'error',
  });
  const module = { exports: {} };
  const run = compileFunction(outputFiles[0].text, ['module', 'exports', 'require'], { filename: entry });
  run(module, module.exports, require);
  return module.exports;
}

/** Resources and outputs of the catalogue. */
module.exports = async ({ resolveVariable }) => {
  const { catalogue } = load('./catalogue.ts');
  return catalogue({
    database: await resolveVariable('file(./serverless/derived.cjs):catalogueName'),
    cloud: await resolveVariable('param:cloud'),
    prefix: await resolveVariable('file(./serverless/derived.cjs):keyPrefix'),
    from: await resolveVariable('param:catalogueFrom'),
    formatVersion: await resolveVariable('param:formatVersion'),
    bucket: await resolveVariable('self:custom.bucket'),
  });
};
