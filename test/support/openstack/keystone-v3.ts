import { randomBytes } from 'node:crypto';
import { type Account, isAdmin } from './accounts.ts';
import type { Answer, Call } from './answers.ts';
import { services } from './catalogue.ts';
import type { Cloud } from './cloud.ts';
import { isoMicroseconds } from './instants.ts';
import { KeystoneError, missing, notFound, unauthorized } from './keystone-errors.ts';
import type { Scope, Token } from './tokens.ts';

type Json = Record<string, unknown>;

/** `POST /v3/auth/tokens`; what is refused and how is keystone/auth/core.py's and keystone/api/auth.py's. */
export function issueV3(cloud: Cloud, call: Call): Answer {
  const auth = object(parse(call.body)['auth']);
  if (auth === undefined) throw missing('auth', 'request body');
  const identity = object(auth['identity']);
  const methods = identity?.['methods'];
  if (identity === undefined || !Array.isArray(methods)) {
    const property = identity === undefined ? 'identity' : 'methods';
    throw new KeystoneError(400, 'Bad Request', `'${property}' is a required property`);
  }
  const names = methods.map(String);
  for (const name of names) if (object(identity[name]) === undefined) throw missing(name, 'identity');
  const shown = names.map((name) => authenticate(cloud, name, object(identity[name]) ?? {}));
  const [first] = shown;
  if (first === undefined || shown.some(({ account }) => account !== first.account)) throw unauthorized();
  const scope = names.includes('application_credential')
    ? ownScope(auth)
    : scopeOf(first.account, auth['scope']);
  const token = cloud.tokens.issue(
    {
      account: first.account,
      scope,
      methods: [...names, ...shown.flatMap(({ token: given }) => given?.methods ?? [])],
    },
    shown.find(({ token: given }) => given !== undefined)?.token?.expires,
  );
  return { status: 201, headers: { 'x-subject-token': token.id }, body: bodyOf(cloud, call, token) };
}

interface Shown {
  readonly account: Account;
  readonly token?: Token;
}

function authenticate(cloud: Cloud, method: string, data: Json): Shown {
  const accounts = [cloud.accounts.admin, cloud.accounts.member];
  if (method === 'password') {
    const user = object(data['user']);
    if (user === undefined) throw missing('user', 'password');
    const account = userOf(accounts, user);
    if (account?.password !== user['password']) throw unauthorized();
    return { account: account ?? refuse() };
  }
  if (method === 'application_credential') {
    const account = credentialOf(accounts, data);
    if (account?.applicationCredential.secret !== data['secret']) throw unauthorized();
    return { account: account ?? refuse() };
  }
  if (method === 'token') {
    const token = cloud.tokens.find(String(data['id']));
    // Not 401: the token that does not exist is what was asked for.
    if (token === undefined) throw notFound('Could not recognize Fernet token');
    return { account: token.account, token };
  }
  throw unauthorized('Attempted to authenticate with an unsupported method.');
}

function refuse(): never {
  throw unauthorized();
}

function userOf(accounts: readonly Account[], user: Json): Account | undefined {
  if (typeof user['id'] === 'string') return accounts.find(({ userId }) => userId === user['id']);
  if (typeof user['name'] !== 'string') throw missing('id or name', 'user');
  const inDomain = domainOf(user, 'user');
  return accounts.find((account) => account.userName === user['name'] && inDomain(account));
}

function credentialOf(accounts: readonly Account[], data: Json): Account | undefined {
  if (typeof data['id'] === 'string') {
    const account = accounts.find(({ applicationCredential }) => applicationCredential.id === data['id']);
    // Not 401, as for a token.
    if (account === undefined) throw notFound(`Could not find Application Credential: ${data['id']}.`);
    return account;
  }
  const user = object(data['user']);
  if (user === undefined) throw missing('user', 'application credential');
  const account = userOf(accounts, user);
  return account?.applicationCredential.name === data['name'] ? account : undefined;
}

function ownScope(auth: Json): Scope {
  if (auth['scope'] !== undefined) throw unauthorized();
  return 'project';
}

const SCOPES = ['system', 'project', 'domain', 'OS-TRUST:trust', 'unscoped'];

function scopeOf(account: Account, asked: unknown): Scope {
  if (asked === undefined || asked === 'unscoped') return 'unscoped';
  const scope = object(asked) ?? {};
  const kinds = SCOPES.filter((kind) => scope[kind] !== undefined);
  if (kinds.length !== 1) throw missing('system, project, domain, OS-TRUST:trust or unscoped', 'scope');
  if (kinds[0] === 'unscoped') return 'unscoped';
  if (kinds[0] === 'system' && isAdmin(account.roles)) return 'system';
  const project = object(scope['project']);
  if (project === undefined) throw unauthorized();
  if (typeof project['id'] === 'string') return project['id'] === account.projectId ? 'project' : refuse();
  if (typeof project['name'] !== 'string') throw missing('id or name', 'project');
  const inDomain = domainOf(project, 'project');
  return project['name'] === account.projectName && inDomain(account) ? 'project' : refuse();
}

function domainOf(named: Json, target: string): (account: Account) => boolean {
  const domain = object(named['domain']);
  if (domain === undefined) throw missing('domain', target);
  return ({ domainId, domainName }) =>
    domain['id'] === undefined ? domain['name'] === domainName : domain['id'] === domainId;
}

function bodyOf(cloud: Cloud, call: Call, token: Token): Json {
  const { account, scope } = token;
  const domain = { id: account.domainId, name: account.domainName };
  const scopes: Record<Scope, Json> = {
    project: {
      project: { domain, id: account.projectId, name: account.projectName },
      is_domain: false,
      roles: account.roles,
    },
    system: { roles: account.roles, system: { all: true } },
    unscoped: {},
  };
  const catalog = services(cloud, call, token).map((service) => ({
    endpoints: service.endpoints.map((endpoint) => ({ ...endpoint, region_id: endpoint.region })),
    id: service.id,
    type: service.type,
    name: service.name,
  }));
  return {
    token: {
      methods: token.methods,
      user: { domain, id: account.userId, name: account.userName, password_expires_at: null },
      audit_ids: [randomBytes(16).toString('base64url')],
      expires_at: isoMicroseconds(token.expires),
      issued_at: isoMicroseconds(token.issued),
      ...scopes[scope],
      ...(scope === 'unscoped' ? {} : { catalog }),
    },
  };
}

function parse(body: string): Json {
  try {
    return object(JSON.parse(body)) ?? {};
  } catch {
    throw missing('valid JSON', 'request body');
  }
}

function object(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}
