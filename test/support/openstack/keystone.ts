import type { Answer, Call } from './answers.ts';
import type { Cloud } from './cloud.ts';
import { KeystoneError, errorAnswer } from './keystone-errors.ts';
import { issueV2 } from './keystone-v2.ts';
import { issueV3 } from './keystone-v3.ts';

/** `/identity`: the versions, and tokens of both. */
export function keystone(cloud: Cloud, call: Call): Answer {
  const path = call.segments.filter((segment) => segment !== '').join('/');
  const offered = versions(cloud, call);
  const asked = offered.find(({ id }) => path === (id === 'v2.0' ? id : 'v3'));
  try {
    if (path === '' && call.method === 'GET') {
      return {
        status: 300,
        headers: { location: offered[0]?.links[0]?.href ?? '' },
        body: { versions: { values: offered } },
      };
    }
    if (asked !== undefined && call.method === 'GET') return { status: 200, body: { version: asked } };
    if (path === 'v3/auth/tokens' && call.method === 'POST' && cloud.keystoneV3) return issueV3(cloud, call);
    if (path === 'v2.0/tokens' && call.method === 'POST' && cloud.keystoneV2) return issueV2(cloud, call);
  } catch (error) {
    if (error instanceof KeystoneError) return errorAnswer(error, call);
    throw error;
  }
  return {
    status: 404,
    headers: { 'content-type': 'text/html; charset=utf-8' },
    body: '<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n',
  };
}

function versions(cloud: Cloud, { origin }: Call) {
  const version = (id: string, status: string, updated: string) => ({
    id,
    status,
    updated,
    links: [{ rel: 'self', href: `${origin}/identity/${id === 'v2.0' ? id : 'v3'}/` }],
    'media-types': [
      {
        base: 'application/json',
        type: `application/vnd.openstack.identity-${id === 'v2.0' ? id : 'v3'}+json`,
      },
    ],
  });
  return [
    ...(cloud.keystoneV3 ? [version('v3.14', 'stable', '2020-04-07T00:00:00Z')] : []),
    ...(cloud.keystoneV2 ? [version('v2.0', 'deprecated', '2016-08-04T00:00:00Z')] : []),
  ];
}
