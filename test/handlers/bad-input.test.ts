import { PutObjectCommand } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, Socket, createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Cloud, startCloud, watermark } from '../support/invoke/cloud.ts';
import { listKeys, readObject } from '../support/drops.ts';
import { type DatabaseUser, type MariaDb, startMariaDb } from '../support/mariadb/index.ts';
import { BUCKET, SECRET, type Stage, startStage } from '../support/stage.ts';

// Read when the logger is loaded: nothing may be logged that should not be, not even for debugging.
vi.hoisted(() => {
  process.env['POWERTOOLS_LOG_LEVEL'] = 'DEBUG';
});

const GOOD_EVENT = { scheduledTime: '2025-06-02T00:45:00Z' };
const PASSWORD = 'hunter2-of-nova';
const MASKING_SECRET = 'c2hvcnQtbWFza2luZy1zZWNyZXQ=';
const KEYSTONE = `${randomUUID()}.example`;
const KEYSTONE_PASSWORD = randomUUID();
const HIDDEN = [
  PASSWORD,
  encodeURIComponent(PASSWORD),
  'novareader',
  MASKING_SECRET,
  KEYSTONE,
  KEYSTONE_PASSWORD.slice(0, 8),
];

let logged: string;

beforeEach(() => {
  logged = '';
  const collect = (chunk: unknown): boolean => {
    logged += String(chunk);
    return true;
  };
  vi.spyOn(process.stdout, 'write').mockImplementation(collect);
  vi.spyOn(process.stderr, 'write').mockImplementation(collect);
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** One line, in the error and in the log, that fits and holds nothing of what is hidden. */
async function expectRefused(
  run: Promise<unknown>,
  expected: { name: string; message: RegExp; hidden: readonly string[] },
): Promise<void> {
  const error = await run.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Error);
  const { name, message } = error as Error;
  expect(message).toMatch(expected.message);
  expect(message).not.toContain('\n');
  expect(name).toBe(expected.name);
  const lines = logged
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { level: string; message: string });
  expect(lines.filter(({ level }) => level === 'ERROR').map((line) => line.message)).toEqual([message]);
  for (const hidden of expected.hidden) expect(`${message}\n${logged}`).not.toContain(hidden);
}

interface BadInput {
  /** What is bad. */
  of: string;
  message: RegExp;
  env?: Record<string, string>;
  secret?: string;
  event?: unknown;
}

const rds = (changes: object): string =>
  JSON.stringify({
    host: 'localhost',
    username: 'novareader',
    password: PASSWORD,
    dbname: 'nova',
    ssl: 'off',
    ...changes,
  });
const dsn = (rest: string): string => `mysql://novareader:${PASSWORD}@localhost${rest}`;
const openStack = (changes: object): string =>
  JSON.stringify({
    OS_AUTH_URL: `https://${KEYSTONE}/v3`,
    OS_USERNAME: 'novareader',
    OS_PASSWORD: KEYSTONE_PASSWORD,
    OS_PROJECT_NAME: 'traces',
    ...changes,
  });
const openrc = (lines: string): string =>
  `export OS_AUTH_URL=https://${KEYSTONE}/v3 OS_USERNAME=novareader\n${lines}\n`;
const cloudsYaml = (lines: string): string =>
  `clouds:\n  mine:\n    auth:\n      auth_url: https://${KEYSTONE}/v3\n      username: novareader\n${lines}\n`;

const SETTINGS: BadInput[] = [
  {
    of: 'no bucket',
    env: { STAR_BUCKET: '' },
    message: /^STAR_BUCKET: got nothing; accepted: an S3 bucket name/,
  },
  {
    of: 'a bucket that cannot be',
    env: { STAR_BUCKET: 'My_Bucket' },
    message: /^STAR_BUCKET: got "My_Bucket"/,
  },
  {
    of: 'a variable that is not known',
    env: { STAR_BUKCET: 'x' },
    message: /^STAR_BUKCET: unknown; accepted: .*STAR_BUCKET/,
  },
  {
    of: 'a window that does not divide a day',
    env: { STAR_WINDOW_MINUTES: '7' },
    message: /^STAR_WINDOW_MINUTES: got "7"; accepted: .*divides a day/,
  },
  {
    of: 'a negative settle time',
    env: { STAR_SETTLE_MINUTES: '-5' },
    message: /^STAR_SETTLE_MINUTES: got "-5"/,
  },
  {
    of: 'a horizon of no days',
    env: { STAR_OPEN_HORIZON_DAYS: '0' },
    message: /^STAR_OPEN_HORIZON_DAYS: got "0"/,
  },
  {
    of: 'an epoch that is no time',
    env: { STAR_EPOCH: 'yesterday' },
    message: /^STAR_EPOCH: got "yesterday"; accepted: an ISO 8601 instant/,
  },
  {
    of: 'a format that is not known',
    env: { STAR_FORMATS: 'csv,xml' },
    message: /^STAR_FORMATS: got "csv,xml"; accepted: .*csv, jsonl/,
  },
  { of: 'a format given twice', env: { STAR_FORMATS: 'csv,csv' }, message: /^STAR_FORMATS: got "csv,csv"/ },
  {
    of: 'a prefix with a slash at its end',
    env: { STAR_PREFIX: 'traces/' },
    message: /^STAR_PREFIX: got "traces\/"/,
  },
  { of: 'a cloud with a slash', env: { STAR_CLOUD: 'a/b' }, message: /^STAR_CLOUD: got "a\/b"/ },
  {
    of: 'no masking, without the opt-in',
    env: { STAR_MASKING: 'none' },
    message: /^STAR_MASKING: got "none".*STAR_ALLOW_UNSAFE_MASKING=true/,
  },
  {
    of: 'a masking that is not known',
    env: { STAR_MASKING: 'md5' },
    message: /^STAR_MASKING: got "md5"; accepted: sha2-salted/,
  },
  {
    of: 'a masking secret for a masking without',
    env: { STAR_MASKING: 'sha1-raw', STAR_ALLOW_UNSAFE_MASKING: 'true', STAR_MASKING_SECRET: 'masks' },
    message: /^STAR_MASKING_SECRET: got a secret, but STAR_MASKING=sha1-raw/,
  },
  {
    of: 'a host rule for bare metal',
    env: { STAR_MACHINES: 'baremetal', STAR_HOST_FROM: 'event' },
    message: /^STAR_HOST_FROM: got "event", but STAR_MACHINES=baremetal/,
  },
  {
    of: 'no secret',
    env: { STAR_SECRET: '' },
    message: /^STAR_SECRET: got nothing; accepted: the ARN or name/,
  },
  {
    of: 'a secret that is not there',
    env: { STAR_SECRET: 'no/such' },
    message: /^STAR_SECRET: there is no such secret/,
  },
  {
    of: 'a masking secret that is not there',
    env: { STAR_MASKING_SECRET: 'no/such' },
    message: /^STAR_MASKING_SECRET: there is no such secret/,
  },
  {
    of: 'a masking secret that is short',
    env: { STAR_MASKING_SECRET: 'short' },
    message: /^STAR_MASKING_SECRET: holds 28 bytes; accepted: at least 32/,
  },
  {
    of: 'a DSN where its secret’s name belongs',
    env: { STAR_SECRET: dsn(':3306/nova') },
    message: /^STAR_SECRET: /,
  },
  {
    of: 'a DSN with options where its secret’s name belongs',
    env: { STAR_SECRET: dsn('/nova?ssl=off') },
    message: /^STAR_SECRET: /,
  },
  {
    of: 'a masking secret itself where its name belongs',
    env: { STAR_MASKING_SECRET: MASKING_SECRET },
    message: /^STAR_MASKING_SECRET: /,
  },
];

const SECRETS: BadInput[] = [
  {
    of: 'neither a DSN nor JSON',
    secret: `novareader:${PASSWORD}@localhost`,
    message:
      /^secret: neither a DSN nor JSON, nor an openrc file or a clouds.yaml; accepted: a mysql:\/\/ DSN/,
  },
  { of: 'broken JSON', secret: rds({}).slice(0, -1), message: /^secret: neither a DSN nor JSON/ },
  { of: 'a JSON list', secret: JSON.stringify([PASSWORD]), message: /^secret: accepted: a mysql:\/\/ DSN/ },
  {
    of: 'another database',
    secret: dsn('/nova').replace('mysql', 'postgresql'),
    message: /^secret: neither a DSN nor JSON/,
  },
  {
    of: 'JSON with a key that is not known',
    secret: rds({ passwd: PASSWORD }),
    message: /^secret: a key: unknown; accepted: host, port/,
  },
  {
    of: 'JSON without a database',
    secret: rds({ dbname: undefined }),
    message: /^secret: dbname: got nothing; accepted: the name of the cell database/,
  },
  {
    of: 'JSON with a password that is no text',
    secret: rds({ password: 12_345 }),
    message: /^secret: password: accepted: a password/,
  },
  {
    of: 'JSON with a port that cannot be',
    secret: rds({ port: 70_000 }),
    message: /^secret: port: accepted: 1 to 65535/,
  },
  {
    of: 'JSON of another engine',
    secret: rds({ engine: 'postgres' }),
    message: /^secret: engine: accepted: mysql or mariadb/,
  },
  {
    of: 'JSON with a TLS option that is not known',
    secret: rds({ ssl: 'maybe' }),
    message: /^secret: ssl: accepted: verify, verify-ca, rds, off/,
  },
  {
    of: 'a DSN with a port that cannot be',
    secret: dsn(':99999/nova'),
    message: /^secret: DSN: accepted: mysql:\/\/USER:PASSWORD@HOST:PORT/,
  },
  { of: 'a DSN without a database', secret: dsn(''), message: /^secret: DSN: database: accepted/ },
  {
    of: 'a DSN with a TLS option that is not known',
    secret: dsn('/nova?ssl=maybe'),
    message: /^secret: ssl: accepted: verify, verify-ca, rds, off/,
  },
  {
    of: 'a DSN with the path of a CA',
    secret: dsn('/nova?ssl_ca=/etc/ca.pem'),
    message: /^secret: ssl_ca: accepted: the text of a PEM certificate/,
  },
  {
    of: 'a DSN with a bare % in its password',
    secret: `mysql://novareader:50%${PASSWORD}@localhost/nova`,
    message: /^secret: DSN: password: accepted: valid percent-encoding/,
  },
  {
    of: 'a DSN with a bare # in its password',
    secret: `mysql://novareader:#${PASSWORD}@localhost/nova`,
    message: /^secret: DSN: /,
  },
  {
    of: 'a DSN with a bare ? in its password',
    secret: `mysql://novareader:?${PASSWORD}@localhost/nova`,
    message: /^secret: DSN: /,
  },
  { of: 'no cells', secret: '{"cells":{}}', message: /^secret: cells: accepted: at least one cell/ },
  {
    of: 'a bad DSN among the cells',
    secret: JSON.stringify({ cells: { cell1: dsn('/nova'), cell0: dsn('') } }),
    message: /^secret: cells: cell0: DSN: database: accepted/,
  },
  {
    of: 'one database for two cells',
    secret: JSON.stringify({ cells: { cell1: dsn('/nova'), cell0: dsn('/nova') } }),
    message: /^secret: cells: cell0: names the same database as cell1/,
  },
  {
    of: 'OpenStack credentials without a password',
    secret: openStack({ OS_PASSWORD: undefined }),
    message: /^secret: OS_PASSWORD: got nothing; accepted: a password, an application credential or a token$/,
  },
  {
    of: 'OpenStack credentials with a password that is no text',
    secret: openStack({ OS_PASSWORD: [KEYSTONE_PASSWORD] }),
    message: /^secret: OS_PASSWORD: accepted: a text/,
  },
  {
    of: 'OpenStack credentials with a variable that is not known',
    secret: openStack({ OS_PASSWRD: KEYSTONE_PASSWORD }),
    message: /^secret: OS_PASSWRD: unknown; accepted: OS_AUTH_TYPE, OS_AUTH_URL, OS_USERNAME/,
  },
  {
    of: 'OpenStack credentials in the URL',
    secret: openStack({ OS_AUTH_URL: `https://novareader:${KEYSTONE_PASSWORD}@${KEYSTONE}/v3` }),
    message: /^secret: OS_AUTH_URL: accepted: the http:\/\/ or https:\/\/ URL, without user/,
  },
  {
    of: 'OpenStack credentials of two kinds',
    secret: openStack({ OS_APPLICATION_CREDENTIAL_SECRET: KEYSTONE_PASSWORD }),
    message: /^secret: OS_APPLICATION_CREDENTIAL_SECRET: contradicts OS_PASSWORD; accepted: one of them/,
  },
  {
    of: 'OpenStack credentials of a kind that is not known',
    secret: openStack({ OS_AUTH_TYPE: 'v3oidcpassword' }),
    message: /^secret: OS_AUTH_TYPE: accepted: password, v3password/,
  },
  {
    of: 'OpenStack credentials for a project and the system',
    secret: openStack({ OS_SYSTEM_SCOPE: 'all' }),
    message: /^secret: OS_SYSTEM_SCOPE: contradicts OS_PROJECT_NAME; accepted: one of them/,
  },
  {
    of: 'OpenStack credentials for a domain',
    secret: openStack({ OS_PROJECT_NAME: undefined, OS_DOMAIN_NAME: KEYSTONE_PASSWORD }),
    message: /^secret: OS_DOMAIN_NAME: alone it asks for a token of a domain/,
  },
  {
    of: 'OpenStack credentials with the path of a CA',
    secret: openStack({ OS_CACERT: '/etc/ssl/ca.pem' }),
    message: /^secret: OS_CACERT: accepted: the text of a PEM certificate, not a path$/,
  },
  {
    of: 'JSON of a cloud and a database at once',
    secret: openStack({ dbname: 'nova', host: KEYSTONE }),
    message: /^secret: dbname: unknown; accepted: OS_AUTH_TYPE/,
  },
  {
    of: 'an openrc file as Horizon gives it',
    secret: openrc('read -sr OS_PASSWORD_INPUT\nexport OS_PASSWORD=$OS_PASSWORD_INPUT'),
    message: /^secret: OS_PASSWORD: is asked for at a terminal; accepted: the value itself/,
  },
  {
    of: 'an openrc file with a command in it',
    secret: openrc(`export OS_PASSWORD=$(echo ${KEYSTONE_PASSWORD})`),
    message: /^secret: OS_PASSWORD: needs a shell; accepted: the value itself, in single quotes$/,
  },
  {
    of: 'an openrc file with a quote that is not closed',
    secret: openrc(`export OS_PASSWORD='${KEYSTONE_PASSWORD}`),
    message: /^secret: OS_PASSWORD: accepted: every ' closed by another$/,
  },
  {
    of: 'a clouds.yaml without a project',
    secret: cloudsYaml(`      password: ${JSON.stringify(KEYSTONE_PASSWORD)}`),
    message: /^secret: clouds: auth: project_name: got nothing; accepted: a project/,
  },
  {
    of: 'a clouds.yaml of several clouds',
    secret: cloudsYaml(`      password: "${KEYSTONE_PASSWORD}"\n  theirs: {}`),
    message: /^secret: clouds: has several; accepted: one, or cloud: NAME beside clouds/,
  },
  {
    of: 'a clouds.yaml with a key given twice',
    secret: cloudsYaml(`      password: "${KEYSTONE_PASSWORD}"\n      password: "${KEYSTONE_PASSWORD}"`),
    message: /^secret: line 7: DUPLICATE_KEY; accepted: valid YAML$/,
  },
  {
    of: 'a clouds.yaml that is no YAML',
    secret: cloudsYaml(`\t\tpassword: ${KEYSTONE_PASSWORD}`),
    message: /^secret: line 6: TAB_AS_INDENT; accepted: valid YAML$/,
  },
];

const EVENTS: BadInput[] = [
  { of: 'nothing', event: null, message: /^event: got null/ },
  { of: 'a text', event: 'now', message: /^event: got "now"/ },
  {
    of: 'no scheduledTime',
    event: {},
    message: /^event: scheduledTime: got nothing; accepted: an ISO 8601 instant/,
  },
  {
    of: 'a number for a time',
    event: { scheduledTime: 1_748_736_000 },
    message: /^event: scheduledTime: got 1748736000; accepted/,
  },
  {
    of: 'a date without a time',
    event: { scheduledTime: '2025-06-01' },
    message: /^event: scheduledTime: got "2025-06-01"; accepted/,
  },
  {
    of: 'a day that no calendar has',
    event: { scheduledTime: '2025-02-30T00:45:00Z' },
    message: /^event: scheduledTime: got "2025-02-30T00:45:00Z"/,
  },
  {
    of: 'the scheduler’s placeholder, not replaced',
    event: { scheduledTime: '<aws.scheduler.scheduled-time>' },
    message: /^event: scheduledTime: got "<aws.scheduler.scheduled-time>"; accepted/,
  },
  {
    of: 'a key that is not known',
    event: { ...GOOD_EVENT, replace: true },
    message: /^event: replace: unknown; accepted: scheduledTime/,
  },
  {
    of: 'a time in the future',
    event: { scheduledTime: '2999-01-01T00:45:00Z' },
    message: /^event: scheduledTime: got "2999-01-01T00:45:00Z"; accepted: a time not after/,
  },
  {
    of: 'a rule’s event from elsewhere',
    event: { 'detail-type': 'Scheduled Event', source: 'my.app', time: GOOD_EVENT.scheduledTime },
    message: /^event: source: got "my.app"/,
  },
  {
    of: 'a rule’s event without a time',
    event: { 'detail-type': 'Scheduled Event', source: 'aws.events' },
    message: /^event: time: got nothing/,
  },
];

describe('refused in one line that names the field, before anything is opened:', () => {
  let stage: Stage;
  let connections = 0;

  beforeAll(async () => {
    stage = await startStage();
    const { region, endpoint, accessKeyId, secretAccessKey } = stage.secretsManager;
    const client = new SecretsManagerClient({
      region,
      endpoint,
      credentials: { accessKeyId, secretAccessKey },
    });
    await client.send(new CreateSecretCommand({ Name: 'short', SecretString: MASKING_SECRET }));
    client.destroy();
  });
  afterAll(async () => {
    await stage.stop();
  });

  async function expectNothingOpened({
    env = {},
    secret,
    event = GOOD_EVENT,
    message,
  }: BadInput): Promise<void> {
    const asked = stage.s3.requests().length;
    const good = { ...stage.env };
    await stage.setSecret(secret ?? rds({}));
    Object.assign(stage.env, env);
    const connect = vi.spyOn(Socket.prototype, 'connect');
    try {
      await expectRefused(stage.invoke(event), { name: 'InputError', message, hidden: HIDDEN });
    } finally {
      Object.keys(env).forEach((name) => delete stage.env[name]);
      Object.assign(stage.env, good);
    }
    expect(stage.s3.requests().slice(asked)).toEqual([]);
    connections += connect.mock.calls.length;
    const { port } = new URL(stage.secretsManager.endpoint);
    for (const call of connect.mock.calls)
      expect(JSON.stringify(call)).toMatch(new RegExp(`"port":"?${port}\\b`));
  }

  test.each(SETTINGS)('setting: $of', expectNothingOpened);
  test.each(SECRETS)('secret: $of', expectNothingOpened);
  test.each(EVENTS)('event: $of', expectNothingOpened);

  test('by a watch on connections that has seen those to Secrets Manager', () => {
    expect(connections).toBeGreaterThan(0);
  });
});

describe('a backfill is refused in one line, with nothing written and the cloud not asked:', () => {
  const begin = '2025-06-05T00:00:00Z';
  const range = { start: '2025-06-01', end: '2025-06-04' };
  const today = new Date().toISOString().slice(0, 10);
  let stage: Stage;

  beforeAll(async () => {
    stage = await startStage({ env: { STAR_BACKFILL_SECRETS: 'test/backfill' } });
    await stage.setSecret(rds({}));
    const common = { traceVersion: 1, windowMinutes: 1440, created: begin };
    const asked = { start: '2025-05-01T00:00:00Z', end: '2025-06-01T00:00:00Z' };
    const release = {
      tables: ['instance_events'],
      formats: ['csv'],
      compression: 'gzip',
      source: 'database',
    };
    const traces = [
      { ...common, cloud: 'begun', kind: 'scheduled', begin },
      { ...common, cloud: 'test-gun', kind: 'scheduled', begin },
      {
        ...common,
        cloud: 'test-may',
        kind: 'release',
        range: asked,
        ...release,
        maskingScope: 'one',
        settings: 'ff',
      },
    ];
    for (const trace of traces) {
      const Key = `cloud=${trace.cloud}/state/trace.json`;
      await stage.client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: JSON.stringify(trace) }));
    }
  });
  afterAll(() => stage.stop());

  const CASES: (BadInput & { step?: boolean })[] = [
    { of: 'nothing', event: null, message: /^event: got null; accepted: an object with start and end$/ },
    {
      of: 'a release with a bad name',
      event: { ...range, release: 'may 2025' },
      message: /^event: release: got "may 2025"; accepted: a name of 1 to 32 letters, digits/,
    },
    {
      of: 'a release of another range than its trace.json',
      event: { ...range, release: 'may' },
      message:
        /^event: start, end: got 2025-06-01T\S+, but the release was begun with 2025-05-01T\S+; accepted: the same; or choose/,
    },
    {
      of: 'a release of other formats than its trace.json',
      event: { start: '2025-05-01', end: '2025-06-01', release: 'may', formats: ['jsonl'] },
      message:
        /^event: formats: got jsonl, but the release was begun with csv; accepted: the same; or choose/,
    },
    {
      of: 'a release of a range that is not a day old',
      event: { start: '2025-05-01', end: today, release: 'now' },
      message:
        /^event: end: got "\S+", but windows are published once they ended 24 hours ago; accepted: up to \S+Z$/,
    },
    {
      of: 'a release where no state machine is deployed',
      event: { ...range, release: 'new' },
      message:
        /^event: release: got "new", but STAR_BACKFILL_MACHINE is not set; accepted: the state machine's ARN/,
    },
    {
      of: 'a range beyond begin',
      env: { STAR_CLOUD: 'begun' },
      event: { ...range, end: '2025-06-06' },
      message:
        /^event: end: got "2025-06-06", but the trace begins at 2025-06-05T00:00:00Z.*; accepted: up to 2025-06-05T00:00:00Z, or "cut": true$/,
    },
    {
      of: 'a range beyond begin, to be cut where nothing is left',
      env: { STAR_CLOUD: 'begun' },
      event: { start: '2025-06-05', end: '2025-06-06', cut: true },
      message:
        /^event: start: got "2025-06-05", but the trace begins at .*; accepted: before 2025-06-05T00:00:00Z$/,
    },
    {
      of: 'a range off the edges',
      event: { ...range, start: '2025-06-01T06:00:00Z' },
      message:
        /^event: start: got "2025-06-01T06:00:00Z", which is within a window; accepted: the edge of one/,
    },
    {
      of: 'an empty range',
      event: { start: '2025-06-01', end: '2025-06-01' },
      message: /^event: end: got "2025-06-01"; accepted: a time after start/,
    },
    {
      of: 'a range that is not a day old',
      event: { start: '2025-06-01', end: today },
      message:
        /^event: end: got "\S+", but windows are published once they ended 24 hours ago; .*, or "cut": true$/,
    },
    {
      of: 'formats without a release',
      event: { ...range, formats: ['csv'] },
      message: /^event: formats: got \["csv"\] without release; accepted: with a release only/,
    },
    {
      of: 'cut with a release',
      event: { ...range, release: 'new', cut: true },
      message: /^event: cut: got true with release; accepted: a range that need not be cut$/,
    },
    {
      of: 'replace, which is no key',
      event: { ...range, replace: true },
      message:
        /^event: replace: unknown; accepted: start, end, release, formats, compression, concurrency, dryRun, cut$/,
    },
    {
      of: 'a dry run in the state machine',
      event: { plan: { ...range, dryRun: true }, execution: 'one' },
      step: true,
      message: /^event: dryRun: got true; accepted: to invoke the function backfill with it$/,
    },
    {
      of: 'a name that is a release’s',
      env: { STAR_CLOUD: 'test-may' },
      event: range,
      message: /^STAR_CLOUD: got "test-may", which is a release; accepted: a name that no release has$/,
    },
    {
      of: 'a release whose name is that of a scheduled trace',
      event: { ...range, release: 'gun' },
      message: /^event: release: got "gun", but cloud=test-gun is a scheduled trace; accepted: another name$/,
    },
  ];

  test.each(CASES)('$of', async ({ env = {}, event, step = false, message }) => {
    const before = await listKeys(stage.client);
    const asked = stage.s3.requests().length;
    const secrets = stage.secretsManager.names();
    const good = { ...stage.env };
    Object.assign(stage.env, env);
    const connect = vi.spyOn(Socket.prototype, 'connect');
    try {
      const run = step ? stage.step('plan', event) : stage.backfill(event);
      await expectRefused(run, { name: 'InputError', message, hidden: HIDDEN });
    } finally {
      Object.assign(stage.env, good);
    }
    const operations = stage.s3
      .requests()
      .slice(asked)
      .map(({ operation }) => operation);
    expect(
      operations.filter((operation) => !['GetObject', 'ListObjectsV2'].includes(operation ?? '')),
    ).toEqual([]);
    const { port } = new URL(stage.s3.endpoint);
    for (const call of connect.mock.calls)
      expect(JSON.stringify(call)).toMatch(new RegExp(`"port":"?${port}\\b`));
    expect(await listKeys(stage.client)).toEqual(before);
    expect(stage.secretsManager.names()).toEqual(secrets);
  });
});

test('the schedule refuses a name that is a release’s, and writes nothing', async () => {
  const stage = await startStage();
  try {
    await stage.setSecret(rds({}));
    const asked = { start: '2025-05-01T00:00:00Z', end: '2025-06-01T00:00:00Z' };
    const Body = JSON.stringify({
      traceVersion: 1,
      cloud: 'test',
      kind: 'release',
      windowMinutes: 1440,
      created: asked.end,
      range: asked,
      tables: ['instance_events'],
      formats: ['csv'],
      compression: 'gzip',
      source: 'database',
      maskingScope: 'one',
      settings: 'ff',
    });
    const Key = 'cloud=test/state/trace.json';
    await stage.client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
    await expectRefused(stage.invoke(GOOD_EVENT), {
      name: 'InputError',
      message: /^STAR_CLOUD: got "test", which is a release; accepted: a name that no release has$/,
      hidden: HIDDEN,
    });
    expect(await listKeys(stage.client)).toEqual([Key]);
  } finally {
    await stage.stop();
  }
});

describe('what only the database can refuse is said in one line, and leaves the last drop and the checkpoint as they are:', () => {
  let db: MariaDb;
  let cloud: Cloud;
  let reader: DatabaseUser;
  let hour: { event: object };
  let before: Map<string, string>;

  beforeAll(async () => {
    db = await startMariaDb({ args: ['--skip-ssl'] });
    cloud = await startCloud(db, { seed: 5, days: 1 });
    await cloud.stage.invoke((await cloud.nextHour()).event);
    hour = await cloud.nextHour();
    reader = await cloud.cells[0]!.reader();
    before = await contents();
  });
  afterAll(async () => {
    await cloud.stop();
    await db.stop();
  });

  /** What lies in the bucket, but for the claim that the next run takes over. */
  async function contents(): Promise<Map<string, string>> {
    const { client } = cloud.stage;
    const keys = (await listKeys(client)).filter((key) => !key.endsWith('/state/claim.json'));
    return new Map(
      await Promise.all(
        keys.map(async (key) => [key, (await readObject(client, key)).toString('base64')] as const),
      ),
    );
  }

  const CASES: { of: string; secret: () => Promise<string> | string; message: RegExp }[] = [
    {
      of: 'a wrong password',
      secret: () => at({ password: PASSWORD }),
      message: /^cell cell1: \S+: the server refuses the user \(ER_ACCESS_DENIED_ERROR\); check user and/,
    },
    {
      of: 'an unknown database',
      secret: () => at({ user: db.rootUser, password: db.rootPassword, database: 'novva' }),
      message: /^cell cell1: there is no database of that name/,
    },
    {
      of: 'a database that the user may not use',
      secret: () => at({ database: 'mysql' }),
      message: /^cell cell1: the user may not use that database/,
    },
    {
      of: 'a port where nothing listens',
      secret: async () => {
        const server = createServer().listen(0, '127.0.0.1');
        await once(server, 'listening');
        const { port } = server.address() as AddressInfo;
        server.close();
        await once(server, 'close');
        return at({ port });
      },
      message: /^cell cell1: localhost:\d+: nothing listens there \(ECONNREFUSED\); check host and port/,
    },
    {
      of: 'a server without TLS, which is required unless the secret says otherwise',
      secret: () => at({ options: '' }),
      message:
        /^cell cell1: \S+: the server offers no TLS \(HANDSHAKE_NO_SSL_SUPPORT\); set it up there; or ssl=off,/,
    },
    {
      of: 'a table that is not granted',
      secret: async () => {
        const tables = ['instances', 'instance_actions'];
        const grants = tables.map((table) => `SELECT ON \`${cloud.cells[0]!.database}\`.\`${table}\``);
        return at(await db.createUser(grants));
      },
      message: /^cell cell1: table instance_actions_events is missing or may not be read/,
    },
    {
      of: 'a database that is no cell of Nova',
      secret: async () => {
        const database = await db.database('glance');
        return at({ user: db.rootUser, password: db.rootPassword, database });
      },
      message: /^cell cell1: table instance_actions_events is missing.*is this a cell database/,
    },
  ];

  function at(changes: {
    user?: string;
    password?: string;
    port?: number;
    database?: string;
    options?: string;
  }): string {
    const { port } = db;
    const given = { ...reader, port, database: cloud.cells[0]!.database, options: '?ssl=off', ...changes };
    const url = `mysql://${given.user}:${given.password}@localhost:${given.port}/${given.database}${given.options}`;
    return JSON.stringify({ cells: { cell1: url, cell0: `${cloud.cells[1]!.dsn()}?ssl=off` } });
  }

  test.each(CASES)('$of', async ({ secret, message }) => {
    const text = await secret();
    const parts = [...text.matchAll(/mysql:\/\/([^:]+):([^@]+)@/g)].flatMap(
      ([, user = '', password = '']) => [user, password],
    );
    await cloud.stage.setSecret(text);
    const hidden = [...parts.filter((part) => part !== 'root'), 'SELECT', SECRET];
    await expectRefused(cloud.stage.invoke(hour.event), { name: 'SourceError', message, hidden });
    expect(await contents()).toEqual(before);
    expect(await watermark(cloud)).toBe('2025-06-01T01:00:00Z');
  });
});
