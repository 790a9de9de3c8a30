import assert from 'node:assert/strict';
import type { Check } from './contract.ts';
import { NO_SERVER, aDeletedServer, aLiveServer, keysOf, serverKeys } from './contract-samples.ts';

export const novaChecks: Readonly<Record<string, Check>> = {
  async 'Nova says its versions to anyone'({ nova, raw }) {
    const { status, json } = await raw(`${nova}/`);
    assert.equal(status, 200);
    assert.equal(json.version.id, 'v2.1');
    assert.equal(json.version.min_version, '2.1');
    assert.match(json.version.version, /^2\.\d+$/);
    const root = await raw(nova.replace(/v2\.1$/, ''));
    assert.equal(root.status, 200);
    assert.deepEqual(
      root.json.versions.map(({ id }: { id: string }) => id),
      ['v2.0', 'v2.1'],
    );
  },
  async 'without a token, or with an unknown one, it is 401'({ nova, raw }) {
    for (const headers of [{}, { 'x-auth-token': 'unknown' }] as Record<string, string>[]) {
      const reply = await raw(`${nova}/servers`, headers);
      assert.equal(reply.status, 401);
      assert.match(reply.headers.get('www-authenticate') ?? '', /^Keystone uri="http/);
      assert.deepEqual(reply.json.error, {
        code: 401,
        title: 'Unauthorized',
        message: 'The request you have made requires authentication.',
      });
    }
  },
  async 'a microversion is asked for in either header, and is 2.1 without'({ nova, raw, token }) {
    for (const [headers, served] of [
      [{}, '2.1'],
      [{ 'x-openstack-nova-api-version': '2.53' }, '2.53'],
      [{ 'openstack-api-version': 'compute 2.53' }, '2.53'],
      [{ 'openstack-api-version': 'compute 2.53', 'x-openstack-nova-api-version': '2.60' }, '2.53'],
      [{ 'openstack-api-version': 'volume 3.1' }, '2.1'],
    ] as [Record<string, string>, string][]) {
      const reply = await raw(`${nova}/servers?limit=1`, { 'x-auth-token': token, ...headers });
      assert.equal(reply.status, 200);
      assert.equal(reply.headers.get('openstack-api-version'), `compute ${served}`);
      assert.equal(reply.headers.get('x-openstack-nova-api-version'), served);
      assert.match(reply.headers.get('x-openstack-request-id') ?? '', /^req-[0-9a-f-]{36}$/);
    }
  },
  async 'a microversion that is out of range is 406, and what is none is 400'(cloud) {
    const { json } = await cloud.raw(`${cloud.nova}/`);
    for (const asked of ['2.999', '2.0', '3.1']) {
      const reply = await cloud.raw(`${cloud.nova}/servers`, {
        'x-auth-token': cloud.token,
        'x-openstack-nova-api-version': asked,
      });
      assert.equal(reply.status, 406);
      assert.deepEqual(reply.json.computeFault, {
        code: 406,
        message: `Version ${asked} is not supported by the API. Minimum is 2.1 and maximum is ${json.version.version}.`,
      });
      assert.equal(reply.headers.get('openstack-api-version'), `compute ${asked}`);
    }
    for (const asked of ['new', '2', '2.01', '2.1.1']) {
      const reply = await cloud.raw(`${cloud.nova}/servers`, {
        'x-auth-token': cloud.token,
        'x-openstack-nova-api-version': asked,
      });
      assert.equal(reply.status, 400);
      assert.equal(
        reply.json.badRequest.message,
        `API Version String ${asked} is of invalid format. Must be of format MajorNum.MinorNum.`,
      );
      assert.equal(reply.headers.get('openstack-api-version'), null);
    }
  },
  async 'an administrator sees these fields of a server, by microversion'(cloud) {
    const { id } = await aLiveServer(cloud);
    for (const minor of [1, 3, 9, 16, 19, 21, 26, 47, 58, 62, 63, 66, 69, 71, 73, 90, 93]) {
      const shown = await cloud.get(`/servers/${id}`, minor);
      assert.deepEqual(keysOf(shown.json.server), serverKeys(minor, { inList: false }), `2.${minor}`);
      const listed = await cloud.get(`/servers/detail?all_tenants=1&uuid=${id}`, minor);
      assert.deepEqual(keysOf(listed.json.servers[0]), serverKeys(minor, { inList: true }), `2.${minor}`);
      const flavor =
        minor < 47
          ? ['id', 'links']
          : ['disk', 'ephemeral', 'extra_specs', 'original_name', 'ram', 'swap', 'vcpus'];
      assert.deepEqual(Object.keys(shown.json.server.flavor).toSorted(), flavor);
    }
  },
  async 'a flavour that a server names is found by its id'(cloud) {
    const { id } = await aLiveServer(cloud);
    const { json } = await cloud.get(`/servers/${id}`, 46);
    const { json: sizes } = await cloud.get(`/servers/${id}`, 47);
    const { status, json: found } = await cloud.get(`/flavors/${json.server.flavor.id}`, 46);
    assert.equal(status, 200);
    const { vcpus, ram, disk, 'OS-FLV-EXT-DATA:ephemeral': ephemeral } = found.flavor;
    const { vcpus: itsVcpus, ram: itsRam, disk: itsDisk, ephemeral: itsEphemeral } = sizes.server.flavor;
    assert.deepEqual([vcpus, ram, disk, ephemeral], [itsVcpus, itsRam, itsDisk, itsEphemeral]);
    const all = await cloud.get('/flavors/detail?is_public=None', 46);
    assert.ok(all.json.flavors.some((flavor: { id: string }) => flavor.id === found.flavor.id));
    assert.deepEqual(
      Object.keys(found.flavor).toSorted(),
      'OS-FLV-DISABLED:disabled OS-FLV-EXT-DATA:ephemeral disk id links name os-flavor-access:is_public ram rxtx_factor swap vcpus'.split(
        ' ',
      ),
    );
    const unknown = await cloud.get('/flavors/unknown', 46);
    assert.equal(unknown.status, 404);
    assert.equal(unknown.json.itemNotFound.message, 'Flavor unknown could not be found.');
  },
  async 'a deleted server is 404 by itself, at any microversion'(cloud) {
    const { id } = await aDeletedServer(cloud);
    for (const minor of [1, 21, 93]) {
      const { status, json } = await cloud.get(`/servers/${id}`, minor);
      assert.equal(status, 404);
      assert.deepEqual(json.itemNotFound, { code: 404, message: `Instance ${id} could not be found.` });
    }
  },
  async 'an unknown server is 404, and what is no uuid as well'({ get }) {
    for (const id of [NO_SERVER, 'unknown']) {
      for (const path of ['', '/os-instance-actions', '/os-instance-actions/req-1']) {
        const { status, json } = await get(`/servers/${id}${path}`, 93);
        assert.equal(status, 404);
        assert.deepEqual(json.itemNotFound, { code: 404, message: `Instance ${id} could not be found.` });
      }
    }
  },
  async 'a service has these fields, by microversion'({ get }) {
    const first = 'binary disabled_reason host id state status updated_at zone'.split(' ');
    for (const minor of [1, 11, 53, 69, 93]) {
      const { status, json } = await get('/os-services?binary=nova-compute', minor);
      assert.equal(status, 200);
      const [service] = json.services;
      const keys = minor < 11 ? first : [...first, 'forced_down'].toSorted();
      assert.deepEqual(Object.keys(service).toSorted(), keys);
      assert.equal(typeof service.id, minor < 53 ? 'number' : 'string');
    }
    assert.equal((await get('/os-services?unknown=1', 74)).status, 200);
    assert.equal((await get('/os-services?unknown=1', 75)).status, 400);
  },
};
