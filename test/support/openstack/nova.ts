import { randomUUID } from 'node:crypto';
import { type Account, isAdmin } from './accounts.ts';
import { listActions, showAction } from './actions.ts';
import { type Answer, type Call, HTML, htmlPage } from './answers.ts';
import type { Cloud } from './cloud.ts';
import { listFlavors, showFlavor } from './flavors.ts';
import { NotAcceptable, askedMinor, versionHeaders } from './microversion.ts';
import { NovaError } from './nova-errors.ts';
import { listServers } from './servers.ts';
import { listHypervisors, listServices } from './services.ts';
import { showServer } from './show-server.ts';
import type { Scope, Token } from './tokens.ts';

/** A request of someone who is known, at a microversion that is served. */
export interface NovaCall {
  readonly cloud: Cloud;
  readonly minor: number;
  readonly account: Account;
  readonly scope: Scope;
  readonly isAdmin: boolean;
  readonly params: URLSearchParams;
  readonly signal: AbortSignal;
  /** `http://127.0.0.1:1234/compute/v2.1`: what links begin with. */
  readonly base: string;
}

type Route = (call: NovaCall, ...ids: string[]) => Promise<object>;

const ROUTES: [pattern: RegExp, route: Route][] = [
  [/^servers$/, (call) => listServers(call, false)],
  [/^servers\/detail$/, (call) => listServers(call, true)],
  [/^servers\/([^/]+)$/, showServer],
  [/^servers\/([^/]+)\/os-instance-actions$/, listActions],
  [/^servers\/([^/]+)\/os-instance-actions\/([^/]+)$/, showAction],
  [/^flavors$/, (call) => listFlavors(call, false)],
  [/^flavors\/detail$/, (call) => listFlavors(call, true)],
  [/^flavors\/([^/]+)$/, showFlavor],
  [/^os-services$/, listServices],
  [/^os-hypervisors\/detail$/, listHypervisors],
];

/** `/compute`: the part of Nova's API that reads servers. */
export async function nova(cloud: Cloud, prefix: string, call: Call): Promise<Answer> {
  const { 'x-auth-token': tokenId } = call.headers;
  const [version = '', ...rest] = call.segments;
  const root = `${call.origin}/${prefix}`;
  if (version === '') return { status: 200, body: { versions: versions(cloud, root) } };
  const ids = { 'x-compute-request-id': `req-${randomUUID()}` };
  if (version !== 'v2.1') return notFound(ids);
  const isVersionDocument = rest.join('') === '';
  const token = cloud.tokens.find(typeof tokenId === 'string' ? tokenId : undefined);
  if (!isVersionDocument && token === undefined) return unauthenticated(call, ids);
  try {
    if (isVersionDocument) {
      const document = async (): Promise<object> => ({ version: versionDocument(cloud, root) });
      return await answer(document, askedMinor(call.headers, cloud.maxMinor), ids);
    }
    return await routed(cloud, root, call, token as Token, ids);
  } catch (error) {
    // The headers name a microversion as soon as it is known, even one that is out of range.
    if (error instanceof NotAcceptable) return fault(error, { ...ids, ...versionHeaders(error.asked) });
    if (error instanceof NovaError) return fault(error, ids);
    throw error;
  }
}

async function routed(
  cloud: Cloud,
  root: string,
  call: Call,
  token: Token,
  ids: Record<string, string>,
): Promise<Answer> {
  const { account, scope } = token;
  const [, ...segments] = call.segments.map((segment) => decodeURIComponent(segment));
  // A URL may still carry the project's id, as all did before microversion 2.18.
  const hasProject = segments[0] === account.projectId && scope === 'project';
  const path = (hasProject ? segments.slice(1) : segments).join('/');
  for (const [pattern, route] of ROUTES) {
    const match = call.method === 'GET' ? pattern.exec(path) : null;
    if (match === null) continue;
    const minor = askedMinor(call.headers, cloud.maxMinor);
    const novaCall: NovaCall = {
      cloud,
      minor,
      account,
      scope,
      isAdmin: scope !== 'unscoped' && isAdmin(account.roles),
      params: call.params,
      signal: call.signal,
      base: `${root}/v2.1${hasProject ? `/${account.projectId}` : ''}`,
    };
    return answer(() => route(novaCall, ...match.slice(1)), minor, ids);
  }
  return notFound(ids);
}

async function answer(
  body: () => Promise<object>,
  minor: number,
  ids: Record<string, string>,
): Promise<Answer> {
  const headers = { ...ids, ...versionHeaders(`2.${minor}`) };
  try {
    return { status: 200, headers, body: await body() };
  } catch (error) {
    if (error instanceof NovaError) return fault(error, headers);
    throw error;
  }
}

function fault({ status, body }: NovaError, headers: Answer['headers']): Answer {
  return { status, headers: { ...headers, 'content-type': 'application/json; charset=UTF-8' }, body };
}

/** The body is keystonemiddleware's, which stands before Nova and whose shape is Keystone's. */
function unauthenticated(call: Call, ids: Record<string, string>): Answer {
  const message = 'The request you have made requires authentication.';
  return {
    status: 401,
    headers: { ...ids, 'www-authenticate': `Keystone uri="${call.origin}/identity"` },
    body: { error: { code: 401, title: 'Unauthorized', message } },
  };
}

function notFound(ids: Record<string, string>): Answer {
  return {
    status: 404,
    headers: { ...ids, ...HTML },
    body: htmlPage('404 Not Found', 'The resource could not be found.'),
  };
}

function versions(cloud: Cloud, root: string): object[] {
  const self = (path: string): object[] => [{ rel: 'self', href: `${root}/${path}/` }];
  return [
    {
      id: 'v2.0',
      status: 'SUPPORTED',
      version: '',
      min_version: '',
      updated: '2011-01-21T11:33:21Z',
      links: self('v2'),
    },
    {
      id: 'v2.1',
      status: 'CURRENT',
      version: `2.${cloud.maxMinor}`,
      min_version: '2.1',
      updated: '2013-07-23T11:33:21Z',
      links: self('v2.1'),
    },
  ];
}

function versionDocument(cloud: Cloud, root: string): object {
  const [, current] = versions(cloud, root);
  return {
    ...current,
    links: [
      { rel: 'self', href: `${root}/v2.1/` },
      { rel: 'describedby', type: 'text/html', href: 'http://docs.openstack.org/' },
    ],
    'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.compute+json;version=2.1' }],
  };
}
