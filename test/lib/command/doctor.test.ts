import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Ran, runAtTerminal, runCommand } from '../../support/command.ts';
import { type DatabaseUser, type MariaDb, useMariaDb } from '../../support/mariadb/index.ts';
import { loadSample } from '../../support/nova/sample.ts';
import { type Cell, TABLES } from '../../support/nova/schema.ts';
import { type LocalOpenStack, startOpenStack } from '../../support/openstack/index.ts';
import { listKeys } from '../../support/drops.ts';
import { BUCKET, SECRET, type StageOptions, startStage } from '../../support/stage.ts';

let db: MariaDb;
let cells: Cell[];
let user: DatabaseUser;
let openstack: LocalOpenStack;
let folder: string;

beforeAll(async () => {
  db = await useMariaDb();
  const sample = await loadSample(db);
  cells = [sample.cell1, sample.cell0];
  user = await db.createUser(cells.map(({ database }) => `SELECT ON \`${database}\`.*`));
  openstack = await startOpenStack({ cells });
  folder = await mkdtemp(join(tmpdir(), 'star-compactor-doctor-'));
});
afterAll(async () => {
  await openstack.stop();
  await db.stop();
  await rm(folder, { recursive: true });
});

const secretOf = (of: DatabaseUser): string =>
  JSON.stringify({ cells: Object.fromEntries(cells.map((cell) => [cell.name, cell.dsn(of)])), ssl: 'off' });
const lastLine = ({ stdout }: Ran): string => stdout.toString('utf8').trimEnd().split('\n').at(-1) ?? '';
const write = async (name: string, text: string): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, text, { mode: 0o600 });
  return path;
};

describe('star-compactor doctor', () => {
  test('ends with 0 where all is fine, whatever holds the secret: a file, standard input or Secrets Manager', async () => {
    const secret = secretOf(user);
    const fromFile = await runCommand(['doctor', await write('secret.json', secret)]);
    expect({ status: fromFile.status, stderr: fromFile.stderr }).toEqual({ status: 0, stderr: '' });
    expect(lastLine(fromFile)).toMatch(/^✓ \d+ checks: .* A trace can be made\.$/);
    expect(fromFile.stdout.toString('utf8')).not.toContain(user.password);
    const fromInput = await runCommand(['doctor', '-'], { input: secret });
    expect({ status: fromInput.status, line: lastLine(fromInput) }).toEqual({
      status: 0,
      line: lastLine(fromFile),
    });

    const stage = await startStage();
    await stage.setSecret(secret);
    const fromAws = await runCommand(['doctor', '--secret-id', SECRET], { env: stage.env });
    await stage.stop();
    expect({ status: fromAws.status, line: lastLine(fromAws) }).toEqual({
      status: 0,
      line: lastLine(fromFile),
    });
  });

  test('ends with 3 where a trace would lack something, and with 1 where none can be made', async () => {
    const [cell1] = cells;
    const lacking = await runCommand(
      ['doctor', '--host', db.host, '--port', String(db.port), '-u', user.user, '-d', cell1?.database ?? ''],
      {
        env: { MYSQL_PWD: user.password },
      },
    );
    expect(lacking.status).toBe(3);
    expect(lacking.stdout.toString('utf8')).toMatch(/^! cell0 .*none of the cells is cell0$/m);

    const tables = TABLES.flatMap((table) => [table, `shadow_${table}`]).filter(
      (table) => table !== 'instance_actions',
    );
    const poor = await db.createUser(
      cells.flatMap(({ database }) => tables.map((table) => `SELECT ON \`${database}\`.${table}`)),
    );
    const fatal = await runCommand(['doctor', await write('poor.json', secretOf(poor))]);
    expect(fatal.status).toBe(1);
    expect(fatal.stdout.toString('utf8')).toMatch(
      /^✗ cell1 +table instance_actions .*\n {4}cost: .*\n {4}remedy: grant SELECT/m,
    );
  });

  test('examines the API of a fake, by the environment or by an openrc that asks for its password', async () => {
    const env: Record<string, string> = JSON.parse(openstack.secret('json'));
    const byEnvironment = await runCommand(['doctor'], { env });
    expect(byEnvironment.status).not.toBe(2);
    expect(byEnvironment.stdout.toString('utf8')).toMatch(/^✓ token /m);
    const asking = openstack
      .secret('openrc')
      .replace(/export OS_PASSWORD=.*\n/, 'read -sr X\nexport OS_PASSWORD=$X\n');
    const byFile = await runCommand(['doctor', await write('asking.rc', asking)], {
      env: { OS_PASSWORD: env['OS_PASSWORD'] ?? '' },
    });
    expect({ status: byFile.status, line: lastLine(byFile) }).toEqual({
      status: byEnvironment.status,
      line: lastLine(byEnvironment),
    });
    const member = await runCommand([
      'doctor',
      await write('member.rc', openstack.secret('openrc', openstack.member)),
    ]);
    expect(member.status).toBe(1);
  });

  test('reads an openrc and a DSN from standard input', async () => {
    const openrc = await runCommand(['doctor', '-'], { input: openstack.secret('openrc') });
    expect(openrc.stderr).toBe('');
    expect(openrc.stdout.toString('utf8')).toMatch(/^✓ token /m);
    const dsn = await runCommand(['doctor', '-'], { input: cells[0]!.dsn(user) });
    expect(dsn.stderr).toBe('');
    expect(dsn.stdout.toString('utf8')).toMatch(/^✓ /m);
  });

  test('needs no TLS to a server on this machine, said by a DSN or by options', async () => {
    const dsn = cells[0]!.dsn(user);
    expect(new URL(dsn)).toMatchObject({ hostname: '127.0.0.1', search: '' });
    const { status, stderr } = await runCommand(['doctor', await write('local.dsn', dsn)]);
    expect({ stderr, status }).toEqual({ stderr: '', status: expect.toBeOneOf([0, 3]) });
  });

  test('tells what to do where AWS is not set up', async () => {
    const nowhere = { AWS_EC2_METADATA_DISABLED: 'true' };
    const region = await runCommand(['doctor', '--secret-id', 'nova'], { env: nowhere });
    expect(region).toMatchObject({
      status: 2,
      stderr: 'star-compactor: --secret-id: no AWS region is set; set AWS_REGION to that of the secret\n',
    });
    const credentials = await runCommand(['doctor', '--secret-id', 'nova'], {
      env: { ...nowhere, AWS_REGION: 'eu-central-1' },
    });
    expect(credentials).toMatchObject({
      status: 2,
      stderr: 'star-compactor: --secret-id: there are no AWS credentials here; set AWS_PROFILE, or log in\n',
    });
  });

  test('shows colours at a terminal only', async () => {
    const path = await write('secret.json', secretOf(user));
    expect((await runAtTerminal(['doctor', path])).stdout.toString('utf8')).toContain('\u001b[32m✓');
    expect((await runCommand(['doctor', path])).stdout.toString('utf8')).not.toContain('\u001b');
  });

  test('ends with 2 where it cannot be said what to examine, and tells nothing of a secret', async () => {
    const hidden = randomBytes(12).toString('hex');
    const refused: [string[], RegExp][] = [
      [[], /OS_AUTH_URL: got nothing; accepted: .*, or a file: star-compactor doctor admin\.rc\n$/],
      [['/nonexistent'], /secret: \/nonexistent could not be read \(ENOENT\)/],
      [['x', '--host', 'y'], /secret: given in several ways/],
      [
        [`mysql://u:${hidden}@db.example/nova`],
        /^star-compactor: DSN: got a DSN with a password, which everybody on this machine can read; .*\n$/,
      ],
      [
        [`mysql+pymysql://u:${hidden}/#@db.example/nova`],
        /DSN: got a DSN with a password, which everybody on this machine can read/,
      ],
      [['mysql://u@/nova'], /DSN: /],
      [[await write('wrong', `${hidden}\n`)], /wrong: neither a DSN nor JSON/],
    ];
    for (const [args, message] of refused) {
      const { status, stdout, stderr } = await runCommand(['doctor', ...args]);
      expect({ status, stdout: stdout.length }).toEqual({ status: 2, stdout: 0 });
      expect(stderr).toMatch(message);
      expect(stderr).not.toContain(hidden);
    }
  });
});

describe('doctor --to', () => {
  const probeOf = async (options: StageOptions): Promise<{ status: number; stdout: string }> => {
    const stage = await startStage(options);
    try {
      const { AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '' } = stage.env;
      const env = { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY };
      const args = ['doctor', '--to', `s3://${BUCKET}/some`, '--endpoint', stage.s3.endpoint];
      const { status, stdout } = await runCommand(args, { env });
      expect(await listKeys(stage.client)).toEqual([]);
      return { status, stdout: stdout.toString() };
    } finally {
      await stage.stop();
    }
  };

  test('finds that a bucket compares and swaps, and its clock is right', async () => {
    const { status, stdout } = await probeOf({});
    expect(status).toBe(0);
    expect(stdout).toMatch(/^✓ store +s3:\/\/traces compares and swaps$/m);
    expect(stdout).toMatch(/^✓ clock of the store +agrees with this machine to five minutes$/m);
  });

  test('finds that a bucket ignores conditions', async () => {
    const { status, stdout } = await probeOf({ ignored: ['If-Match on PutObject'] });
    expect(status).toBe(1);
    expect(stdout).toMatch(/^✗ store +s3:\/\/traces ignores If-Match on PutObject$/m);
    expect(stdout).toContain('two runs could publish the same window');
  });

  test('finds that a folder can be locked, and one that is not there', async () => {
    const place = await mkdtemp(join(tmpdir(), 'star-compactor-doctor-'));
    try {
      expect(await runCommand(['doctor', '--to', place])).toMatchObject({ status: 0 });
      expect(await readdir(place)).toEqual(['.star-compactor']);
      const missing = await runCommand(['doctor', '--to', join(place, 'none')]);
      expect([missing.status, missing.stderr]).toEqual([
        2,
        `star-compactor: --to: ${place}/none cannot be used as a folder (ENOENT); accepted: a folder that can be ` +
          'written to, or s3://BUCKET/PREFIX\n',
      ]);
    } finally {
      await rm(place, { recursive: true });
    }
  });
});
