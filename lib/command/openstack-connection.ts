import { cloudFields, readYaml } from '../connection/clouds-yaml.ts';
import type { OpenStackConnection } from '../connection/connection.ts';
import type { OpenStackFields } from '../connection/openstack-fields.ts';
import { asksForPassword, openrcFields } from '../connection/openrc.ts';
import { openStackConnection } from '../connection/openstack.ts';
import { formOf, parseSecret } from '../connection/secret.ts';
import { InputError } from '../errors.ts';
import { named } from './named.ts';
import { askSecretly, readInput } from './terminal.ts';

export interface OpenStackOptions {
  readonly osrc?: string;
}

/**
 * The way to Nova's API: from an openrc file, a clouds.yaml or JSON, or from the `OS_` variables of the environment.
 * As for OpenStack's own clients, `cacert` is a path here.
 *
 * @throws InputError naming the field, never what it holds
 */
export async function connectionToOpenStack({ osrc }: OpenStackOptions): Promise<OpenStackConnection> {
  if (osrc !== undefined) return fromFile(osrc, await readInput(osrc, '--osrc'));
  const given = Object.entries(process.env).filter(([name, value]) => name.startsWith('OS_') && value !== '');
  if (given.length === 0) {
    throw new InputError(
      'OS_AUTH_URL: got nothing; accepted: the OS_ variables that an openrc file sets, or --osrc FILE',
    );
  }
  return named('environment', async () =>
    openStackConnection(await withCertificate(cloudFields(Object.fromEntries(given)))),
  );
}

async function fromFile(path: string, text: string): Promise<OpenStackConnection> {
  return named(path, async () => {
    const form = formOf(text);
    if (form === 'openrc') {
      const typed = asksForPassword(text)
        ? (process.env['OS_PASSWORD'] ?? (await askPassword(path)))
        : undefined;
      return openStackConnection(await withCertificate(openrcFields(text, typed)));
    }
    if (form === 'yaml') return openStackConnection(await withCertificate(cloudFields(await readYaml(text))));
    const connection = await parseSecret(text);
    if (connection.kind === 'api') return connection;
    throw new InputError(`--osrc: ${path} opens databases; accepted: OpenStack credentials, or db-dump`);
  });
}

function askPassword(path: string): Promise<string> {
  return askSecretly(
    `Password that ${path} asks for: `,
    'OS_PASSWORD in the environment, or in the file in place of the line with read',
  );
}

async function withCertificate({ fields, spell }: OpenStackFields): Promise<OpenStackFields> {
  const read = fields.map(async (field) => {
    const { name, spelt, value } = field;
    const isPath = name === 'cacert' && typeof value === 'string' && !value.includes('-----BEGIN');
    return isPath ? { ...field, value: await readInput(value, spelt) } : field;
  });
  return { fields: await Promise.all(read), spell };
}
