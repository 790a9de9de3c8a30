import { InputError } from '../core/errors.ts';
import {
  NO_SINGLE_SIGN_ON,
  readAuthType,
  readCertificate,
  readFlag,
  readInterface,
  readSystemScope,
  readText,
  readUrl,
  readVersion,
} from './openstack-values.ts';

/** One field of an openrc file, a clouds.yaml or JSON. */
export interface Field {
  /** clouds.yaml's name, whatever the form: `auth_url` for `OS_AUTH_URL` too. */
  readonly name: string;
  /** As the operator wrote it, for errors: `OS_AUTH_URL`, `clouds: auth: auth_url`. */
  readonly writtenAs: string;
  readonly value: unknown;
}

export interface OpenStackFields {
  readonly fields: readonly Field[];
  /** How the operator would write the name of a missing field. */
  readonly labelOf: (name: string) => string;
}

/** A value, and the name under which it was given. */
export interface GivenValue<T> {
  readonly value: T;
  readonly writtenAs: string;
}

/** The fields that decide about the connection, each under one name. */
export type GivenFields = {
  readonly [Name in keyof typeof FIELDS]?: GivenValue<ReturnType<(typeof FIELDS)[Name]>>;
};

/** The names are keystoneauth's options and openstacksdk's `openstack/config`. */
const FIELDS = {
  auth_type: readAuthType,
  auth_url: readUrl,
  username: readText,
  user_id: readText,
  user_domain_id: readText,
  user_domain_name: readText,
  password: readText,
  application_credential_id: readText,
  application_credential_name: readText,
  application_credential_secret: readText,
  token: readText,
  project_id: readText,
  project_name: readText,
  project_domain_id: readText,
  project_domain_name: readText,
  domain_id: readText,
  domain_name: readText,
  default_domain_id: readText,
  default_domain_name: readText,
  system_scope: readSystemScope,
  identity_api_version: readVersion,
  region_name: readText,
  interface: readInterface,
  compute_interface: readInterface,
  compute_endpoint_override: readUrl,
  cacert: readCertificate,
  insecure: readFlag,
  verify: readFlag,
};

/** Older names, and names that other clients use. */
const SAME: ReadonlyMap<string, keyof typeof FIELDS> = new Map([
  ['auth_plugin', 'auth_type'],
  ['user_name', 'username'],
  ['userid', 'user_id'],
  ['auth_token', 'token'],
  ['tenant_id', 'project_id'],
  ['tenant_name', 'project_name'],
  // python-openstackclient sends its value as an id.
  ['default_domain', 'default_domain_id'],
  ['auth_version', 'identity_api_version'],
  ['endpoint_type', 'interface'],
  ['compute_endpoint_type', 'compute_interface'],
]);

const ELSEWHERE = 'it points to what is not in the secret; accepted: the credentials themselves';
const SINGLE_SIGN_ON = `${NO_SINGLE_SIGN_ON}; accepted: an application credential (openstack application credential create)`;
const NO_CLIENT_CERTIFICATE = 'client certificates are not supported; accepted: none';

/** Known and refused: without them another cloud would be read, or the run would fail later and less clearly. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ['cloud', ELSEWHERE],
  ['profile', ELSEWHERE],
  ['client_config_file', ELSEWHERE],
  ['client_secure_file', ELSEWHERE],
  ['trust_id', 'trusts are not supported; accepted: a project, or system scope'],
  ['passcode', 'one-time passcodes are not supported; accepted: a password or an application credential'],
  ['cert', NO_CLIENT_CERTIFICATE],
  ['key', NO_CLIENT_CERTIFICATE],
  ...[
    'identity_provider',
    'identity_provider_url',
    'protocol',
    'client_id',
    'client_secret',
    'openid_scope',
  ].map((name) => [name, SINGLE_SIGN_ON] as const),
  ...['access_token', 'access_token_endpoint', 'discovery_endpoint', 'service_provider_endpoint'].map(
    (name) => [name, SINGLE_SIGN_ON] as const,
  ),
]);

/** Known and not needed: fields for other services, caches, time-outs, networks and images. */
const IGNORED = [
  /_api_version$|_(default_)?microversion$|^auth_strategy$|^availability_zone$|_(endpoint_type|interface)$|_service_(type|name)$/,
  /_endpoint_override$|(^|_)timeout$|_retries$|_rate_limit$|_concurrency$|^rate_limits?$/,
  /^(networks|(ex|in)ternal_network|floating_ip_source|secgroup_source|nova_\w+|use_\w+_network)$/,
  /^(image_format|image_api_use_tasks|disable_vendor_agent|vendor_hook|message|status)$/,
  /^(no_cache|cache|cloud_?name|auth_protocol|force_ipv4|prefer_ipv6|metrics|statsd|debug)$/,
  // openstacksdk ignores these variables, and those of oslo's tests, as well.
  /^(test|std|log)(_|$)/,
];

/** Whether the field is used; any other field is ignored or refused. */
export function isKnown(name: string): boolean {
  return targetOf(name) !== undefined || REFUSED.has(name);
}

export function isIgnored(name: string): boolean {
  return !isKnown(name) && IGNORED.some((pattern) => pattern.test(name));
}

function targetOf(name: string): keyof typeof FIELDS | undefined {
  return Object.hasOwn(FIELDS, name) ? (name as keyof typeof FIELDS) : SAME.get(name);
}

/**
 * Reads every field on its own. A field may be given under two names, as kolla and Horizon do, if both agree.
 *
 * @throws InputError for a field that is unknown, cannot be used, or has two different values
 */
export function readFields({ fields, labelOf }: OpenStackFields): GivenFields {
  const values: { -readonly [Name in keyof GivenFields]?: GivenValue<unknown> } = {};
  for (const { name, writtenAs, value } of fields) {
    if (isIgnored(name)) continue;
    const refused = REFUSED.get(name);
    if (refused !== undefined) throw new InputError(`secret: ${writtenAs}: ${refused}`);
    const target = targetOf(name);
    if (target === undefined) {
      const known = Object.keys(FIELDS).map((each) => labelOf(each).split(': ').at(-1));
      throw new InputError(`secret: ${writtenAs}: unknown; accepted: ${known.join(', ')}`);
    }
    const read = FIELDS[target](value, (accepted) => {
      throw new InputError(`secret: ${writtenAs}: accepted: ${accepted}`);
    });
    const other = values[target];
    if (other !== undefined && other.value !== read) {
      throw new InputError(
        `secret: ${writtenAs}: contradicts ${other.writtenAs}; accepted: one of them, or both alike`,
      );
    }
    values[target] = { value: read, writtenAs };
  }
  return values as GivenFields;
}
