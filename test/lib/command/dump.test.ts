import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { parse } from 'csv-parse/sync';
import { parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type CommandOptions, type Ran, runAtTerminal, runCommand } from '../../support/command.ts';
import { readDrops } from '../../support/drops.ts';
import { type DatabaseUser, type MariaDb, useMariaDb } from '../../support/mariadb/index.ts';
import { fillHistory } from '../../support/nova/bulk-history.ts';
import { loadSample, shiftByYear } from '../../support/nova/sample.ts';
import { type Cell, createCell } from '../../support/nova/schema.ts';
import { finishedEvents } from '../../support/nova/truth.ts';
import { type LocalOpenStack, startOpenStack } from '../../support/openstack/index.ts';
import { startStage } from '../../support/stage.ts';

/** The sample's day, a quarter of an hour of which is full. */
const RANGE = { start: '2025-11-23T07:24:00Z', end: '2025-11-23T07:30:00Z' };
const MINUTES = ['--start', RANGE.start, '--end', RANGE.end];

let db: MariaDb;
let cells: Cell[];
let user: DatabaseUser;
let openstack: LocalOpenStack;
let folder: string;
let salt: Buffer;
let place: string[];
let nth = 0;

beforeAll(async () => {
  db = await useMariaDb();
  const sample = await loadSample(db);
  cells = [sample.cell1, sample.cell0];
  for (const cell of cells) await shiftByYear(cell);
  user = await db.createUser(cells.map(({ database }) => `SELECT ON \`${database}\`.*`));
  openstack = await startOpenStack({ cells });
  folder = await mkdtemp(join(tmpdir(), 'star-compactor-command-'));
  salt = randomBytes(32);
  await writeFile(join(folder, 'salt'), salt);
  await writeFile(join(folder, 'password'), `${user.password}\n`);
  const databases = cells.flatMap(({ database }) => ['--database', database]);
  place = ['--host', db.host, '--port', String(db.port), '--user', user.user, ...databases];
});
afterAll(async () => {
  await openstack.stop();
  await db.stop();
  await rm(folder, { recursive: true });
});

let target: string;
beforeEach(() => {
  target = join(folder, `dump-${++nth}.csv`);
});

const withPassword = (): string[] => [...place, '--password-file', join(folder, 'password')];
const withSalt = (): string[] => ['--salt-file', join(folder, 'salt')];
const dbDump = (args: readonly string[], options?: CommandOptions): Promise<Ran> =>
  runCommand(['db-dump', ...withPassword(), ...args], options);
const apiDump = (args: readonly string[], options?: CommandOptions): Promise<Ran> =>
  runCommand(['api-dump', ...args], { env: openStackEnvironment(), ...options });

function openStackEnvironment(): Record<string, string> {
  const variables: Record<string, string> = JSON.parse(openstack.secret('json'));
  return variables;
}

const rowsOf = (text: Buffer | string): Record<string, string>[] => parse(text, { columns: true });
const sorted = (rows: readonly object[]): string[] => rows.map((row) => JSON.stringify(row)).toSorted();
const leftBehind = async (): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.includes(`dump-${nth}.`));

describe('A dump', () => {
  test('has the rows that the drops of the same range have, from databases and over a fake of the API', async () => {
    const dropped = await dropsOfRange();
    expect(dropped.length).toBeGreaterThan(300);
    const ran = await dbDump([...MINUTES, ...withSalt(), target]);
    expect(ran).toMatchObject({ status: 0, stdout: Buffer.alloc(0) });
    const rows = rowsOf(await readFile(target));
    expect(sorted(rows)).toEqual(sorted(dropped));
    const starts = rows.map((row) => String(row['START_TIME']));
    expect(starts).toEqual(starts.toSorted());

    const overApi = await apiDump([...MINUTES, ...withSalt(), `${target}.gz`]);
    expect(overApi.status).toBe(0);
    expect(sorted(rowsOf(gunzipSync(await readFile(`${target}.gz`))))).toEqual(sorted(dropped));
  });

  test('is not written where an event’s name gives a server away, and standard output is called unfit', async () => {
    const [cell] = cells as [Cell, Cell];
    const [row] = await cell.query(
      `SELECT e.id, e.event, i.hostname FROM instance_actions_events e JOIN instance_actions a ON a.id = e.action_id
         JOIN instances i ON i.uuid = a.instance_uuid
         WHERE e.finish_time >= '2025-11-23 07:24:00' AND e.finish_time < '2025-11-23 07:30:00' LIMIT 1`,
    );
    const rename = (name: unknown): Promise<unknown> =>
      cell.query('UPDATE instance_actions_events SET event = ? WHERE id = ?', [name, row?.['id']]);
    await rename(`renamed to ${String(row?.['hostname'])}`);
    try {
      for (const path of [target, '-']) {
        const { status, stderr } = await dbDump([...MINUTES, path]);
        expect(status).toBe(1);
        expect(stderr).toContain('raw identifier(s) in unmasked text (EVENT of instance_events, START_TIME ');
        expect(stderr).toContain('--exclude-user or --exclude-project');
        expect(stderr).toContain(path === '-' ? 'do not pass it on' : 'the file is not written');
      }
      expect(await leftBehind()).toEqual([]);
    } finally {
      await rename(row?.['event']);
    }
  });

  /** Window by window, by a backfill, with the salt as the operator's masking secret. */
  async function dropsOfRange(): Promise<Record<string, unknown>[]> {
    const stage = await startStage({
      env: { STAR_WINDOW_MINUTES: '1', STAR_SETTLE_MINUTES: '1', STAR_MASKING_SECRET: 'masks' },
    });
    try {
      const { region, accessKeyId, secretAccessKey } = stage.s3;
      const secrets = new SecretsManagerClient({
        region,
        endpoint: stage.secretsManager.endpoint,
        credentials: { accessKeyId, secretAccessKey },
      });
      await secrets.send(new CreateSecretCommand({ Name: 'masks', SecretBinary: salt }));
      secrets.destroy();
      const dsns = cells.map((cell) => [cell.name, cell.dsn()]);
      await stage.setSecret(JSON.stringify({ cells: Object.fromEntries(dsns), ssl: 'off' }));
      expect(await stage.backfill(RANGE)).toMatchObject({ status: 'published' });
      const drops = await readDrops(stage.client);
      expect(drops).toHaveLength(6);
      return drops.flatMap(({ rows }) => rows['csv'] ?? []);
    } finally {
      await stage.stop();
    }
  }

  test('has everything without start and end, archived rows as well, and each value as the scheme says', async () => {
    const hashed = (value: unknown): string => {
      if (value === null || value === '') return '';
      return createHash('sha256').update(salt).update(text(value), 'utf8').digest('hex').slice(0, 32);
    };
    const epoch = Date.parse('2015-09-06T23:31:16Z') / 1000;
    const seconds = (time: unknown): number => Date.parse(`${String(time).replace(' ', 'T')}Z`) / 1000;
    const text = (value: unknown): string => (value === null ? '' : `${value as string | number}`);
    await archive(cells[0]!);
    const expected = (await finishedEvents(cells, Date.now() / 1000)).map((row) => {
      const [start, finish] = [seconds(row['start_time']), seconds(row['finish_time'])];
      const own = row['host'] || row['instance_host'];
      const servers = row['instance_host'] || row['host'];
      return {
        INSTANCE_UUID: hashed(row['uuid']),
        EVENT: text(row['event']),
        START_TIME: text(row['start_time']).replace(' ', 'T'),
        START_SEC: String(start - epoch),
        FINISH_TIME: text(row['finish_time']).replace(' ', 'T'),
        FINISH_SEC: String(finish - epoch),
        EVENT_DURATION: String(finish - start),
        RESULT: text(row['result']),
        MEMORY_MB: text(row['memory_mb']),
        DISK_GB: text(row['root_gb']),
        VCPUS: text(row['vcpus']),
        INSTANCE_NAME: hashed(row['hostname']),
        USER_ID: hashed(row['user_id']),
        PROJECT_ID: hashed(row['project_id']),
        'HOST_NAME (PHYSICAL)': hashed(String(row['event']).startsWith('compute_') ? own : servers),
      };
    });
    expect(expected.length).toBeGreaterThan(1500);
    expect(
      (await dbDump([...withSalt(), '--masking', 'sha2-salted', '--format-version', '0.2', target])).status,
    ).toBe(0);
    expect(sorted(rowsOf(await readFile(target)))).toEqual(sorted(expected));
  });

  async function archive(cell: Cell): Promise<void> {
    const gone = "IN (SELECT uuid FROM instances WHERE deleted_at < '2025-11-23 07:27:00')";
    const moves = [
      [
        'instance_actions_events',
        `action_id IN (SELECT id FROM instance_actions WHERE instance_uuid ${gone})`,
      ],
      ['instance_actions', `instance_uuid ${gone}`],
      ['instances', "deleted_at < '2025-11-23 07:27:00'"],
    ];
    for (const [table, where] of moves) {
      await cell.query(
        `SET foreign_key_checks = 0; INSERT INTO shadow_${table} SELECT * FROM ${table} WHERE ${where};
         DELETE FROM ${table} WHERE ${where}`,
      );
    }
    const [moved] = await cell.query('SELECT COUNT(*) AS events FROM shadow_instance_actions_events');
    expect(Number(moved?.['events'])).toBeGreaterThan(20);
  }

  test('has the same rows in every format and compression', async () => {
    const common = [...MINUTES, ...withSalt()];
    const base = join(folder, `dump-${nth}.formats`);
    for (const args of [
      [`${base}.csv`],
      [`${base}.csv.zst`],
      ['--format-version', '0.3', `${base}.03.csv`],
      ['--jsons', `${base}.jsonl.gz`],
      ['--parquet', `${base}.parquet`],
    ]) {
      expect(await dbDump([...common, ...args])).toMatchObject({ status: 0 });
    }
    const csv = rowsOf(await readFile(`${base}.csv`));
    expect(rowsOf(zstdDecompressSync(await readFile(`${base}.csv.zst`)))).toEqual(csv);
    const key = (uuid: unknown, event: unknown, startSec: unknown): string =>
      [uuid, event, startSec].map(String).join(' ');
    const keys = csv.map((row) => key(row['INSTANCE_UUID'], row['EVENT'], row['START_SEC']));
    const v03 = rowsOf(await readFile(`${base}.03.csv`));
    expect(v03.map((row) => key(row['INSTANCE_UUID'], row['EVENT'], row['START_SEC']))).toEqual(keys);
    expect(v03.map((row) => JSON.parse(row['PROPERTIES'] ?? '') as object)).toEqual(
      csv.map((row) => ({
        memory_mb: Number(row['MEMORY_MB']),
        root_gb: Number(row['DISK_GB']),
        vcpus: Number(row['VCPUS']),
      })),
    );
    const lines = gunzipSync(await readFile(`${base}.jsonl.gz`))
      .toString('utf8')
      .trimEnd()
      .split('\n');
    const objects = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(objects.map((row) => key(row['uuid'], row['event'], row['startSec']))).toEqual(keys);
    const file = new Uint8Array(await readFile(`${base}.parquet`)).buffer;
    const records = await parquetReadObjects({
      file,
      compressors: { ZSTD: (page) => zstdDecompressSync(page) },
    });
    expect(records.map((row) => key(row['instance_uuid'], row['event'], row['start_sec']))).toEqual(keys);
  });

  test('goes to standard output as data and nothing else, and tells about itself on standard error', async () => {
    const { status, stdout, stderr } = await dbDump([...MINUTES, '-']);
    expect(status).toBe(0);
    const rows = rowsOf(stdout);
    expect(rows.length).toBeGreaterThan(300);
    expect(stderr).toMatch(
      new RegExp(
        `^standard output: ${rows.length} rows of \\d+ instances, ${RANGE.start}/${RANGE.end}, [\\d,]+ bytes, \\d+ s\\n$`,
      ),
    );
  });

  test('goes into a device or a pipe without replacing it', async () => {
    expect((await dbDump([...MINUTES, '/dev/null'])).status).toBe(0);
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true);
    execFileSync('mkfifo', [target]);
    const [ran, text] = await Promise.all([dbDump([...MINUTES, target]), readFile(target)]);
    expect({ status: ran.status, rows: rowsOf(text).length > 300 }).toEqual({ status: 0, rows: true });
    expect((await stat(target)).isFIFO()).toBe(true);
  });

  test('ends without a word where nobody reads it any more', async () => {
    const { status, stderr } = await dbDump(['-'], {
      meanwhile: (child) => child.stdout?.once('data', () => child.stdout?.destroy()),
    });
    expect({ status, stderr }).toEqual({ status: 141, stderr: '' });
  });
});

describe('Where the databases are', () => {
  test('is read from an option file, as the mysql client reads it, with the password', async () => {
    const options = join(folder, 'my.cnf');
    const text = [
      '[client]',
      `host=${db.host}`,
      `port=${db.port}`,
      `user=${user.user}`,
      `password="${user.password}"`,
      `[mysql]\ndatabase=${cells[0]?.database}`,
    ];
    await writeFile(options, text.join('\n'), { mode: 0o600 });
    expect((await runCommand(['db-dump', '--defaults-file', options, target])).status).toBe(0);
    await writeFile(join(folder, '.my.cnf'), text.join('\n'), { mode: 0o600 });
    const again = await runCommand(['db-dump', '-'], { env: { HOME: folder } });
    expect(rowsOf(again.stdout).length).toBe(rowsOf(await readFile(target)).length);
  });

  test('is taken from a secret’s file, in any form that the function accepts', async () => {
    const secret = join(folder, 'secret.json');
    const dsns = cells.map((cell) => [cell.name, cell.dsn(user)]);
    await writeFile(secret, JSON.stringify({ cells: Object.fromEntries(dsns), ssl: 'off' }));
    const { status, stdout } = await runCommand(['db-dump', '--secret', secret, ...MINUTES, '-']);
    expect({ status, rows: rowsOf(stdout).length > 300 }).toEqual({ status: 0, rows: true });
  });

  test('may want a password, which is asked for at the terminal and not shown', async () => {
    const { status, stdout } = await runAtTerminal(['db-dump', ...place, '-p', ...MINUTES, target], {
      meanwhile: typeAtPrompt('Password of', `${user.password}\r`),
    });
    expect({ status, text: stdout.toString('utf8') }).toEqual({
      status: 0,
      text: expect.not.stringContaining(user.password) as string,
    });
    expect(rowsOf(await readFile(target)).length).toBeGreaterThan(300);
  });
});

test('Ctrl-C at a prompt ends the command, before anything is opened', async () => {
  const { status, stdout } = await runAtTerminal(['db-dump', ...place, '-p', target], {
    meanwhile: typeAtPrompt('Password of', '\x03'),
  });
  expect({ status, left: await leftBehind() }).toEqual({ status: 130, left: [] });
  expect(stdout.toString('utf8')).toContain('stopped by SIGINT');
});

/** Types once, as soon as a prompt shows. */
function typeAtPrompt(prompt: string, keys: string): NonNullable<CommandOptions['meanwhile']> {
  return (child) => {
    let shown = '';
    const onData = (chunk: Buffer): void => {
      shown += chunk.toString('utf8');
      if (!shown.includes(prompt)) return;
      child.stdout?.off('data', onData);
      child.stdin?.write(keys);
    };
    child.stdout?.on('data', onData);
  };
}

describe('OpenStack’s credentials', () => {
  test('are read from an openrc file, and the password that it asks for is asked for', async () => {
    const openrc = openstack.secret('openrc');
    const { OS_PASSWORD = '' } = openStackEnvironment();
    const asking = openrc.replace(
      /export OS_PASSWORD=.*\n/,
      'read -sr OS_PASSWORD_INPUT\nexport OS_PASSWORD=$OS_PASSWORD_INPUT\n',
    );
    await writeFile(join(folder, 'whole.rc'), openrc);
    await writeFile(join(folder, 'asking.rc'), asking);
    const run = (file: string, env = {}): Promise<Ran> =>
      runCommand(['api-dump', '--osrc', join(folder, file), ...MINUTES, '-'], { env });
    const whole = await run('whole.rc');
    expect(whole.status).toBe(0);
    const rows = rowsOf(whole.stdout).length;
    expect(rows).toBeGreaterThan(200);
    expect(await run('asking.rc')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(
        /^star-compactor: password: there is no terminal to ask at; accepted: /,
      ) as string,
    });
    expect(rowsOf((await run('asking.rc', { OS_PASSWORD })).stdout)).toHaveLength(rows);
    const typed = await runAtTerminal(['api-dump', '--osrc', join(folder, 'asking.rc'), ...MINUTES, target], {
      meanwhile: typeAtPrompt('asks for', `${OS_PASSWORD}\r`),
    });
    expect(typed.status).toBe(0);
    expect(rowsOf(await readFile(target))).toHaveLength(rows);
  });
});

describe('What cannot be used', () => {
  const refused: [string, string[], RegExp][] = [
    ['a start that is no time', ['--start', 'yesterday'], /--start: got "yesterday"; accepted: an ISO 8601/],
    [
      'an end behind the settled edge',
      ['--end', '2999-01-01'],
      /--end: got "2999-01-01"; accepted: up to 2\d{3}-/,
    ],
    [
      'a start behind the end',
      ['--start', '2025-02-01', '--end', '2025-01-01'],
      /--start: got "2025-02-01"; accepted: a time before/,
    ],
    [
      'a version that is not known',
      ['--format-version', '0.4'],
      /--format-version: got "0.4"; accepted: 0.2, 0.3/,
    ],
    [
      'a version that the format has not',
      ['--jsons', '--format-version', '0.3'],
      /--format-version: .* accepted: 0.2 for jsonl|contradict/,
    ],
    [
      'a method that is not known',
      ['--masking', 'rot13'],
      /--masking: got "rot13"; accepted: sha2-salted, sha1-raw, none/,
    ],
    [
      'a salt that nothing uses',
      ['--masking', 'none', '--salt-file', '/dev/null'],
      /--salt-file: --masking none uses none/,
    ],
    [
      'a salt that is not there',
      ['--salt-file', '/nonexistent/salt'],
      /--salt-file: \/nonexistent\/salt could not be read \(ENOENT\)/,
    ],
    ['an empty salt', ['--salt-file', '/dev/null'], /--salt-file: \/dev\/null is empty/],
    [
      'a salt that can be guessed',
      ['--salt-file', '/proc/sys/kernel/ostype'],
      /holds 6 bytes; anyone who guesses them .*--allow-short-salt/,
    ],
    ['an empty database', ['-d', ''], /--database: got ""; accepted: a value that is not empty/],
    ['an empty host', ['--host', ''], /--host: got ""; accepted: a value that is not empty/],
    ['an empty user to leave out', ['--exclude-user', ''], /--exclude-user: got ""; accepted: a value/],
    ['a database twice', ['--database', 'nova', '--database', 'nova'], /--database: got "nova" twice/],
    ['a port that is none', ['--port', '70000'], /--port: got "70000"; accepted: 1 to 65535/],
    ['an option that is not known', ['--strt', 'x'], /unknown option '--strt'/],
  ];
  test.each(refused)('%s is refused before anything is opened', async (_, args, message) => {
    const { status, stderr, stdout } = await runCommand(['db-dump', ...args, target]);
    expect({ status, stdout: stdout.length, left: await leftBehind() }).toEqual({
      status: 2,
      stdout: 0,
      left: [],
    });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test('a place where nothing can be written is refused, and names that contradict the format', async () => {
    for (const [path, message] of [
      ['/nonexistent/dump.csv', /could not be written \(ENOENT\)/],
      [folder, /is a folder/],
      [`${target}.parquet.gz`, /Parquet is compressed inside/],
    ] as const) {
      const { status, stderr } = await dbDump([path]);
      expect(status).toBe(2);
      expect(stderr).toMatch(message);
    }
    const { status, stderr } = await dbDump(['--jsons', `${target}.parquet`]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/contradict/);
  });

  test('a password among the arguments is refused with what to use, and not repeated', async () => {
    for (const argument of ['-pof-nobody', '--password=of-nobody', '-p of-nobody']) {
      const { status, stderr } = await runCommand(['db-dump', argument, target]);
      expect(status).toBe(2);
      expect(stderr).toMatch(
        /^star-compactor: -p: takes no password, .*; accepted: -p alone, which asks for it, --password-file FILE, or MYSQL_PWD\n$/,
      );
      expect(stderr).not.toContain('of-nobody');
    }
  });

  test('a file that is there already is left alone with --no-clobber', async () => {
    await writeFile(target, 'before');
    const again = await dbDump(['--no-clobber', ...MINUTES, target]);
    expect(again).toMatchObject({ status: 2, stderr: expect.stringContaining('exists already') as string });
    expect(await readFile(target, 'utf8')).toBe('before');
    expect((await dbDump(['--no-clobber', ...MINUTES, `${target}.gz`])).status).toBe(0);
  });

  test('a wrong password and a missing database fail in one line, without the password', async () => {
    const wrong = randomBytes(12).toString('hex');
    const denied = await runCommand(['db-dump', ...place, target], { env: { MYSQL_PWD: wrong } });
    expect(denied).toMatchObject({ status: 1 });
    expect(denied.stderr).toMatch(
      /^star-compactor: cell \S+: \S+: the server refuses the user \(ER_ACCESS_DENIED_ERROR\); check user and .*\n$/,
    );
    expect(denied.stderr).not.toContain(wrong);
    const debug = await runCommand(['db-dump', '--debug', ...place, target], { env: { MYSQL_PWD: wrong } });
    expect(debug.stderr).toMatch(/^\s+at /m);
    expect(debug.stderr).not.toContain(wrong);
    expect(await leftBehind()).toEqual([]);
  });
});

describe('A dump of a million rows’ kind', () => {
  let large: string[];
  beforeAll(async () => {
    const cell = await createCell(db, 'large');
    await fillHistory(cell, { events: 80_000, start: Date.parse('2025-01-01T00:00:00Z') / 1000, days: 100 });
    const { password, user: name } = await cell.reader();
    await writeFile(join(folder, 'large-password'), password);
    large = [
      'db-dump',
      '--host',
      db.host,
      '--port',
      String(db.port),
      '--user',
      name,
      '--database',
      cell.database,
    ];
    large.push('--password-file', join(folder, 'large-password'));
  });

  test('shows a bar with rows, rate and time left at a terminal, and a clean line at the end', async () => {
    const { status, stdout } = await runAtTerminal([...large, target]);
    expect(status).toBe(0);
    const shown = stdout.toString('utf8');
    expect(shown).toMatch(/█+░* +\d+ % [\d,]+ rows {2}[\d,]+ rows\/s {2}about \d+ s left/);
    const shares = [...shown.matchAll(/(\d+) % [\d,]+ rows/g)].map(([, share]) => Number(share));
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(new Set(shares).size).toBeGreaterThan(2);
    expect(
      shown
        .trimEnd()
        .split(/\r?\n|\r/)
        .at(-1),
    ).toMatch(/rows of [\d,]+ instances/);
  });

  test('loses nothing on standard output, however slowly it is read', async () => {
    const count = (text: Buffer): number => text.toString('latin1').split('\n').length;
    expect((await runCommand([...large, target])).status).toBe(0);
    const { status, stdout } = await runCommand([...large, '-'], {
      meanwhile: (child) => {
        const pauses = setInterval(() => {
          child.stdout?.pause();
          setTimeout(() => child.stdout?.resume(), 60);
        }, 80);
        child.on('close', () => clearInterval(pauses));
      },
    });
    expect({ status, lines: count(stdout) }).toEqual({ status: 0, lines: count(await readFile(target)) });
  });

  test('leaves nothing behind when Ctrl-C is pressed, and keeps what bore the name before', async () => {
    await writeFile(target, 'before');
    const { status, stdout } = await runAtTerminal([...large, target], {
      meanwhile: typeAtPrompt(' rows/s  about', '\x03'),
    });
    expect(status).toBe(130);
    expect(stdout.toString('utf8')).toContain('stopped by SIGINT; nothing was left behind');
    expect(await leftBehind()).toEqual([`dump-${nth}.csv`]);
    expect(await readFile(target, 'utf8')).toBe('before');
  });

  test('leaves nothing behind when it is terminated, or its connection is killed', async () => {
    const terminated = await runCommand([...large, target], {
      meanwhile: (child) => whenWriting(() => child.kill('SIGTERM')),
    });
    expect(terminated.status).toBe(143);
    expect(await leftBehind()).toEqual([]);
    const killed = await runCommand([...large, target], { meanwhile: () => whenWriting(killConnections) });
    expect(killed.status).toBe(1);
    expect(killed.stderr).toMatch(
      /^--database: none of the cells is cell0.*\nstar-compactor: cell \S+: .*\n$/,
    );
    expect(await leftBehind()).toEqual([]);
  });

  /** Waits until the part of a dump has grown. */
  function whenWriting(then: () => unknown): void {
    void (async () => {
      const part = async (): Promise<string> =>
        (await leftBehind()).find((name) => name.endsWith('.part')) ?? '';
      for (;;) {
        const name = await part();
        const bytes = name === '' ? 0 : (await readFile(join(folder, name)).catch(() => '')).length;
        if (bytes > 100_000) break;
        await sleep(5);
      }
      await then();
    })();
  }

  async function killConnections(): Promise<void> {
    const name = large[large.indexOf('--user') + 1];
    const found = await db.query('SELECT id FROM information_schema.processlist WHERE user = ?', [name]);
    for (const { id } of found) await db.query(`KILL ${String(id)}`);
  }
});
