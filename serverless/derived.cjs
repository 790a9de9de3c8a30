'use strict';
// What the template derives from its parameters and YAML cannot express.

/** The prefix with a slash; empty if there is no prefix. */
exports.keyPrefix = async ({ resolveVariable }) => {
  const prefix = await resolveVariable('param:prefix');
  return prefix === '' ? '' : `${prefix}/`;
};

/**
 * ARNs of a secret that may be given by ARN, with or without the hyphen and six characters that Secrets Manager adds
 * to its name, or by name.
 */
const secretArn =
  (param) =>
  async ({ resolveVariable }) => {
    const secret = await resolveVariable(`param:${param}`);
    if (secret.startsWith('arn:')) return [secret, `${secret}-??????`];
    const account = '${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}';
    return [{ 'Fn::Sub': `arn:${account}:secret:${secret}-??????` }];
  };
exports.secretArn = secretArn('secret');
exports.maskingSecretArn = secretArn('maskingSecret');
exports.stateKeyArn = secretArn('stateKey');

/** Two windows and a quarter of a day: more than after one failed run that was caught up. */
exports.alarmingLagSeconds = async ({ resolveVariable }) => {
  const windowMinutes = Number(await resolveVariable('param:windowMinutes'));
  return 2 * windowMinutes * 60 + 6 * 3600;
};

/** As a string, because CloudFormation turns numbers in YAML into strings. */
exports.machineDefinition = async ({ resolveVariable }) =>
  JSON.stringify(await resolveVariable('file(./serverless/backfill.asl.yml)'));

/** A number, also if the parameter was given on the command line. */
exports.logRetentionDays = async ({ resolveVariable }) =>
  Number(await resolveVariable('param:logRetentionDays'));

/** Of letters, digits and underscores, so that queries need no quotes. */
exports.catalogueName = async ({ resolveVariable }) => {
  const name = await resolveVariable('self:custom.name');
  return name.toLowerCase().replace(/\W+/g, '_');
};

/** In one line of text, as CloudWatch takes it; what begins with a dollar sign is filled in by CloudFormation. */
exports.dashboardBody = async ({ resolveVariable }) => {
  const [service, cloud] = [await resolveVariable('self:service'), await resolveVariable('param:cloud')];
  const body = JSON.stringify(require('./dashboard.json'));
  return body.replaceAll('"SERVICE"', JSON.stringify(service)).replaceAll('"CLOUD"', JSON.stringify(cloud));
};
