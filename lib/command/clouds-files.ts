import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { isObject, readYaml } from '../connection/clouds-yaml.ts';
import { InputError } from '../core/errors.ts';
import { readInput } from './terminal.ts';

/** Where openstacksdk looks ("Configuring OpenStack SDK Applications"); the first that is there counts. */
const folders = (): string[] => ['.', join(homedir(), '.config', 'openstack'), '/etc/openstack'];

const ENDINGS = ['yaml', 'yml', 'json'];

/** @throws InputError where there is none */
export async function findCloudsFile(): Promise<string> {
  const found = firstOf(process.env['OS_CLIENT_CONFIG_FILE'], folders(), 'clouds');
  if (found !== undefined) return found;
  throw new InputError(
    `OS_CLOUD: there is no clouds.yaml; accepted: one in ${folders().join(', ')}, or --osrc FILE`,
  );
}

/**
 * A clouds.yaml, merged with the secure.yaml beside it or the one that openstacksdk finds, which usually holds
 * passwords. Undefined if the text is something else, or there is no such file.
 */
export async function withSecureFile(path: string, text: string): Promise<object | undefined> {
  if (path === '-' || !/^\s*["']?clouds["']?[ \t]*:|"clouds"/m.test(text)) return undefined;
  const beside = [dirname(path), ...folders()];
  const secure = firstOf(process.env['OS_CLIENT_SECURE_FILE'], beside, 'secure');
  if (secure === undefined) return undefined;
  const added = await readYaml(await readInput(secure, 'secure.yaml'));
  return merged(await readYaml(text), added);
}

function firstOf(given: string | undefined, places: readonly string[], name: string): string | undefined {
  if (given !== undefined && given !== '') return given;
  return places
    .flatMap((folder) => ENDINGS.map((ending) => join(folder, `${name}.${ending}`)))
    .find((path) => existsSync(path));
}

/** Values of the second replace those of the first; objects are merged. */
function merged(first: object, second: object): object {
  const result = new Map<string, unknown>(Object.entries(first));
  for (const [key, value] of Object.entries(second)) {
    const before = result.get(key);
    result.set(key, isObject(before) && isObject(value) ? merged(before, value) : value);
  }
  return Object.fromEntries(result);
}
