import { Command } from 'commander';
import { TOOL } from '../drop/manifest.ts';
import { MASKING_METHODS, TRACE_VERSIONS } from '../config/choices.ts';
import { InputError } from '../core/errors.ts';
import { DEFAULT_EPOCH } from '../core/time.ts';
import { instanceEvents } from '../tables/instance-events/table.ts';
import { TABLES } from '../tables/registry.ts';
import type { DatabaseOptions } from './database-connection.ts';
import type { DoctorArguments } from './doctor.ts';
import type { DumpArguments } from './dump-options.ts';
import type { OpenStackOptions } from './openstack-connection.ts';
import { addPublishing, withPlace } from './publish-program.ts';
import type { CloudOptions } from './publishing.ts';
import type { GivenOptions } from './settings.ts';

/** The code of each command; the program itself only parses arguments. */
export interface Commands {
  dumpDatabase(path: string, options: DumpArguments, connection: DatabaseOptions): Promise<void>;
  dumpApi(path: string, options: DumpArguments, connection: OpenStackOptions): Promise<void>;
  doctor(secret: string | undefined, options: DoctorArguments, connection: DatabaseOptions): Promise<void>;
  publish(options: GivenOptions, cloud: CloudOptions): Promise<void>;
  backfill(options: GivenOptions, cloud: CloudOptions): Promise<void>;
  verify(options: GivenOptions): Promise<void>;
}

const several = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

/** The command line, with the original tool's commands and options. */
export function makeProgram(commands: Commands): Command {
  const program = new Command('star-compactor')
    .description(
      'Writes what an OpenStack cloud did as a workload trace: one masked row for every finished Nova event.',
    )
    .version(TOOL.version)
    .configureHelp({ helpWidth: 100 })
    .showHelpAfterError('(--help tells more)')
    .exitOverride()
    .hook('preAction', (_, action) => refuseEmpty(action.opts()))
    .addHelpText(
      'after',
      `
Examples:
  star-compactor db-dump dump.csv                   from the database that the mysql client would find
  star-compactor db-dump --host 127.0.0.1 --database nova --database nova_cell0 --start 2017-08-01 dump.csv.gz
  star-compactor api-dump --osrc admin.rc --jsons dump.jsonl.gz
  star-compactor doctor admin.rc
  star-compactor publish --to ./traces --cloud prod --osrc admin.rc    every day, by cron or a timer
  star-compactor verify --to ./traces

Exit status: 0 done; 1 the cloud could not be read or the file not be written; 2 bad input, nothing was opened;
128 and its number after a signal.`,
    );

  const database = withHelp(withDump(withDatabase(program.command('db-dump'))));
  database
    .summary('dump a trace from Nova’s databases')
    .description(
      'Dumps a trace from Nova’s cell databases: what finished in a range of time, in order of start. Server, user and ' +
        'password are found as the mysql client finds them: options, then [client] in ~/.my.cnf and /etc/mysql/my.cnf, ' +
        'then MYSQL_HOST, MYSQL_TCP_PORT, MYSQL_UNIX_PORT and MYSQL_PWD.',
    )
    .action((path: string, options: DumpArguments & DatabaseOptions) =>
      commands.dumpDatabase(path, options, pick(options, DATABASE_OPTIONS)),
    );

  const api = program.command('api-dump');
  withOpenStack(api)
    .summary('dump a trace over Nova’s HTTP API')
    .description(
      'Dumps a trace over Nova’s HTTP API, as an administrator: what finished in a range of time, in order of start. ' +
        'Credentials are taken from --osrc, or from OS_ variables in the environment.',
    )
    .option('--concurrency <n>', 'most requests at once', '8')
    .option('--allow-partial', 'go on if a cell does not answer')
    .action((path: string, options: DumpArguments & OpenStackOptions) =>
      commands.dumpApi(path, options, pick(options, ['osrc', 'osCloud'])),
    );
  withHelp(withDump(api));

  const doctor = withPlace(
    withDatabase(program.command('doctor')),
    'Where drops are to go, to test the store:',
  );
  doctor
    .summary('report what works and what a trace would lack')
    .description(
      'Checks the connection to a cloud step by step and reports what each problem would cost the trace. It reads a ' +
        'little of everything that is needed and changes nothing. Without a secret it checks databases, if an option says where ' +
        'they are, else the OS_ variables of the environment.',
    )
    .argument(
      '[secret]',
      'file with a DSN, JSON, an openrc or a clouds.yaml; - for standard input; or a DSN without a password',
    )
    .usage('[options] [secret]\n\n  star-compactor doctor admin.rc')
    .optionsGroup('What to check it for:')
    .option(
      '--secret-id <name>',
      'ARN or name of a secret in AWS Secrets Manager, to be read as the function does',
    )
    .option('--settle-minutes <n>', 'how long a row may take to be committed', '30')
    .action((secret: string | undefined, options: DoctorArguments & DatabaseOptions) =>
      commands.doctor(secret, options, pick(options, DATABASE_OPTIONS)),
    )
    .addHelpText(
      'after',
      '\nExit status: 0 all is fine; 1 no trace can be made; 2 bad input; 3 a trace can be made, but lacks something.',
    );
  withHelp(doctor);

  const publishing = addPublishing(
    program,
    {
      publish: (options) => commands.publish(options, cloudOf(options)),
      backfill: (options) => commands.backfill(options, cloudOf(options)),
      verify: (options) => commands.verify(options),
    },
    (command) =>
      withOpenStack(
        withDatabase(command, 'file that opens the cloud, in any form of the secret; - for standard input'),
      ),
  );
  for (const command of publishing) withHelp(command);
  return program;
}

function cloudOf(options: GivenOptions): CloudOptions {
  return {
    databases: pick(options as DatabaseOptions, DATABASE_OPTIONS),
    openStack: pick(options as OpenStackOptions, ['osrc', 'osCloud']),
  };
}

const DATABASE_OPTIONS = [
  'secret',
  'host',
  'port',
  'socket',
  'user',
  'password',
  'passwordFile',
  'database',
  'ssl',
  'sslCa',
  'sslName',
  'serverPublicKeyPath',
  'defaultsFile',
] as const satisfies readonly (keyof DatabaseOptions)[];

/** Options by which the databases are found. */
function withDatabase(
  command: Command,
  secret = 'file with a DSN or JSON of several cells, as docs/secrets.md describes; replaces all of these options',
): Command {
  return command
    .optionsGroup('Where the databases are:')
    .option('--host <name>', 'server; 127.0.0.1 and localhost need no TLS')
    .option('--port <n>', 'port (3306)')
    .option('--socket <path>', 'socket of a server on this machine')
    .option('-u, --user <name>', 'database user; SELECT is all it needs')
    .option('-p, --password', 'ask for the password')
    .option('--password-file <file>', 'file that holds the password')
    .option('-d, --database <name>', 'cell database (nova); once for each cell, cell0 included', several)
    .option(
      '--ssl <mode>',
      'verify, verify-ca (whatever the name), rds (the authorities of Amazon RDS) or off; verify where the server is elsewhere',
    )
    .option('--ssl-ca <file>', 'PEM file of the authority that signed the server’s certificate')
    .option('--ssl-name <name>', 'name in the server’s certificate, if it is not that of --host')
    .option(
      '--server-public-key-path <file>',
      'PEM file of the server’s RSA key, for caching_sha2_password and sha256_password without TLS',
    )
    .option('--defaults-file <file>', 'option file to read instead of the usual ones')
    .option('--secret <file>', secret);
}

/** Options by which OpenStack's API is found. */
function withOpenStack(command: Command): Command {
  return command
    .optionsGroup('Where OpenStack is:')
    .option(
      '--osrc <file>',
      'openrc file, clouds.yaml or JSON with the credentials; asks for the password if the file does',
    )
    .option(
      '--os-cloud <name>',
      'cloud of a clouds.yaml: of --osrc, or of the one that openstacksdk finds (OS_CLOUD)',
    );
}

function withDump(command: Command): Command {
  return command
    .argument('<file>', 'file to write, compressed if it ends with .gz or .zst; - for standard output')
    .usage(
      `[options] <file>\n\n  star-compactor ${command.name()} --start 2026-11-01 --end 2026-12-01 november.csv.gz`,
    )
    .optionsGroup('What to dump:')
    .option('--table <name>', `table: ${TABLES.map(({ name }) => name).join(', ')}`, instanceEvents.name)
    .option('--start <time>', 'events that finished then or later, ISO 8601, UTC; everything without it')
    .option('--end <time>', 'events that finished before; the settled edge without it')
    .option('--settle-minutes <n>', 'how long a row may take to be committed', '30')
    .option('--exclude-user <id>', 'leave out servers of a user; may be repeated', several)
    .option('--exclude-project <id>', 'leave out servers of a project; may be repeated', several)
    .optionsGroup('How it is written:')
    .option('--no-clobber', 'fail if the file exists already')
    .option('--jsons', 'JSON lines instead of CSV')
    .option('--parquet', 'Parquet instead of CSV')
    .option('--format-version <v>', `of CSV: ${TRACE_VERSIONS.join(' or ')}`, '0.2')
    .option(
      '--epoch <time>',
      'zero of START_SEC and FINISH_SEC, ISO 8601; or: window, the start',
      DEFAULT_EPOCH,
    )
    .option(
      '--host-from <whose>',
      'event (where it ran), instance (where the server is now) or node (bare metal)',
      'event',
    )
    .optionsGroup('How names and ids are masked:')
    .option('--masking <method>', MASKING_METHODS.join(', '), 'sha2-salted')
    .option(
      '--salt-file <file>',
      'file with the masking secret, at least 32 random bytes; by default a new one, which is then erased',
    )
    .option('--allow-short-salt', 'accept a shorter secret, for the salt of an old trace; it can be guessed');
}

/** An empty value comes from a variable that a script did not set; no option accepts it. */
function refuseEmpty(options: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (value !== '' && !(Array.isArray(value) && value.includes(''))) continue;
    const option = `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new InputError(`${option}: got ""; accepted: a value that is not empty`);
  }
}

function withHelp(command: Command): Command {
  return command
    .optionsGroup('Help:')
    .option('-v, --verbose', 'print what is done and what is left out')
    .option('--debug', 'the same, and the stack of an error')
    .helpOption('-h, --help', 'this');
}

function pick<T extends object, K extends keyof T>(options: T, names: readonly K[]): Pick<T, K> {
  return Object.fromEntries(
    names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
  ) as Pick<T, K>;
}
