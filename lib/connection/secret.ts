import { InputError } from '../core/errors.ts';
import { type CloudChoice, cloudFields, readYaml } from './clouds-yaml.ts';
import type { CloudConnection, DatabaseConnection } from './connection.ts';
import { databaseConnection, dsnConnection } from './database-secret.ts';
import { looksLikeDsn } from './dsn.ts';
import type { OpenStackFields } from './openstack-fields.ts';
import { openrcFields } from './openrc.ts';
import { openStackConnection } from './openstack.ts';

const ACCEPTED =
  'a mysql:// DSN, JSON with host, username, password and dbname, JSON with cells, ' +
  'or OpenStack credentials as an openrc file, a clouds.yaml or JSON; docs/secrets.md lists the forms';

// Only blanks of the same line: otherwise every empty line would search all that follow it again.
const OPENRC = /^[ \t]*(?:(?:export|declare|typeset|readonly)[ \t]+(?:-\w+[ \t]+)*)?OS_\w+=/m;
const CLOUDS_YAML = /^["']?(?:clouds|auth|auth_url|OS_\w+)["']?[ \t]*:(?=\s|$)/m;

/** Keys that no database secret has; `username` and `password` are in both kinds. */
const OPENSTACK_KEY = /^(?:OS_.*|clouds|auth|auth[-_](?:url|type|plugin)|application[-_]credential[-_]\w+)$/;

/**
 * Reads a cloud's secret in any of the accepted forms.
 *
 * @throws InputError that names the field and what is accepted; never a value of the secret
 */
export async function parseSecret(text: string): Promise<CloudConnection> {
  const read = await readSecret(text);
  return 'kind' in read ? read : openStackConnection(read);
}

/**
 * The same, with the fields of OpenStack credentials as they are written.
 *
 * @param choice which cloud and region of several
 */
export async function readSecret(
  text: string,
  choice: CloudChoice = {},
): Promise<DatabaseConnection | OpenStackFields> {
  const trimmed = text.trim();
  if (looksLikeDsn(trimmed)) return dsnConnection(trimmed);

  const form = formOf(trimmed);
  if (form === 'openrc') return openrcFields(trimmed);
  if (form === 'yaml') return cloudFields(await readYaml(trimmed), choice);

  const value = readJson(trimmed);
  if (typeof value === 'string' && looksLikeDsn(value)) return dsnConnection(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InputError(`secret: accepted: ${ACCEPTED}`);
  }
  return Object.keys(value).some((key) => OPENSTACK_KEY.test(key))
    ? cloudFields(value, choice)
    : databaseConnection(value);
}

export function formOf(text: string): 'openrc' | 'yaml' | 'json' {
  return /^\s*[{[]/.test(text) ? 'json' : textForm(text);
}

/** The first match decides: a value of several lines may contain a line of the other form. */
function textForm(text: string): 'openrc' | 'yaml' | 'json' {
  const openrc = text.search(OPENRC);
  const yaml = text.search(CLOUDS_YAML);
  if (openrc >= 0 && (yaml < 0 || openrc < yaml)) return 'openrc';
  return yaml >= 0 ? 'yaml' : 'json';
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which is a secret.
    throw new InputError(
      `secret: neither a DSN nor JSON, nor an openrc file or a clouds.yaml; accepted: ${ACCEPTED}`,
    );
  }
}
