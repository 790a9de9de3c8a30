import { cloudFields } from '../connection/clouds-yaml.ts';
import type { OpenStackConnection } from '../connection/connection.ts';
import { type OpenStackFields, isKnown } from '../connection/openstack-fields.ts';
import { asksForPassword, openrcFields } from '../connection/openrc.ts';
import { openStackConnection } from '../connection/openstack.ts';
import { formOf, readSecret } from '../connection/secret.ts';
import { InputError } from '../core/errors.ts';
import { findCloudsFile, withSecureFile } from './clouds-files.ts';
import { named } from './named.ts';
import { askSecretly, readInput } from './terminal.ts';

export interface OpenStackOptions {
  readonly osrc?: string;
  /** Of a clouds.yaml. */
  readonly osCloud?: string;
}

/** These name files and do not describe a cloud themselves. */
const POINTERS = ['OS_CLOUD', 'OS_CLIENT_CONFIG_FILE', 'OS_CLIENT_SECURE_FILE'];

/**
 * The way to Nova's API: from an openrc file, a clouds.yaml or JSON, by the name of a cloud in openstacksdk's files, or
 * from the `OS_` variables of the environment; those of other tools are ignored. As in OpenStack's own clients,
 * `cacert` may be a path here.
 *
 * @param others other ways to give them, for errors
 * @throws InputError naming the field, never what it holds
 */
export async function connectionToOpenStack(
  { osrc, osCloud }: OpenStackOptions,
  others = '--os-cloud NAME or --osrc FILE',
): Promise<OpenStackConnection> {
  if (osrc !== undefined) return fromFile(osrc, osCloud);
  const cloud = osCloud ?? variable('OS_CLOUD');
  if (cloud !== undefined) return fromFile(await findCloudsFile(), cloud);
  const given = Object.entries(process.env).filter(
    ([name, value]) =>
      /^OS_[A-Z0-9_]+$/.test(name) &&
      !POINTERS.includes(name) &&
      isKnown(name.slice('OS_'.length).toLowerCase()) &&
      value !== '',
  );
  if (given.length === 0) {
    throw new InputError(
      'OS_AUTH_URL: got nothing; accepted: the OS_ variables that an openrc file sets, OS_CLOUD, ' + others,
    );
  }
  return named('environment', async () =>
    openStackConnection(await withCertificate(cloudFields(Object.fromEntries(given)))),
  );
}

function variable(name: string): string | undefined {
  const value = process.env[name] ?? '';
  return value === '' ? undefined : value;
}

async function fromFile(path: string, cloud: string | undefined): Promise<OpenStackConnection> {
  return openStackFromText(path, await readInput(path, '--osrc'), cloud);
}

/** The same from what a file holds. @param path what it is called in errors */
export function openStackFromText(path: string, text: string, cloud?: string): Promise<OpenStackConnection> {
  return named(path, async () =>
    openStackConnection(await withCertificate(await fieldsIn(path, text, cloud))),
  );
}

async function fieldsIn(path: string, text: string, cloud: string | undefined): Promise<OpenStackFields> {
  if (formOf(text) === 'openrc') {
    if (cloud !== undefined)
      throw new InputError(
        `--os-cloud: ${path} is an openrc file; accepted: a clouds.yaml, or no --os-cloud`,
      );
    const typed = asksForPassword(text)
      ? (process.env['OS_PASSWORD'] ?? (await askPassword(path)))
      : undefined;
    return openrcFields(text, typed);
  }
  const choice = { cloud, otherwise: variable('OS_CLOUD'), region: variable('OS_REGION_NAME') };
  const clouds = await withSecureFile(path, text);
  if (clouds !== undefined) return cloudFields(clouds, choice);
  const read = await readSecret(text, choice);
  if (!('kind' in read)) return read;
  throw new InputError(`--osrc: ${path} opens databases; accepted: OpenStack credentials, or db-dump`);
}

function askPassword(path: string): Promise<string> {
  return askSecretly(
    `Password that ${path} asks for: `,
    'OS_PASSWORD in the environment, or in the file instead of the line with read',
  );
}

async function withCertificate({ fields, labelOf }: OpenStackFields): Promise<OpenStackFields> {
  const read = fields.map(async (field) => {
    const { name, writtenAs, value } = field;
    const isPath = name === 'cacert' && typeof value === 'string' && !value.includes('-----BEGIN');
    return isPath ? { ...field, value: await readInput(value, writtenAs) } : field;
  });
  return { fields: await Promise.all(read), labelOf };
}
