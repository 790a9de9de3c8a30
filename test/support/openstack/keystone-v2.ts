import { randomBytes } from 'node:crypto';
import { iso } from '../../../lib/core/time.ts';
import type { Account } from './accounts.ts';
import type { Answer, Call } from './answers.ts';
import { type Service, services } from './catalogue.ts';
import type { Cloud } from './cloud.ts';
import { isoMicroseconds } from './instants.ts';
import { missing, unauthorized } from './keystone-errors.ts';
import type { Token } from './tokens.ts';

interface AuthV2 {
  passwordCredentials?: { username?: string; userId?: string; password?: string };
  token?: { id?: string };
  tenantName?: string;
  tenantId?: string;
}

/** `POST /v2.0/tokens`: "Identity API v2.0", which knows no domains and was removed in Queens. */
export function issueV2(cloud: Cloud, call: Call): Answer {
  const auth = parse(call.body).auth;
  if (auth === undefined) throw missing('auth', 'request body');
  const given = auth.token === undefined ? undefined : cloud.tokens.find(auth.token.id);
  const account = given?.account ?? userOf(cloud, auth);
  const { tenantId, tenantName } = auth;
  const isScoped = tenantId !== undefined || tenantName !== undefined;
  if (tenantId !== undefined && tenantId !== account.projectId) throw unauthorized();
  if (tenantName !== undefined && tenantName !== account.projectName) throw unauthorized();
  const scope = isScoped ? 'project' : 'unscoped';
  const method = given === undefined ? 'password' : 'token';
  const token = cloud.tokens.issue({ account, scope, methods: [method] }, given?.expires);
  return { status: 200, body: bodyOf(token, isScoped ? services(cloud, call, token) : []) };
}

function userOf(cloud: Cloud, { passwordCredentials: credentials }: AuthV2): Account {
  if (credentials === undefined) throw unauthorized();
  const account = [cloud.accounts.admin, cloud.accounts.member].find(
    ({ userId, userName }) => credentials.userId === userId || credentials.username === userName,
  );
  if (account === undefined || account.password !== credentials.password) throw unauthorized();
  return account;
}

function bodyOf(token: Token, catalogue: readonly Service[]): object {
  const { account } = token;
  const tenant = { id: account.projectId, name: account.projectName, enabled: true, description: null };
  const isScoped = token.scope === 'project';
  return {
    access: {
      token: {
        issued_at: isoMicroseconds(token.issued),
        expires: iso(token.expires),
        id: token.id,
        ...(isScoped ? { tenant } : {}),
        audit_ids: [randomBytes(16).toString('base64url')],
      },
      serviceCatalog: catalogue.map(({ type, name, endpoints }) => ({
        endpoints: [...Map.groupBy(endpoints, ({ region }) => region)].map(([region, of]) => ({
          region,
          id: of[0]?.id,
          ...Object.fromEntries(of.map((endpoint) => [`${endpoint.interface}URL`, endpoint.url])),
        })),
        endpoints_links: [],
        type,
        name,
      })),
      user: {
        username: account.userName,
        name: account.userName,
        id: account.userId,
        roles_links: [],
        roles: isScoped ? account.roles.map(({ name }) => ({ name })) : [],
      },
      metadata: { is_admin: 0, roles: isScoped ? account.roles.map(({ id }) => id) : [] },
    },
  };
}

function parse(body: string): { auth?: AuthV2 } {
  try {
    const value: { auth?: AuthV2 } | null = JSON.parse(body);
    return value ?? {};
  } catch {
    throw missing('valid JSON', 'request body');
  }
}
