import { InputError } from '../core/errors.ts';
import type {
  InDomain,
  Named,
  OpenStackConnection,
  OpenStackIdentity,
  OpenStackScope,
} from './connection.ts';
import { type OpenStackFields, readFields, type GivenValue, type GivenFields } from './openstack-fields.ts';

type Method = OpenStackIdentity['method'];
type Version = GivenValue<'v3' | 'v2.0'> | undefined;

/** The given fields, and how to name a missing one. */
interface Given {
  readonly values: GivenFields;
  readonly labelOf: (name: string) => string;
}

/**
 * Makes a connection of what a secret says about an OpenStack cloud. The rules are those of keystoneauth's plugins and
 * of openstacksdk's `openstack/config`. What they would ignore, or let Keystone refuse, is refused here.
 *
 * @throws InputError that names the fields as they are written, never their values
 */
export function openStackConnection(fields: OpenStackFields): OpenStackConnection {
  const given: Given = { values: readFields(fields), labelOf: fields.labelOf };
  const { values } = given;
  const method = methodOf(given);
  const authUrl = values.auth_url ?? missing(given, 'auth_url', 'the URL of Keystone');
  const version = versionOf(given, method);
  const scope = scopeOf(given, method, version);
  return {
    kind: 'api',
    authUrl: authUrl.value,
    identityVersion: version?.value,
    identity: identityOf(given, method, version),
    scope,
    region: values.region_name?.value,
    // The catalogue is searched for Nova only, so fields for compute take precedence, as in openstacksdk.
    interface: (values.compute_interface ?? values.interface)?.value ?? 'public',
    ...(values.compute_endpoint_override === undefined
      ? {}
      : { computeUrl: values.compute_endpoint_override.value }),
    tls: tlsOf(values),
  };
}

/** The method of `auth_type`, or by default the one whose fields are given. */
function methodOf(given: Given): Method {
  const { values } = given;
  if (values.auth_type !== undefined) {
    const { value } = values.auth_type;
    if (value === 'v3applicationcredential') return 'applicationCredential';
    return value.endsWith('password') ? 'password' : 'token';
  }
  const shown: [Method, GivenValue<string> | undefined][] = [
    ['password', values.password],
    ['applicationCredential', credentialOf(values)],
    ['token', values.token],
  ];
  const [first, second] = shown.filter(([, field]) => field !== undefined);
  if (first === undefined)
    return missing(given, 'password', 'a password, an application credential or a token');
  if (second !== undefined) {
    contradiction(second[1]!, first[1]!, `one of them, or ${nameOf(given, 'auth_type')} to say which`);
  }
  return first[0];
}

/** The requested version, which several fields can name. */
function versionOf({ values }: Given, method: Method): Version {
  const { auth_type: type, auth_url: url } = values;
  const inType = /^v[23]/.exec(type?.value ?? '')?.[0];
  const inUrl = /\/(v3|v2\.0)\/*$/.exec(url?.value ?? '')?.[1];
  const asked: [version: string | undefined, GivenValue<unknown> | undefined][] = [
    [values.identity_api_version?.value, values.identity_api_version],
    [inUrl, url],
    [inType, type],
    // v2.0 has neither.
    [method === 'applicationCredential' ? 'v3' : undefined, credentialOf(values)],
    ['v3', values.system_scope],
  ];
  let version: Version;
  for (const [asks, field] of asked) {
    if (asks === undefined || field === undefined) continue;
    const value = asks === 'v3' ? 'v3' : 'v2.0';
    if (version !== undefined && version.value !== value) {
      contradiction(field, version, 'Keystone v3, or v2.0 with a user and a project');
    }
    version ??= { value, writtenAs: field.writtenAs };
  }
  return version;
}

function scopeOf(given: Given, method: Method, version: Version): OpenStackScope {
  const { values } = given;
  const project = values.project_id ?? values.project_name;
  const domain = values.domain_id ?? values.domain_name;
  const scope = project ?? values.system_scope ?? domain;
  if (method === 'applicationCredential') {
    const credential = credentialOf(values);
    // Keystone refuses a scope with an application credential.
    if (scope !== undefined && credential !== undefined) {
      contradiction(scope, credential, 'an application credential alone, it has its project');
    }
    return { ofCredential: true };
  }
  if (values.system_scope !== undefined) {
    const other = project ?? domain;
    if (other !== undefined) contradiction(values.system_scope, other, 'one of them');
    return { system: true };
  }
  if (values.project_id !== undefined) return { project: { id: values.project_id.value } };
  if (values.project_name !== undefined) {
    return { project: { name: values.project_name.value, domain: domainOf(given, 'project', version) } };
  }
  const system = `"all" as ${nameOf(given, 'system_scope')}`;
  if (domain !== undefined) {
    throw new InputError(
      `secret: ${domain.writtenAs}: alone it asks for a token of a domain, which Nova does not accept; ` +
        `accepted: a project with it, or ${system}`,
    );
  }
  return missing(given, 'project_name', `a project, by name or id, or ${system}`);
}

function identityOf(given: Given, method: Method, version: Version): OpenStackIdentity {
  const { values } = given;
  if (method === 'token') {
    return { method, token: (values.token ?? missing(given, 'token', 'a token')).value };
  }
  if (method === 'password') {
    const password = values.password ?? missing(given, 'password', 'a password');
    return { method, user: userOf(given, version), password: password.value };
  }
  const secret =
    values.application_credential_secret ??
    missing(given, 'application_credential_secret', 'the secret of the application credential');
  if (values.application_credential_id !== undefined) {
    return { method, credential: { id: values.application_credential_id.value }, secret: secret.value };
  }
  const name =
    values.application_credential_name ??
    missing(given, 'application_credential_id', 'the id of the application credential, or its name and user');
  return { method, credential: { name: name.value, user: userOf(given, version) }, secret: secret.value };
}

/** An id takes precedence over a name, as in keystoneauth; Horizon's files give both for a project. */
function userOf(given: Given, version: Version): Named<InDomain> {
  const { values } = given;
  if (values.user_id !== undefined) return { id: values.user_id.value };
  const name = values.username ?? missing(given, 'username', 'a user, by name or id');
  return { name: name.value, domain: domainOf(given, 'user', version) };
}

/**
 * The domain of a name: the user's or project's domain, one given for both, the given default, and otherwise the domain
 * with the id `default`, which Keystone creates first. The last step follows python-openstackclient; keystoneauth alone
 * would send no domain, and Keystone v3 would refuse.
 */
function domainOf({ values }: Given, of: 'user' | 'project', version: Version): InDomain['domain'] {
  // Alone, domain_id is a scope; with a project, openstacksdk takes it for the domain of both.
  const ids = [values[`${of}_domain_id`], values.domain_id, values.default_domain_id] as const;
  const names = [values[`${of}_domain_name`], values.domain_name, values.default_domain_name] as const;
  if (version?.value === 'v2.0') {
    // v2.0 knows the default domain only. OS_DEFAULT_DOMAIN is for v3 and ignored, as in keystoneauth.
    const other = [...ids.slice(0, 2), ...names.slice(0, 2)].find(
      (domain) => domain !== undefined && domain.value.toLowerCase() !== 'default',
    );
    if (other !== undefined) contradiction(other, version, 'no domain with Keystone v2.0, or v3');
    return { id: 'default' };
  }
  for (const [at, id] of ids.entries()) {
    const name = names[at];
    if (id !== undefined) return { id: id.value };
    if (name !== undefined) return { name: name.value };
  }
  return { id: 'default' };
}

function tlsOf({ insecure, verify, cacert }: GivenFields): OpenStackConnection['tls'] {
  const off = insecure?.value === true ? insecure : verify?.value === false ? verify : undefined;
  const on = cacert ?? (verify?.value === true ? verify : undefined);
  if (off !== undefined && on !== undefined) contradiction(off, on, 'one of them');
  if (off !== undefined) return { mode: 'off' };
  return cacert === undefined ? { mode: 'verify' } : { mode: 'verify', ca: cacert.value };
}

function credentialOf(values: GivenFields): GivenValue<string> | undefined {
  return (
    values.application_credential_id ??
    values.application_credential_name ??
    values.application_credential_secret
  );
}

function nameOf({ labelOf }: Given, name: string): string {
  return labelOf(name).split(': ').at(-1) ?? name;
}

function missing(given: Given, name: string, accepted: string): never {
  throw new InputError(`secret: ${given.labelOf(name)}: got nothing; accepted: ${accepted}`);
}

function contradiction(field: GivenValue<unknown>, other: GivenValue<unknown>, accepted: string): never {
  throw new InputError(`secret: ${field.writtenAs}: contradicts ${other.writtenAs}; accepted: ${accepted}`);
}
