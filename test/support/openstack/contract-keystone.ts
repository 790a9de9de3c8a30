import assert from 'node:assert/strict';
import type { Check } from './contract.ts';
import type { ContractTarget, Json } from './contract-target.ts';

const UNAUTHORIZED = 'The request you have made requires authentication.';

export const keystoneChecks: Readonly<Record<string, Check>> = {
  async 'Keystone without a version answers 300 and lists its versions'({ keystone, raw }) {
    for (const slash of ['', '/']) {
      const { status, json } = await raw(`${keystone}${slash}`);
      assert.equal(status, 300);
      const v3 = json.versions.values.find(({ id }: Json) => id.startsWith('v3'));
      assert.equal(v3.status, 'stable');
      assert.equal(v3.links[0].href, `${keystone}/v3/`);
    }
  },
  async 'Keystone v3 says its version'({ keystone, raw }) {
    for (const slash of ['', '/']) {
      const { status, json } = await raw(`${keystone}/v3${slash}`);
      assert.equal(status, 200);
      assert.match(json.version.id, /^v3\.\d+$/);
    }
  },
  async 'a token of a project has its roles, a catalogue and times in microseconds'(cloud) {
    const { status, json } = await cloud.auth({ identity: passwordOf(cloud), scope: projectOf(cloud) });
    assert.equal(status, 201);
    assert.deepEqual(
      keys(json.token).filter((key) => key !== 'is_domain'),
      ['audit_ids', 'catalog', 'expires_at', 'issued_at', 'methods', 'project', 'roles', 'user'],
    );
    assert.match(json.token.expires_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    const [{ endpoints }] = json.token.catalog;
    assert.deepEqual(keys(endpoints[0]), ['id', 'interface', 'region', 'region_id', 'url']);
  },
  async 'a token without a scope has neither project nor roles nor a catalogue'(cloud) {
    for (const scope of [{}, { scope: 'unscoped' }]) {
      const { status, json } = await cloud.auth({ identity: passwordOf(cloud), ...scope });
      assert.equal(status, 201);
      assert.deepEqual(keys(json.token), ['audit_ids', 'expires_at', 'issued_at', 'methods', 'user']);
    }
  },
  async 'a token of the system has roles and a catalogue and no project'(cloud) {
    const { status, json } = await cloud.auth({
      identity: passwordOf(cloud),
      scope: { system: { all: true } },
    });
    assert.equal(status, 201);
    assert.deepEqual(json.token.system, { all: true });
    assert.equal('project' in json.token, false);
    assert.equal('catalog' in json.token, true);
  },
  async 'a token made of another ends with it'(cloud) {
    const first = await cloud.auth({ identity: passwordOf(cloud) });
    const id = first.headers.get('x-subject-token');
    const second = await cloud.auth({
      identity: { methods: ['token'], token: { id } },
      scope: projectOf(cloud),
    });
    assert.equal(second.status, 201);
    // Keystone keeps them as a set.
    assert.deepEqual(second.json.token.methods.toSorted(), ['password', 'token']);
    assert.equal(second.json.token.expires_at, first.json.token.expires_at);
  },
  async 'a wrong password, an unknown user and an unknown project are 401, all in the same words'(cloud) {
    const { user } = cloud.credentials;
    const scope = projectOf(cloud);
    for (const auth of [
      { identity: passwordOf(cloud, { ...user, password: 'wrong' }), scope },
      { identity: passwordOf(cloud, { ...user, name: 'nobody' }), scope },
      { identity: passwordOf(cloud), scope: { project: { id: 'unknown' } } },
      { identity: passwordOf(cloud), scope: { project: { ...cloud.credentials.project, name: 'unknown' } } },
      {
        identity: {
          methods: ['application_credential'],
          application_credential: { name: 'unknown', secret: 'wrong', user },
        },
      },
    ]) {
      const { status, json, headers } = await cloud.auth(auth);
      assert.equal(status, 401);
      assert.deepEqual(json.error, { code: 401, message: UNAUTHORIZED, title: 'Unauthorized' });
      assert.match(headers.get('www-authenticate') ?? '', /^Keystone uri="http/);
    }
  },
  async 'an unknown application credential and an unknown token are 404, not 401'(cloud) {
    const credential = await cloud.auth({
      identity: {
        methods: ['application_credential'],
        application_credential: { id: 'unknown', secret: 'wrong' },
      },
    });
    assert.equal(credential.status, 404);
    assert.deepEqual(credential.json.error, {
      code: 404,
      message: 'Could not find Application Credential: unknown.',
      title: 'Not Found',
    });
    const token = await cloud.auth({ identity: { methods: ['token'], token: { id: 'unknown' } } });
    assert.equal(token.status, 404);
  },
  async 'a request that lacks something is 400, and says what'(cloud) {
    const { name, password } = cloud.credentials.user;
    for (const [auth, missing] of [
      [{ identity: passwordOf(cloud, { name, password }) }, 'domain in user'],
      [{ identity: { methods: ['password'] } }, 'password in identity'],
      [
        {
          identity: passwordOf(cloud),
          scope: { project: { name: cloud.credentials.project.name } },
        },
        'domain in project',
      ],
      [
        {
          identity: {
            methods: ['application_credential'],
            application_credential: { name: 'unknown', secret: 'wrong' },
          },
        },
        'user in application credential',
      ],
    ] as const) {
      const { status, json } = await cloud.auth(auth);
      assert.equal(status, 400);
      assert.ok(json.error.message.startsWith(`Expecting to find ${missing}. `), json.error.message);
    }
  },
};

function passwordOf(cloud: ContractTarget, user: object = cloud.credentials.user): object {
  return { methods: ['password'], password: { user } };
}

function projectOf(cloud: ContractTarget): object {
  return { project: cloud.credentials.project };
}

function keys(value: object): string[] {
  return Object.keys(value).toSorted();
}
