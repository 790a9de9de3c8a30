import { randomUUID } from 'node:crypto';
import type { Row } from '../mariadb/index.ts';
import { isAdmin } from './accounts.ts';
import { type Answer, type Call, HTML, htmlPage } from './answers.ts';
import type { Cloud } from './cloud.ts';

/*
 * A fake of Ironic's API, as far as it lists nodes: what "Bare Metal API" shows of `GET /v1/nodes/detail`, out of the
 * tables of a real Ironic.
 */

const VERSION_HEADER = 'x-openstack-ironic-api-version';
/** Since which minor version a field is shown. */
const RESOURCE_CLASS = 21;

/** `/baremetal` */
export async function ironic(cloud: Cloud, call: Call): Promise<Answer> {
  const headers = {
    'x-openstack-ironic-api-minimum-version': '1.1',
    'x-openstack-ironic-api-maximum-version': `1.${cloud.maxIronicMinor}`,
    'openstack-request-id': `req-${randomUUID()}`,
  };
  const token = cloud.tokens.find(String(call.headers['x-auth-token'] ?? ''));
  if (token === undefined)
    return { status: 401, headers, body: { error: { code: 401, title: 'Unauthorized' } } };
  if (cloud.ironic === undefined || call.segments.join('/') !== 'v1/nodes/detail')
    return { status: 404, headers: { ...headers, ...HTML }, body: htmlPage('404 Not Found', 'Not here.') };
  const [major, minor = 0] = String(call.headers[VERSION_HEADER] ?? '1.1')
    .split('.')
    .map(Number);
  if (major !== 1 || minor > cloud.maxIronicMinor)
    return fault(
      406,
      `Version ${String(call.headers[VERSION_HEADER])} was requested, which is not supported`,
      headers,
    );
  if (!isAdmin(token.account.roles)) return fault(403, 'Access was denied: baremetal:node:list_all', headers);

  const rows = await cloud.ironic.query('SELECT * FROM nodes ORDER BY id');
  const marker = call.params.get('marker');
  const from = marker === null ? 0 : rows.findIndex(({ uuid }) => uuid === marker) + 1;
  if (marker !== null && from === 0) return fault(404, `Node ${marker} could not be found.`, headers);
  const limit = Math.min(Number(call.params.get('limit') ?? Infinity), cloud.maxLimit);
  const page = rows.slice(from, from + limit);
  const last = textOf(page.at(-1)?.['uuid']);
  const next = `${call.origin}/baremetal/v1/nodes?limit=${limit}&marker=${last}`;
  return {
    status: 200,
    headers: { ...headers, [VERSION_HEADER]: `1.${minor}` },
    // The link is there where a page is full, even if nothing follows.
    body: { nodes: page.map((row) => nodeView(row, minor)), ...(page.length === limit ? { next } : {}) },
  };
}

function fault(status: number, text: string, headers: Record<string, string>): Answer {
  return {
    status,
    headers,
    body: { error_message: { faultcode: 'Client', faultstring: text, debuginfo: null } },
  };
}

function nodeView(row: Row, minor: number): object {
  const object = (name: string): unknown => JSON.parse(textOf(row[name]) || '{}');
  return {
    uuid: row['uuid'],
    name: row['name'],
    created_at: timeOf(row['created_at']),
    updated_at: timeOf(row['updated_at']),
    provision_updated_at: timeOf(row['provision_updated_at']),
    provision_state: row['provision_state'],
    target_provision_state: row['target_provision_state'],
    power_state: row['power_state'],
    maintenance: row['maintenance'] === 1,
    maintenance_reason: row['maintenance_reason'],
    last_error: row['last_error'],
    instance_uuid: row['instance_uuid'],
    driver: row['driver'],
    driver_info: object('driver_info'),
    driver_internal_info: object('driver_internal_info'),
    properties: object('properties'),
    extra: object('extra'),
    ...(minor < RESOURCE_CLASS ? {} : { resource_class: row['resource_class'] }),
  };
}

/** `2016-08-18T22:28:48+00:00` */
function timeOf(value: unknown): string | null {
  const text = textOf(value);
  return text === '' ? null : `${text.slice(0, 19).replace(' ', 'T')}+00:00`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
