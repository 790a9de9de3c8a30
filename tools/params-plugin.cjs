'use strict';
// Refuses, before anything is packaged or sent, what would otherwise fail late or not at all. CommonJS, because
// `serverless` loads plugins with require().

class ParamsPlugin {
  constructor(serverless) {
    this.serverless = serverless;
    this.hooks = {
      initialize: () => {
        this.check();
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

module.exports = ParamsPlugin;
