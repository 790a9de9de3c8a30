import { describe, expect, test } from 'vitest';
import { readSettings } from '../../../lib/config/settings.ts';

const least = { STAR_BUCKET: 'traces', STAR_SECRET: 'cloud' };

describe('settings', () => {
  test('need only a bucket and a secret', () => {
    expect(readSettings({ ...least, PATH: '/bin', STAR_PREFIX: '' })).toMatchObject({
      bucket: 'traces',
      prefix: '',
      cloud: 'openstack',
      windowSeconds: 86_400,
      settleSeconds: 1800,
      openHorizonSeconds: 30 * 86_400,
      epoch: Date.parse('2015-09-06T23:31:16Z') / 1000,
      tables: ['instance_events', 'instances', 'machines', 'machine_events'],
      formats: ['csv'],
      formatVersion: '0.2',
      licence: '',
      report: true,
      privacyLimit: 1,
      privacyServersLimit: 1,
      masking: 'sha2-salted',
      hostFrom: 'event',
    });
  });

  test('name the node on bare metal', () => {
    expect(readSettings({ ...least, STAR_MACHINES: 'baremetal' })).toMatchObject({
      hostFrom: 'node',
      tables: ['instance_events', 'instances', 'machines', 'machine_events'],
      rackProperty: 'placement.rack',
    });
  });

  test('read lists with blanks', () => {
    const settings = readSettings({ ...least, STAR_FORMATS: 'csv, jsonl', STAR_EXCLUDE_USERS: 'a, b,' });
    expect(settings.formats).toEqual(['csv', 'jsonl']);
    expect([...settings.excludeUsers]).toEqual(['a', 'b']);
  });

  test.each([
    [
      { STAR_NODE_PROPERTIES: 'node_type,placement.rack' },
      'STAR_NODE_PROPERTIES: got "placement.rack", which is STAR_RACK_PROPERTY and is published masked, as RACK',
    ],
    [{ STAR_NODE_PROPERTIES: 'a b' }, 'STAR_NODE_PROPERTIES: got "a b"; accepted: names of properties'],
    [{ STAR_BUCKET: undefined }, 'STAR_BUCKET: got nothing; accepted: an S3 bucket name'],
    [{ STAR_BUCKET: 'My_Bucket' }, 'STAR_BUCKET: got "My_Bucket"; accepted: an S3 bucket name'],
    [{ STAR_SECRET: '' }, 'STAR_SECRET: got nothing; accepted: the ARN or name of a Secrets Manager secret'],
    [{ STAR_PREFIX: '/a/' }, 'STAR_PREFIX: got "/a/"; accepted: a key prefix'],
    [{ STAR_CLOUD: 'a/b' }, 'STAR_CLOUD: got "a/b"; accepted: a name'],
    [
      { STAR_WINDOW_MINUTES: '7' },
      'STAR_WINDOW_MINUTES: got "7"; accepted: a number of minutes that divides a day',
    ],
    [{ STAR_WINDOW_MINUTES: '1e2' }, 'STAR_WINDOW_MINUTES: got "1e2"'],
    [{ STAR_SETTLE_MINUTES: '-1' }, 'STAR_SETTLE_MINUTES: got "-1"; accepted: whole minutes'],
    [{ STAR_OPEN_HORIZON_DAYS: '0' }, 'STAR_OPEN_HORIZON_DAYS: got "0"; accepted: whole days'],
    [{ STAR_EPOCH: 'noon' }, 'STAR_EPOCH: got "noon"; accepted: an ISO 8601 instant'],
    [{ STAR_FORMATS: 'xml' }, 'STAR_FORMATS: got "xml"; accepted: one or more of csv, jsonl'],
    [{ STAR_FORMAT_VERSION: '0.4' }, 'STAR_FORMAT_VERSION: got "0.4"; accepted: 0.2 or 0.3'],
    [{ STAR_LICENCE: 'my own' }, 'STAR_LICENCE: got "my own"; accepted: an identifier of SPDX'],
    [{ STAR_FORMATS: 'csv,csv' }, 'STAR_FORMATS: got "csv,csv"; accepted: one or more of csv, jsonl'],
    [{ STAR_MASKING: 'md5' }, 'STAR_MASKING: got "md5"; accepted: sha2-salted or sha1-raw or none'],
    [{ STAR_MASKING: 'none' }, 'STAR_MASKING: got "none", which does not protect anyone'],
    [
      { STAR_MASKING: 'none', STAR_ALLOW_UNSAFE_MASKING: 'true', STAR_MASKING_SECRET: 'x' },
      'STAR_MASKING_SECRET: got a secret, but STAR_MASKING=none uses none',
    ],
    [
      { STAR_MACHINES: 'baremetal', STAR_HOST_FROM: 'event' },
      'STAR_HOST_FROM: got "event", but STAR_MACHINES=baremetal always names the node',
    ],
    [{ STAR_HOST_FROM: 'node' }, 'STAR_HOST_FROM: got "node"; accepted: event or instance'],
    [{ STAR_API_CONCURRENCY: '0' }, 'STAR_API_CONCURRENCY: got "0"; accepted: 1 to 64'],
    [{ STAR_API_SWEEP_HOURS: '721' }, 'STAR_API_SWEEP_HOURS: got "721"; accepted: whole hours, 0 to 720'],
    [{ STAR_ALLOW_PARTIAL: 'yes' }, 'STAR_ALLOW_PARTIAL: got "yes"; accepted: true or false'],
    [{ STAR_WINDOW: '60' }, 'STAR_WINDOW: unknown; accepted: STAR_BUCKET, STAR_PREFIX'],
  ])('refuse %j', (wrong, message) => {
    expect(() => readSettings({ ...least, ...wrong })).toThrow(message);
  });
});
