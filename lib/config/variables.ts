import * as z from 'zod/mini';
import { COMPRESSIONS, FORMAT_NAMES, type FormatName, MASKING_METHODS, TRACE_VERSIONS } from './choices.ts';
import { TABLES } from '../tables/registry.ts';
import { DEFAULT_EPOCH, MINUTE, parseInstant } from '../core/time.ts';
import { isWindowLength } from '../core/window.ts';

/* The variables that hold settings, what each accepts, and its default. */

const text = (accepted: string, pattern: RegExp, fallback?: string) =>
  z.pipe(orDefault(fallback), z.string({ error: accepted }).check(z.regex(pattern, { error: accepted })));

const choice = <T extends string>(values: readonly T[], fallback: T) =>
  z.pipe(orDefault(fallback), z.enum(values, { error: values.join(' or ') }));

const number = (accepted: string, fallback: number, fits: (n: number) => boolean) =>
  z.pipe(
    orDefault(String(fallback)),
    z.pipe(
      z.string().check(z.refine((s) => /^\d{1,6}$/.test(s) && fits(Number(s)), { error: accepted })),
      z.transform(Number),
    ),
  );

const list = (accepted: string, fallback: string, fits: (items: string[]) => boolean = () => true) =>
  z.pipe(
    orDefault(fallback),
    z.pipe(z.string().check(z.refine((s) => fits(items(s)), { error: accepted })), z.transform(items)),
  );

const SECRET_ID = 'the ARN or name of a Secrets Manager secret, not what it holds';

/** A secret that was pasted instead of its name must not be logged. */
export const HIDDEN: ReadonlySet<string> = new Set(['STAR_SECRET', 'STAR_MASKING_SECRET', 'STAR_STATE_KEY']);

/** Of Blazar's capabilities and Ironic's properties. */
const PROPERTY_NAME = /^[\w.:-]{1,100}$/;

/** As published traces of bare metal have them, and Ironic's own class of a node. */
const NODE_PROPERTIES = [
  'node_type',
  'architecture.platform_type',
  'main_memory.ram_size',
  'architecture.smt_size',
  'architecture.smp_size',
  'storage_devices.0.size',
  'resource_class',
];

export const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
export const KEY_PREFIX = /^$|^[\w.-]+(\/[\w.-]+)*$/;

/** What says where a deployed function, and only that, finds what it needs. */
const DEPLOYMENT = {
  STAR_BUCKET: text('an S3 bucket name', BUCKET_NAME),
  STAR_PREFIX: text(
    'a key prefix of letters, digits and -_./, without a slash at either end',
    KEY_PREFIX,
    '',
  ),
  STAR_SECRET: text(SECRET_ID, /^(?!.*:\/\/)[\w/+=.@:-]{1,2048}$/),
  STAR_MASKING_SECRET: text(SECRET_ID, /^(?!.*:\/\/)[\w/+=.@:-]{0,2048}$/, ''),
  STAR_STATE_KEY: text(SECRET_ID, /^(?!.*:\/\/)[\w/+=.@:-]{0,2048}$/, ''),
  STAR_BACKFILL_MACHINE: text('the ARN of a state machine', /^$|^arn:[\w-]+:states:.+$/, ''),
  STAR_BACKFILL_SECRETS: text('a prefix of names of secrets', /^$|^[\w/+=.@-]{1,256}$/, ''),
};

/** What says how a trace is made, wherever that is done. */
const TRACE = {
  STAR_CLOUD: text('a name of letters, digits, dots, hyphens and underscores', /^[\w.-]{1,64}$/, 'openstack'),
  STAR_WINDOW_MINUTES: number('a number of minutes that divides a day, such as 1440 or 60', 1440, (n) =>
    isWindowLength(n * MINUTE),
  ),
  STAR_SETTLE_MINUTES: number('whole minutes, 1 to 1440', 30, (n) => n >= 1 && n <= 1440),
  STAR_OPEN_HORIZON_DAYS: number('whole days, 1 to 3650', 30, (n) => n >= 1 && n <= 3650),
  STAR_EPOCH: z.pipe(
    orDefault(DEFAULT_EPOCH),
    z.string().check(
      z.refine((s) => s === 'window' || parseInstant(s) !== undefined, {
        error: `an ISO 8601 instant such as ${DEFAULT_EPOCH}, or window`,
      }),
    ),
  ),
  STAR_TABLES: list(
    `one or more of ${TABLES.map(({ name }) => name).join(', ')}, separated by commas, each once`,
    TABLES.filter(({ onRequest }) => onRequest !== true)
      .map(({ name }) => name)
      .join(),
    (names) =>
      names.length > 0 &&
      new Set(names).size === names.length &&
      names.every((name) => TABLES.some((table) => table.name === name)),
  ),
  STAR_FORMATS: list(
    `one or more of ${FORMAT_NAMES.join(', ')}, separated by commas, each once`,
    'csv',
    (names) => names.length > 0 && new Set(names).size === names.length && names.every(isFormat),
  ),
  STAR_COMPRESSION: choice(COMPRESSIONS, 'gzip'),
  STAR_FORMAT_VERSION: choice(TRACE_VERSIONS, '0.2'),
  STAR_LICENCE: text('an identifier of SPDX such as CC-BY-4.0', /^$|^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$/, ''),
  STAR_MASKING: choice(MASKING_METHODS, 'sha2-salted'),
  STAR_ALLOW_UNSAFE_MASKING: choice(['true', 'false'], 'false'),
  STAR_REPORT: choice(['true', 'false'], 'true'),
  STAR_PRIVACY_LIMIT_PERCENT: number('whole percent, 0 to 100', 100, (n) => n <= 100),
  STAR_PRIVACY_SERVERS_LIMIT_PERCENT: number('whole percent, 0 to 100', 100, (n) => n <= 100),
  STAR_EXCLUDE_USERS: list('user ids separated by commas', ''),
  STAR_EXCLUDE_PROJECTS: list('project ids separated by commas', ''),
  STAR_HOST_FROM: choice(['event', 'instance'], 'event'),
  STAR_MACHINES: choice(['vm', 'baremetal'], 'vm'),
  STAR_NODE_PROPERTIES: list(
    'names of properties, separated by commas, each once',
    NODE_PROPERTIES.join(),
    (names) => new Set(names).size === names.length && names.every((name) => PROPERTY_NAME.test(name)),
  ),
  STAR_RACK_PROPERTY: text('the name of a property, such as placement.rack', PROPERTY_NAME, 'placement.rack'),
  STAR_RACK_PATTERN: z.pipe(
    orDefault(''),
    z.string().check(z.refine(isPattern, { error: 'a regular expression, such as ^(r\\d+)-' })),
  ),
  STAR_FORCED_DOWN_AS: text('DISABLE, or nothing', /^$|^DISABLE$/, ''),
  STAR_RETIRED_CELLS: list('cell names separated by commas', ''),
  STAR_API_CONCURRENCY: number('1 to 64', 8, (n) => n >= 1 && n <= 64),
  STAR_API_SWEEP_HOURS: number('whole hours, 0 to 720', 0, (n) => n <= 720),
  STAR_ALLOW_PARTIAL: choice(['true', 'false'], 'false'),
};

export const Deployed = z.strictObject({ ...DEPLOYMENT, ...TRACE });

export const OnCommandLine = z.strictObject({
  ...TRACE,
  STAR_MASKING_SECRET: text('a file that holds at least 32 random bytes', /^/, ''),
  STAR_STATE_KEY: text('a file that holds 32 random bytes', /^/, ''),
});

/** Variables that are settings also on the command line. */
export type SettingName = keyof z.output<typeof OnCommandLine>;

function orDefault(fallback: string | undefined) {
  return z.transform((value: unknown) => value ?? fallback);
}

function items(value: string): string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

export function isFormat(name: string): name is FormatName {
  return FORMAT_NAMES.some((known) => known === name);
}

function isPattern(pattern: string): boolean {
  try {
    return pattern.length <= 500 && new RegExp(pattern, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}
