'use strict';
// Puts the bundled handlers, and nothing else, into the zip that Lambda gets. CommonJS, because `serverless` loads
// plugins with require().
const { statSync } = require('node:fs');
const { join } = require('node:path');

const kib = (bytes) => `${Math.round(bytes / 1024)} KiB`;

const shares = (bytesByPackage) =>
  bytesByPackage
    .filter(([, bytes]) => bytes >= 10_240)
    .map(([name, bytes]) => `${name} ${kib(bytes)}`)
    .join(', ');

class BundlePlugin {
  constructor(serverless, options, { log }) {
    this.serverless = serverless;
    this.options = options;
    this.log = log;
    this.hooks = {
      'before:package:createDeploymentArtifacts': () => this.zip(),
      'before:deploy:function:packageFunction': () => this.zip(),
      'before:invoke:local:invoke': () => this.runBundled(),
    };
  }

  async bundle() {
    const { bundle } = await import('./bundle.mjs');
    return bundle({ outdir: join(this.serverless.serviceDir, '.esbuild') });
  }

  /** With an artifact set, the framework neither collects files nor asks npm for development dependencies. */
  async zip() {
    const { outdir, files, bytesByPackage, loads } = await this.bundle();
    const { service, pluginManager } = this.serverless;
    // The framework's own zip writer: sorted entries, fixed times, so the same code gives the same bytes.
    const packager = pluginManager.plugins.find((plugin) => plugin.constructor.name === 'Package');
    service.package.artifact = await packager.zipFiles([...files], `${service.service}.zip`, outdir);

    const size = kib(statSync(service.package.artifact).size);
    this.log.notice(`Bundle: ${size} zipped; minified by package: ${shares(bytesByPackage)}`);
    for (const { what, bytesByPackage: some } of loads) {
      const when = what === 'start' ? 'at the start' : `on top for source ${what}`;
      this.log.notice(
        `Loaded ${when}: ${kib(some.reduce((sum, [, bytes]) => sum + bytes, 0))}: ${shares(some)}`,
      );
    }
  }

  async runBundled() {
    await this.bundle();
    const { functionObj } = this.options; // set by the framework just before
    functionObj.handler = join('.esbuild', functionObj.handler);
  }
}

module.exports = BundlePlugin;
