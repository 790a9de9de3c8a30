import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { NovaError, badRequest } from './nova-errors.ts';

/** Before it, only Nova's own header is read. */
const STANDARD_HEADER = 27;

/** The minor number of a microversion; the major one is always 2. */
export function minorOf(microversion: string): number {
  const minor = /^2\.([1-9]\d*|0)$/.exec(microversion)?.[1];
  if (minor === undefined) throw new Error(`Not a microversion: ${microversion}`);
  return Number(minor);
}

/**
 * Which microversion the headers ask for, 2.1 without any (`set_api_version_request` in nova/api/openstack/wsgi.py).
 *
 * @throws NovaError 400 for what is none, `NotAcceptable` for one that is out of range
 */
export function askedMinor(headers: IncomingHttpHeaders, maxMinor: number): number {
  const standard = maxMinor < STANDARD_HEADER ? undefined : headers['openstack-api-version'];
  const ofCompute = /(?:^|,)\s*compute\s+([^,\s]+)/.exec(String(standard ?? ''))?.[1];
  const asked = ofCompute ?? headers['x-openstack-nova-api-version'];
  if (asked === undefined) return 1;
  const text = String(asked).trim();
  if (text === 'latest') return maxMinor;
  const [, major, minor] = /^([1-9]\d*)\.([1-9]\d*|0)$/.exec(text) ?? [];
  if (major === undefined) {
    throw badRequest(`API Version String ${text} is of invalid format. Must be of format MajorNum.MinorNum.`);
  }
  if (major !== '2' || Number(minor) < 1 || Number(minor) > maxMinor) throw new NotAcceptable(text, maxMinor);
  return Number(minor);
}

export class NotAcceptable extends NovaError {
  readonly asked: string;

  constructor(asked: string, maxMinor: number) {
    super(406, `Version ${asked} is not supported by the API. Minimum is 2.1 and maximum is 2.${maxMinor}.`);
    this.asked = asked;
  }
}

/** What every answer to a request whose microversion was understood carries. */
export function versionHeaders(version: string): OutgoingHttpHeaders {
  return {
    'openstack-api-version': `compute ${version}`,
    'x-openstack-nova-api-version': version,
    vary: 'OpenStack-API-Version, X-OpenStack-Nova-API-Version',
  };
}
