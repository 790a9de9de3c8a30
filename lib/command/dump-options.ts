import { type FormatName, MASKING_METHODS, type MaskingMethod, TRACE_VERSIONS } from '../config/choices.ts';
import { InputError } from '../core/errors.ts';
import type { Settings } from '../config/settings.ts';
import { TABLES } from '../tables/registry.ts';
import type { AnyTable } from '../tables/table.ts';
import { MINUTE, type Seconds, iso, parseInstant } from '../core/time.ts';
import { SECRET_BYTES } from '../transform/masking.ts';
import { wholeNumber } from './numbers.ts';
import { formatFor } from './output.ts';
import { readBytes, say } from './terminal.ts';

/** As the command line gives them; every value is text. */
export interface DumpArguments {
  readonly start?: string;
  readonly end?: string;
  readonly table: string;
  readonly epoch: string;
  readonly jsons?: true;
  readonly parquet?: true;
  readonly formatVersion: string;
  readonly masking: string;
  readonly saltFile?: string;
  readonly allowShortSalt?: true;
  /** Commander's name for what `--no-clobber` turns off. */
  readonly clobber: boolean;
  readonly hostFrom: string;
  readonly excludeUser?: readonly string[];
  readonly excludeProject?: readonly string[];
  readonly settleMinutes: string;
  readonly concurrency?: string;
  readonly allowPartial?: true;
  readonly verbose?: true;
  readonly debug?: true;
}

export interface DumpOptions extends Pick<
  Settings,
  | 'formatVersion'
  | 'masking'
  | 'hostFrom'
  | 'excludeUsers'
  | 'excludeProjects'
  | 'settleSeconds'
  | 'epoch'
  | 'retiredCells'
  | 'apiConcurrency'
  | 'apiSweepSeconds'
  | 'allowPartial'
  | 'forcedDownDisables'
  | 'rackPattern'
  | 'nodeProperties'
  | 'rackProperty'
> {
  readonly table: AnyTable;
  readonly format: FormatName;
  /** Whether an existing file may be replaced. */
  readonly replaces: boolean;
  /** Undefined for everything that the source has. */
  readonly start: Seconds | undefined;
  readonly end: Seconds;
  /** The operator's masking secret; erased when the dump is done. */
  readonly salt: Buffer | undefined;
  /** Prints details that most users do not need. */
  readonly tell: (line: string) => void;
}

const HOSTS = ['event', 'instance', 'node'] as const;

/** @throws InputError naming the option, the value received and what is accepted */
export async function readDumpOptions(
  path: string,
  given: DumpArguments,
  now: Seconds,
): Promise<DumpOptions> {
  const settleSeconds = wholeNumber('--settle-minutes', given.settleMinutes, 0, 1440) * MINUTE;
  const { start, end } = readRange(given, now - settleSeconds);
  if (given.jsons === true && given.parquet === true)
    throw new InputError('--parquet: contradicts --jsons; accepted: one format');
  const asked = given.jsons === true ? 'jsonl' : given.parquet === true ? 'parquet' : undefined;
  const format = formatFor(path, asked);
  const formatVersion = choice('--format-version', given.formatVersion, TRACE_VERSIONS);
  if (formatVersion === '0.3' && format !== 'csv') refuseVersion(format);
  const masking = choice('--masking', given.masking, MASKING_METHODS);
  return {
    start,
    end,
    settleSeconds,
    table: readTable(given.table),
    format,
    replaces: given.clobber,
    formatVersion,
    epoch: readEpoch(given.epoch, start),
    masking,
    salt: await readSalt(given.saltFile, masking, given.allowShortSalt),
    hostFrom: choice('--host-from', given.hostFrom, HOSTS),
    excludeUsers: new Set(given.excludeUser ?? []),
    excludeProjects: new Set(given.excludeProject ?? []),
    retiredCells: new Set(),
    apiConcurrency: wholeNumber('--concurrency', given.concurrency ?? '8', 1, 64),
    apiSweepSeconds: 0,
    allowPartial: given.allowPartial === true,
    forcedDownDisables: false,
    rackPattern: undefined,
    nodeProperties: [],
    rackProperty: '',
    tell: given.verbose === true || given.debug === true ? say : () => undefined,
  };
}

function readRange(given: DumpArguments, settledEdge: Seconds): { start: Seconds | undefined; end: Seconds } {
  const start = given.start === undefined ? undefined : instant('--start', given.start);
  const end = given.end === undefined ? settledEdge : instant('--end', given.end);
  if (end > settledEdge) {
    throw new InputError(
      `--end: got "${given.end}"; accepted: up to ${iso(settledEdge)} (what finished later may not be committed ` +
        'yet), which is the default, or a smaller --settle-minutes',
    );
  }
  if (start !== undefined && start >= end) {
    throw new InputError(`--start: got "${given.start}"; accepted: a time before the end, ${iso(end)}`);
  }
  return { start, end };
}

function readTable(name: string): AnyTable {
  const names = TABLES.map((table) => table.name);
  const wanted = choice('--table', name, names);
  return TABLES.find((table) => table.name === wanted) as AnyTable;
}

function readEpoch(text: string, start: Seconds | undefined): Seconds | 'window' {
  if (text !== 'window') return instant('--epoch', text, ', or window');
  if (start === undefined)
    throw new InputError('--epoch: got "window", the start of the range; accepted: with --start only');
  return text;
}

function refuseVersion(format: FormatName): never {
  throw new InputError(`--format-version: got "0.3", a format of CSV; accepted: 0.2 for ${format}`);
}

async function readSalt(
  path: string | undefined,
  masking: MaskingMethod,
  allowsShort: true | undefined,
): Promise<Buffer | undefined> {
  if (masking !== 'sha2-salted') {
    if (path !== undefined)
      throw new InputError(`--salt-file: --masking ${masking} uses none; accepted: one of the two`);
    say(`--masking ${masking} protects nobody: keep the output to yourself`);
    return undefined;
  }
  if (path === undefined) return undefined;
  const salt = await readBytes(path, '--salt-file');
  if (salt.length === 0) throw new InputError(`--salt-file: ${path} is empty; accepted: random bytes`);
  // Old traces have short salts, which are needed to make them again.
  if (salt.length < SECRET_BYTES && allowsShort !== true) {
    throw new InputError(
      `--salt-file: ${path} holds ${salt.length} bytes; anyone who guesses them can undo the masks; accepted: at least ` +
        `${SECRET_BYTES} random bytes (head -c 32 /dev/urandom), or --allow-short-salt for the salt of an old trace`,
    );
  }
  return salt;
}

function instant(option: string, text: string, others = ''): Seconds {
  const time = parseInstant(text);
  if (time !== undefined) return time;
  throw new InputError(
    `${option}: got "${text}"; accepted: an ISO 8601 date or instant such as 2017-08-01T00:00:00Z${others}`,
  );
}

function choice<T extends string>(option: string, text: string, accepted: readonly T[]): T {
  const found = accepted.find((each) => each === text);
  if (found !== undefined) return found;
  throw new InputError(`${option}: got "${text}"; accepted: ${accepted.join(', ')}`);
}
