import { parseEnv } from 'node:util';
import { SETTING_OPTIONS, optionOf } from '../config/setting-options.ts';
import { type Settings, readCommandSettings } from '../config/settings.ts';
import { InputError } from '../core/errors.ts';
import { PLACE_OPTIONS, type PlaceValues } from './place-options.ts';
import { readInput } from './terminal.ts';

/** Options of a command by their camel-case names, as Commander gives them. */
export interface GivenOptions {
  readonly [name: string]: unknown;
}

/** What options, environment and a file of settings say together, before anything of it is checked. */
export interface GivenValues {
  /** By variable: option, else environment, else file. */
  readonly values: Readonly<Record<string, string>>;
  readonly place: PlaceValues;
  /** Of a file that opens the cloud. */
  readonly secret: string | undefined;
  /** What a message calls a variable: the option, where it was given by one. */
  readonly nameOf: (variable: string) => string;
}

/** @throws InputError where the file of settings cannot be used */
export async function gatherValues(options: GivenOptions): Promise<GivenValues> {
  const inFile = typeof options['settings'] === 'string' ? await readSettingsFile(options['settings']) : {};
  const inEnvironment = Object.entries(process.env).filter(([name, value]) => isOurs(name) && value !== '');
  const byOption = Object.entries(options)
    .filter((entry): entry is [string, string] => typeof entry[1] === 'string')
    .map(([name, value]) => [variableOf(name), value] as const)
    .filter(([name]) => name in SETTING_OPTIONS || name in PLACE_OPTIONS || name === 'STAR_SECRET');
  const { STAR_SECRET, ...all } = Object.fromEntries([
    ...Object.entries(inFile),
    ...inEnvironment,
    ...byOption,
  ]) as Record<string, string>;
  const isPlace = (name: string): boolean => name in PLACE_OPTIONS;
  const place = Object.fromEntries(Object.entries(all).filter(([name]) => isPlace(name)));
  const asOptions = new Set(byOption.map(([name]) => name));
  return {
    values: Object.fromEntries(Object.entries(all).filter(([name]) => !isPlace(name))),
    place,
    secret: STAR_SECRET,
    nameOf: (variable) => (asOptions.has(variable) ? optionOf(variable) : variable),
  };
}

/**
 * @param prefix of all keys
 * @throws InputError that calls each setting as it was given
 */
export function settingsOf({ values, nameOf }: GivenValues, prefix: string): Settings {
  try {
    refuseDeployed(values);
    return readCommandSettings(values, prefix);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    // A list of all names is of variables, whatever came.
    const message = / unknown;/.test(error.message)
      ? error.message
      : error.message.replaceAll(/STAR_[A-Z_]+/g, nameOf);
    throw new InputError(message, { cause: error });
  }
}

/** These tell a deployed function what options tell a command. */
const DEPLOYED: Readonly<Record<string, string>> = {
  STAR_BUCKET: '--to s3://BUCKET/PREFIX',
  STAR_PREFIX: '--to s3://BUCKET/PREFIX',
  STAR_BACKFILL_MACHINE: 'none, for a command does all by itself',
  STAR_BACKFILL_SECRETS: 'none, for a command does all by itself',
};

function refuseDeployed(values: Readonly<Record<string, string>>): void {
  const name = Object.keys(DEPLOYED).find((each) => values[each] !== undefined);
  if (name === undefined) return;
  throw new InputError(`${name}: is for the deployed function; accepted here: ${DEPLOYED[name]}`);
}

function isOurs(name: string): boolean {
  return name.startsWith('STAR_');
}

function variableOf(option: string): string {
  return `STAR_${option.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** Lines `STAR_CLOUD=prod`, as systemd and Docker take them. */
async function readSettingsFile(path: string): Promise<Record<string, string>> {
  const text = await readInput(path, '--settings');
  const lines = text.split('\n').map((line) => line.trim());
  const wrong = lines.findIndex(
    (line) => line !== '' && !line.startsWith('#') && !/^(?:export\s+)?STAR_[A-Z_]+\s*=/.test(line),
  );
  if (wrong >= 0) {
    throw new InputError(
      `--settings: ${path}: line ${wrong + 1} is no setting; accepted: lines such as STAR_CLOUD=prod, and # comments`,
    );
  }
  const entries = Object.entries(parseEnv(text)).filter(([, value]) => value !== '');
  return Object.fromEntries(entries) as Record<string, string>;
}
