import type { Account } from './accounts.ts';

export type SecretForm = 'json' | 'openrc' | 'clouds.yaml' | 'applicationCredential' | 'system';

export interface SecretSource {
  readonly authUrl: string;
  readonly region: string;
  readonly account: Account;
  /** Of Keystone's API; v2.0 knows no domains, and calls projects tenants. */
  readonly identityVersion: '3' | '2.0';
}

/** The credentials as an operator would keep them; JSON with an openrc's names unless told otherwise. */
export function secretOf(source: SecretSource, form: SecretForm = 'json'): string {
  switch (form) {
    case 'json':
      return JSON.stringify(passwordFields(source));
    case 'openrc':
      return Object.entries(passwordFields(source))
        .map(([name, value]) => `export ${name}=${quoted(value)}\n`)
        .join('');
    case 'clouds.yaml':
      return cloudsYaml(source);
    case 'applicationCredential':
      return JSON.stringify(applicationCredentialFields(source));
    case 'system':
      return JSON.stringify({ ...userFields(source), OS_SYSTEM_SCOPE: 'all' });
  }
}

function cloudFields({ authUrl, region }: SecretSource): Record<string, string> {
  return { OS_AUTH_URL: authUrl, OS_REGION_NAME: region };
}

function userFields(source: SecretSource): Record<string, string> {
  const { userName, password, domainName } = source.account;
  return {
    ...cloudFields(source),
    OS_USERNAME: userName,
    OS_PASSWORD: password,
    ...(source.identityVersion === '3' ? { OS_USER_DOMAIN_NAME: domainName } : {}),
  };
}

function passwordFields(source: SecretSource): Record<string, string> {
  const { projectName, domainName } = source.account;
  const { identityVersion } = source;
  const project =
    identityVersion === '3'
      ? { OS_PROJECT_NAME: projectName, OS_PROJECT_DOMAIN_NAME: domainName }
      : { OS_TENANT_NAME: projectName };
  return { ...userFields(source), ...project, OS_IDENTITY_API_VERSION: identityVersion };
}

function applicationCredentialFields(source: SecretSource): Record<string, string> {
  const { id, secret } = source.account.applicationCredential;
  return {
    ...cloudFields(source),
    OS_AUTH_TYPE: 'v3applicationcredential',
    OS_APPLICATION_CREDENTIAL_ID: id,
    OS_APPLICATION_CREDENTIAL_SECRET: secret,
  };
}

/** JSON strings are YAML's double-quoted ones. */
function cloudsYaml({ authUrl, region, account, identityVersion }: SecretSource): string {
  const text = JSON.stringify;
  const domain = identityVersion === '3' ? `\n      user_domain_name: ${text(account.domainName)}` : '';
  return `clouds:
  openstack:
    auth:
      auth_url: ${authUrl}
      username: ${text(account.userName)}
      password: ${text(account.password)}
      project_id: ${text(account.projectId)}
      project_name: ${text(account.projectName)}${domain}
    region_name: ${text(region)}
    interface: "public"
    identity_api_version: ${identityVersion}
`;
}

function quoted(value: string): string {
  return `'${value.replaceAll("'", String.raw`'\''`)}'`;
}
