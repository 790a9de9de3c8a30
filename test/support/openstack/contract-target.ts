/** Whoever asks, and where. */
export interface ContractCredentials {
  /** Keystone, with or without a version. */
  readonly authUrl: string;
  readonly user: { readonly name: string; readonly domain: DomainName; readonly password: string };
  readonly project: { readonly name: string; readonly domain: DomainName };
  readonly region?: string;
}

type DomainName = { readonly name: string } | { readonly id: string };

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined where the body is no JSON. */
  readonly json: Json;
}

// The answers of another program, looked into freely.
// oxlint-disable-next-line typescript/no-explicit-any
export type Json = any;

/** A Keystone and a Nova, only ever asked. */
export interface ContractTarget {
  readonly credentials: ContractCredentials;
  /** Keystone without a version, and without a slash at its end. */
  readonly keystone: string;
  /** The versioned endpoint of Nova. */
  readonly nova: string;
  readonly token: string;
  /** Without `minor` no microversion is asked for. */
  readonly get: (path: string, minor?: number) => Promise<Reply>;
  readonly raw: (url: string, headers?: Record<string, string>) => Promise<Reply>;
  readonly auth: (auth: object) => Promise<Reply>;
  /** Servers whose last change is some time ago, live and deleted ones, newest first. */
  readonly settled: () => Promise<Json[]>;
}

const SETTLED_MS = 60_000;

export async function connect(credentials: ContractCredentials): Promise<ContractTarget> {
  const keystone = credentials.authUrl.replace(/\/+$/, '').replace(/\/v[\d.]+$/, '');
  const auth = (body: object): Promise<Reply> => send(`${keystone}/v3/auth/tokens`, {}, { auth: body });
  const { user, project } = credentials;
  const identity = { methods: ['password'], password: { user } };
  const issued = await auth({ identity, scope: { project } });
  const token = issued.headers.get('x-subject-token') ?? '';
  if (issued.status !== 201) throw new Error(`No token: ${issued.status} ${JSON.stringify(issued.json)}`);
  const services: Json[] = issued.json.token.catalog;
  const endpoints: Json[] = services.find(({ type }) => type === 'compute').endpoints;
  const { url } = endpoints.find(
    (endpoint) =>
      endpoint.interface === 'public' && [undefined, endpoint.region_id].includes(credentials.region),
  );
  const raw = (address: string, headers: Record<string, string> = {}): Promise<Reply> =>
    send(address, headers);
  const get = (path: string, minor?: number): Promise<Reply> =>
    raw(`${url}${path}`, {
      'x-auth-token': token,
      ...(minor === undefined ? {} : { 'x-openstack-nova-api-version': `2.${minor}` }),
    });
  return {
    credentials,
    keystone,
    nova: url,
    token,
    get,
    raw,
    auth,
    async settled() {
      const { json } = await get('/servers/detail?all_tenants=1&changes-since=1970-01-01T00:00:00Z', 93);
      const servers: Json[] = json.servers;
      return servers.filter(({ updated }) => Date.parse(updated) < Date.now() - SETTLED_MS);
    },
  };
}

/** The one that an openrc in the environment names. */
export function credentialsOf(env: NodeJS.ProcessEnv): ContractCredentials {
  const read = (name: string): string => {
    const value = env[name];
    if (value === undefined) throw new Error(`Not in the environment: ${name}`);
    return value;
  };
  return {
    authUrl: read('OS_AUTH_URL'),
    user: {
      name: read('OS_USERNAME'),
      password: read('OS_PASSWORD'),
      domain: { name: env['OS_USER_DOMAIN_NAME'] ?? 'Default' },
    },
    project: { name: read('OS_PROJECT_NAME'), domain: { name: env['OS_PROJECT_DOMAIN_NAME'] ?? 'Default' } },
    ...(env['OS_REGION_NAME'] === undefined ? {} : { region: env['OS_REGION_NAME'] }),
  };
}

async function send(url: string, headers: Record<string, string>, body?: object): Promise<Reply> {
  const response = await fetch(url, {
    redirect: 'manual',
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, json: parse(text) };
}

function parse(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
