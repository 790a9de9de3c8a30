import * as z from 'zod/mini';
import type { OpenStackConnection } from '../../connection/connection.ts';
import { SourceError } from '../../core/errors.ts';
import { type Seconds, parseInstant } from '../../core/time.ts';
import { type Catalogue, CatalogueV2, CatalogueV3 } from './catalogue.ts';
import { refuseForeign } from './foreign.ts';
import type { Http, HttpAnswer } from './http.ts';
import { TransientAnswer, withRetries } from './retry.ts';
import { parseJson, refuseStatus, shaped, statusCause, transientStatus } from './answers.ts';
import { shownUrl } from './shown-url.ts';

export interface Token {
  /** The secret itself: goes into X-Auth-Token and nowhere else. */
  readonly id: string;
  /** How long it is valid from now on; undefined if Keystone does not tell. */
  readonly seconds: number | undefined;
  /** By Keystone's clock; undefined if Keystone does not tell. */
  readonly issued: Seconds | undefined;
  readonly expires: Seconds | undefined;
  readonly catalogue: Catalogue;
  /** Names of the roles that its user has in its scope. */
  readonly roles: readonly string[];
  /** The name of its project, or `system`; undefined without a scope. */
  readonly scope: { readonly project: string } | 'system' | undefined;
}

const TIMEOUT_SECONDS = 60;

const TOKEN = 'Keystone: a token';

const KEYSTONE_URL =
  'the URL of Keystone (OS_AUTH_URL), such as https://HOST:5000/v3 or https://HOST/identity';

/** Requests a new token each time, by the suitable version of Keystone's API. */
export interface Keystone {
  /** @throws SourceError if Keystone refuses the credentials or does not answer as documented */
  issue(signal: AbortSignal): Promise<Token>;
}

export function openKeystone(http: Http, connection: OpenStackConnection): Keystone {
  const base = connection.authUrl.replace(/\/+$/, '').replace(/\/v(2\.0|3)$/, '');
  let version = connection.identityVersion;
  return {
    async issue(signal) {
      version ??= await withRetries(() => offeredVersion(http, connection.authUrl, signal), signal);
      const call = version === 'v3' ? v3Call(connection) : v2Call(connection);
      const answer = await withRetries(
        () => authenticate(http, `${base}/${version}${call.path}`, call.body, connection, signal),
        signal,
      );
      return version === 'v3' ? v3Token(answer) : v2Token(answer);
    },
  };
}

const VersionDocument = z.union([
  z.object({ versions: z.object({ values: z.array(z.object({ id: z.string() })) }) }),
  z.object({ version: z.object({ id: z.string() }) }),
]);

/**
 * Which version the authentication URL offers: an unversioned one lists all, a versioned one says its own. Links are
 * not followed, because they are often wrong behind a proxy.
 */
export async function offeredVersion(
  http: Http,
  authUrl: string,
  signal: AbortSignal,
): Promise<'v3' | 'v2.0'> {
  const what = 'Keystone: its versions';
  const answer = await http.send(
    {
      method: 'GET',
      url: `${authUrl.replace(/\/+$/, '')}/`,
      headers: {},
      what,
      timeoutSeconds: TIMEOUT_SECONDS,
    },
    signal,
  );
  if (transientStatus(answer.status)) throw refuseStatus(what, answer);
  refuseForeign(what, authUrl, answer, KEYSTONE_URL);
  const parsed = z.safeParse(VersionDocument, parseJson(what, answer.body));
  if (!parsed.success) {
    throw notKeystone(what, authUrl, answer.status);
  }
  const document = parsed.data;
  const ids =
    'version' in document ? [document.version.id] : document.versions.values.map((version) => version.id);
  return ids.some((id) => id.startsWith('v3')) || !ids.some((id) => id.startsWith('v2')) ? 'v3' : 'v2.0';
}

function notKeystone(what: string, url: string, status: number): SourceError {
  return new SourceError(
    `${what}: ${shownUrl(url)}: what answers there is no Keystone (${status}); accepted: ${KEYSTONE_URL}`,
    { transient: false, cause: statusCause(status) },
  );
}

async function authenticate(
  http: Http,
  url: string,
  body: object,
  { identity }: OpenStackConnection,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const what = TOKEN;
  const answer = await http.send(
    { method: 'POST', url, headers: {}, body, what, timeoutSeconds: TIMEOUT_SECONDS },
    signal,
  );
  refuseForeign(what, url, answer, KEYSTONE_URL);
  if (answer.status === 200 || answer.status === 201) return answer;
  if (answer.status === 401) {
    throw new SourceError(
      `${what}: the credentials are refused (401); ` +
        'accepted: a valid user, password or application credential, and a project or system scope it has a role in',
      { transient: false, cause: statusCause(401) },
    );
  }
  // Keystone does not find a token or a credential that has expired or was revoked.
  if (answer.status === 404 && identity.method === 'password') throw notKeystone(what, url, answer.status);
  if (answer.status === 404 && identity.method !== 'password') {
    const shown = identity.method === 'token' ? 'token' : 'application credential';
    throw new SourceError(`${what}: the ${shown} is unknown to Keystone, has expired or was revoked (404)`, {
      transient: false,
      cause: statusCause(404),
    });
  }
  throw refuseStatus(what, answer);
}

interface AuthCall {
  readonly path: string;
  readonly body: object;
}

/** "Identity API v3", POST /v3/auth/tokens. */
function v3Call({ identity, scope }: OpenStackConnection): AuthCall {
  const auth: Record<string, unknown> = {};
  switch (identity.method) {
    case 'password':
      auth['identity'] = {
        methods: ['password'],
        password: { user: { ...identity.user, password: identity.password } },
      };
      break;
    case 'applicationCredential':
      auth['identity'] = {
        methods: ['application_credential'],
        application_credential: { ...identity.credential, secret: identity.secret },
      };
      break;
    case 'token':
      auth['identity'] = { methods: ['token'], token: { id: identity.token } };
      break;
  }
  if ('project' in scope) auth['scope'] = { project: scope.project };
  else if ('system' in scope) auth['scope'] = { system: { all: true } };
  return { path: '/auth/tokens', body: { auth } };
}

/** "Identity API v2.0" (removed in Queens), POST /v2.0/tokens; its names have no domains. */
function v2Call({ identity, scope }: OpenStackConnection): AuthCall {
  const auth: Record<string, unknown> = {};
  if (identity.method === 'password') {
    const user = 'id' in identity.user ? { userId: identity.user.id } : { username: identity.user.name };
    auth['passwordCredentials'] = { ...user, password: identity.password };
  } else if (identity.method === 'token') auth['token'] = { id: identity.token };
  else throw versionMismatch('an application credential');
  if ('project' in scope) {
    if ('id' in scope.project) auth['tenantId'] = scope.project.id;
    else auth['tenantName'] = scope.project.name;
  } else throw versionMismatch('a system scope');
  return { path: '/tokens', body: { auth } };
}

function versionMismatch(what: string): SourceError {
  return new SourceError(`Keystone: offers v2.0 only, which has no place for ${what}`, { transient: false });
}

const Roles = z.array(z.object({ name: z.string() }));
const Project = z.nullable(z.object({ name: z.string() }));

const V3 = z.object({
  token: z.object({
    expires_at: z.nullish(z.string()),
    issued_at: z.nullish(z.string()),
    catalog: z.optional(CatalogueV3),
    roles: z.optional(Roles),
    project: z.optional(Project),
    system: z.optional(z.looseObject({})),
  }),
});

function v3Token(answer: HttpAnswer): Token {
  const { token } = shaped(V3, parseJson(TOKEN, answer.body), TOKEN);
  const id = answer.headers['x-subject-token'];
  if (id === undefined) throw new TransientAnswer(`${TOKEN}: the answer has none`, undefined);
  return {
    id,
    ...lifetime(token.issued_at, token.expires_at),
    catalogue: token.catalog ?? [],
    roles: token.roles?.map(({ name }) => name) ?? [],
    scope: scopeOf(token.project, token.system !== undefined),
  };
}

const V2 = z.object({
  access: z.object({
    token: z.object({
      id: z.string(),
      expires: z.nullish(z.string()),
      issued_at: z.nullish(z.string()),
      tenant: z.optional(Project),
    }),
    serviceCatalog: z.optional(CatalogueV2),
    user: z.optional(z.object({ roles: z.optional(Roles) })),
  }),
});

function v2Token(answer: HttpAnswer): Token {
  const { token, serviceCatalog, user } = shaped(V2, parseJson(TOKEN, answer.body), TOKEN).access;
  return {
    id: token.id,
    ...lifetime(token.issued_at ?? answer.headers['date'], token.expires),
    catalogue: serviceCatalog ?? [],
    roles: user?.roles?.map(({ name }) => name) ?? [],
    scope: scopeOf(token.tenant, false),
  };
}

function scopeOf(project: z.output<typeof Project> | undefined, isSystem: boolean): Token['scope'] {
  if (project !== undefined && project !== null) return { project: project.name };
  return isSystem ? 'system' : undefined;
}

/** Both times are by Keystone's clock, so this machine's clock does not matter. */
function lifetime(
  issued: string | null | undefined,
  expires: string | null | undefined,
): Pick<Token, 'issued' | 'expires' | 'seconds'> {
  const [from, until] = [instant(issued), instant(expires)];
  const seconds = from === undefined || until === undefined ? undefined : until - from;
  return { issued: from, expires: until, seconds };
}

function instant(text: string | null | undefined): number | undefined {
  if (text === null || text === undefined) return undefined;
  const other = Date.parse(text) / 1000;
  return parseInstant(text) ?? (Number.isNaN(other) ? undefined : other);
}
