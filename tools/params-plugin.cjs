'use strict';
// Refuses, before anything is packaged or sent, what would otherwise fail late or not at all. CommonJS, because
// `serverless` loads plugins with require().
const { join } = require('node:path');

const ARN_OF_KEY = ['the ARN of a KMS key', /^$|^arn:[\w-]+:kms:[\w-]+:\d{12}:(key|alias)\/[\w/-]+$/];
const ids = (prefix) => new RegExp(`^$|^${prefix}-[0-9a-f]+(\\s*,\\s*${prefix}-[0-9a-f]+)*$`);

/** What the template alone reads, and the framework does not check: what is accepted, and its pattern. */
const TEMPLATE_PARAMS = {
  secretKey: ARN_OF_KEY,
  bucketKey: ARN_OF_KEY,
  schedule: ['cron(…), rate(…) or at(…) of EventBridge Scheduler', /^(cron|rate|at)\(.+\)$/],
  catalogueFrom: ['a date such as 2015-01-01', /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/],
  logLevel: [
    'TRACE, DEBUG, INFO, WARN, ERROR, SILENT or CRITICAL',
    /^(TRACE|DEBUG|INFO|WARN|ERROR|SILENT|CRITICAL)$/,
  ],
  subnets: ['ids of subnets, separated by commas', ids('subnet')],
  securityGroups: ['ids of security groups, separated by commas', ids('sg')],
  alarmTopic: ['the ARN of an SNS topic', /^$|^arn:[\w-]+:sns:[\w-]+:\d{12}:[\w.-]+$/],
  alarmEmail: ['an e-mail address', /^$|^[^@\s]+@[^@\s]+$/],
};

class ParamsPlugin {
  constructor(serverless) {
    this.serverless = serverless;
    this.hooks = {
      initialize: async () => {
        this.check();
        await this.checkSettings();
        this.prepareInvokeLocal();
      },
    };
  }

  check() {
    const { classes, processedInput, service, configurationInput } = this.serverless;
    const fail = (message) => {
      throw new classes.Error(message, 'STAR_COMPACTOR_PARAMS');
    };

    // The framework ignores a --param that nothing asks for: a misspelt name would deploy the default.
    const known = Object.keys(configurationInput.params.default);
    for (const param of processedInput.options.param ?? []) {
      const [name] = param.split('=', 1);
      if (!known.includes(name)) fail(`--param ${name}: unknown; accepted: ${known.join(', ')}`);
    }
    for (const [stage, params] of Object.entries(configurationInput.params)) {
      for (const name of Object.keys(params ?? {})) {
        if (!known.includes(name)) fail(`params.${stage}.${name}: unknown; accepted: ${known.join(', ')}`);
      }
    }

    const { subnets, securityGroups } = service.custom.vpc;
    if ((subnets === '') !== (securityGroups === '')) {
      fail('subnets and securityGroups go together: give both to run inside a VPC, or neither');
    }

    // Packaging needs no secret; a deployed function without one could do nothing but fail every night.
    if (processedInput.commands[0] === 'deploy' && processedInput.commands[1] !== 'list') {
      if (service.provider.environment.STAR_SECRET === '') {
        fail(
          'secret: not given; it is the ARN or name of the Secrets Manager secret that opens the cloud, such as ' +
            '--param="secret=star-compactor/nova", or `secret:` under `params:` in serverless.yml',
        );
      }
    }
  }

  /** What `lib/config/settings.ts` would refuse at the first run, and what the template alone reads. */
  async checkSettings() {
    const { classes, processedInput, service } = this.serverless;
    if (!['package', 'deploy', 'invoke'].includes(processedInput.commands[0])) return;
    const fail = (message) => {
      throw new classes.Error(message, 'STAR_COMPACTOR_PARAMS');
    };
    for (const [name, value] of Object.entries(this.params())) {
      const [accepted, pattern] = TEMPLATE_PARAMS[name] ?? [];
      if (pattern?.test(value) === false) fail(`${name}: got "${value}"; accepted: ${accepted}`);
    }

    const env = {};
    for (const [name, value] of Object.entries(service.provider.environment)) {
      // What CloudFormation works out is not known yet, and right.
      if (name.startsWith('STAR_') && typeof value !== 'object') env[name] = String(value);
    }
    env.STAR_BUCKET = service.provider.environment.STAR_BUCKET['Fn::If']?.[2] || 'created-by-the-stack';
    env.STAR_SECRET ||= 'none-yet';
    try {
      (await this.loadSettings()).readSettings(env);
    } catch (error) {
      if (error.name !== 'InputError') throw error;
      fail(error.message.replaceAll(/STAR_[A-Z_]+/g, paramOf));
    }
  }

  /** The values of all parameters that are known by now, as text. */
  params() {
    const { processedInput, service, configurationInput } = this.serverless;
    const { default: defaults, [service.provider.stage]: ofStage } = configurationInput.params;
    const given = (processedInput.options.param ?? []).map((param) => [
      param.slice(0, param.indexOf('=')),
      param.slice(param.indexOf('=') + 1),
    ]);
    const all = { ...defaults, ...ofStage, ...Object.fromEntries(given) };
    const known = Object.entries(all).map(([name, value]) => [name, String(value ?? '')]);
    return Object.fromEntries(known.filter(([, value]) => !value.includes('${')));
  }

  /** From TypeScript, on whatever Node.js runs `serverless`. */
  async loadSettings() {
    const { build } = require('esbuild');
    const { outputFiles } = await build({
      entryPoints: [join(this.serverless.serviceDir, 'lib/config/settings.ts')],
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'node',
      logLevel: 'warning',
    });
    return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
  }

  /** `invoke local` understands names and Refs in the environment, but neither Fn::If nor Fn::Sub. */
  prepareInvokeLocal() {
    const { processedInput, service } = this.serverless;
    if (processedInput.commands.join(' ') !== 'invoke local') return;
    const { environment } = service.provider;
    const [, created, given] = environment.STAR_BUCKET['Fn::If'];
    environment.STAR_BUCKET = given === '' ? created : given;
    environment.STAR_BACKFILL_MACHINE = ''; // a range is made here, however long
  }
}

/** `windowMinutes` of `STAR_WINDOW_MINUTES`: a test holds all names to that rule. */
function paramOf(variable) {
  const [first, ...rest] = variable.slice('STAR_'.length).toLowerCase().split('_');
  return [first, ...rest.map((word) => word[0].toUpperCase() + word.slice(1))].join('');
}

module.exports = ParamsPlugin;
