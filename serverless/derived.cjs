'use strict';
// What the template needs of the parameters and YAML cannot work out.

/** With the slash that a key needs after a prefix, and none where there is no prefix. */
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

/** Two windows behind and a quarter of a day: more than a run that failed and was made up for. */
exports.alarmingLagSeconds = async ({ resolveVariable }) => {
  const windowMinutes = Number(await resolveVariable('param:windowMinutes'));
  return 2 * windowMinutes * 60 + 6 * 3600;
};

/** As a string, in which CloudFormation leaves numbers numbers. */
exports.machineDefinition = async ({ resolveVariable }) =>
  JSON.stringify(await resolveVariable('file(./serverless/backfill.asl.yml)'));

/** A number, also where the parameter comes from the command line. */
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
