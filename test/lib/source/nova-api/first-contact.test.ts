import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type IncomingHttpHeaders, type RequestListener, createServer } from 'node:http';
import { Agent, createServer as createTlsServer } from 'node:https';
import { type Server, connect, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { OpenStackConnection } from '../../../../lib/connection/connection.ts';
import { parseSecret } from '../../../../lib/connection/secret.ts';
import { novaTls } from '../../../../lib/doctor/api/compute.ts';
import { computeEndpoint, exposedToken } from '../../../../lib/source/nova-api/catalogue.ts';
import { openNova } from '../../../../lib/source/nova-api/nova.ts';
import { openSource } from '../../../../lib/source/open-source.ts';
import { runCommand } from '../../../support/command.ts';
import { listenOnLoopback } from '../../../support/listen-on-loopback.ts';
import { type Certificates, createCertificates } from '../../../support/mariadb/tls.ts';
import { type LocalOpenStack, startOpenStack } from '../../../support/openstack/index.ts';

const stops: (() => Promise<unknown>)[] = [];
beforeEach(() => {
  // The tester's own proxies are not the test's.
  for (const name of ['http_proxy', 'https_proxy', 'no_proxy']) {
    vi.stubEnv(name, undefined);
    vi.stubEnv(name.toUpperCase(), undefined);
  }
});
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const stop of stops.splice(0)) await stop();
});

let folder: string;
let certificates: Certificates;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'star-compactor-contact-'));
  certificates = await createCertificates(folder);
});
afterAll(() => rm(folder, { recursive: true }));

async function serve(server: Server): Promise<number> {
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => sockets.add(socket));
  const port = await listenOnLoopback(server);
  stops.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return port;
}

async function cloud(options: Partial<Parameters<typeof startOpenStack>[0]> = {}): Promise<LocalOpenStack> {
  const openstack = await startOpenStack({ cells: [], ...options });
  stops.push(() => openstack.stop());
  return openstack;
}

const fieldsAt = (authUrl: string): object => ({
  OS_AUTH_URL: authUrl,
  OS_USERNAME: 'star',
  OS_PASSWORD: 'a-password-of-nobody',
  OS_PROJECT_NAME: 'traces',
});

/** With what Nova is not opened. */
async function refusal(fields: object): Promise<string> {
  const connection = (await parseSecret(JSON.stringify(fields))) as OpenStackConnection;
  const opened = openNova(connection, 1, new AbortController().signal);
  const error = await opened.then(
    () => expect.unreachable('it was opened'),
    (thrown: unknown) => thrown as Error,
  );
  expect(error).toMatchObject({ name: 'SourceError' });
  expect(error.message).not.toMatch(/\n|a-password-of-nobody|in a row/);
  return error.message;
}

const isOpened = async (fields: object): Promise<boolean> => {
  const connection = (await parseSecret(JSON.stringify(fields))) as OpenStackConnection;
  using nova = await openNova(connection, 1, new AbortController().signal);
  return nova.requests > 0;
};

describe('What answers in Keystone’s place is told after one request', () => {
  const HORIZON = '<!DOCTYPE html><html><head><title>Login - OpenStack Dashboard</title></head></html>';
  const NGINX = '<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>';
  const APACHE =
    '<html><body>Your browser sent a request that this server could not understand.<br />\n' +
    "Reason: You're speaking plain HTTP to an SSL-enabled server port.</body></html>";
  test.each<[string, RequestListener, RegExp]>([
    [
      'a redirect to another place',
      (_, response) => response.writeHead(302, { location: '/dashboard/auth/login/?next=/' }).end(),
      /: http:\/\/127\.0\.0\.1:\d+\/[\w/.]*: redirects to http:\/\/127\.0\.0\.1:\d+\/dashboard\/auth\/login\/ \(302\); accepted: that URL, if it leads there; the URL of Keystone \(OS_AUTH_URL\)/,
    ],
    [
      'a redirect to https',
      (_, response) => response.writeHead(301, { location: 'https://keystone.example:5000/v3' }).end(),
      /redirects to https:\/\/keystone\.example:5000\/v3 \(301\)/,
    ],
    [
      'Horizon',
      (_, response) => response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(HORIZON),
      /a web page answers there \(200\); accepted: the URL of Keystone \(OS_AUTH_URL\), such as https:/,
    ],
    [
      'a page that is not there',
      (_, response) => response.writeHead(404, { 'content-type': 'text/html' }).end('<html>Not Found</html>'),
      /a web page answers there \(404\); accepted: the URL of Keystone/,
    ],
    [
      'JSON of something else',
      (_, response) => response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":{}}'),
      /what answers there is no Keystone \(404\); accepted: the URL of Keystone/,
    ],
    [
      'nginx at a port of TLS',
      (_, response) => response.writeHead(400).end(NGINX),
      /takes TLS only \(400\); accepted: .* https:/,
    ],
    [
      'Apache at a port of TLS',
      (_, response) => response.writeHead(400).end(APACHE),
      /takes TLS only \(400\)/,
    ],
  ])('%s', async (_, listener, message) => {
    for (const version of ['', '/v3']) {
      let requests = 0;
      const server = createServer((request, response) => {
        requests++;
        listener(request, response);
      });
      const port = await serve(server);
      expect(await refusal(fieldsAt(`http://127.0.0.1:${port}${version}`))).toMatch(message);
      expect(requests).toBe(1);
    }
  });

  test('but not what stands before one that is away: that is asked again', async () => {
    const openstack = await cloud();
    let times = 0;
    openstack.onRequest = ({ kind }) =>
      kind === 'token' && times++ < 2 ? { status: 502, body: { error: 'bad gateway' } } : undefined;
    expect(await isOpened(JSON.parse(openstack.secret()) as object)).toBe(true);
    expect(times).toBe(3);
  });
});

describe('A Keystone that is not there is tried once, and its URL is told:', () => {
  test('where nothing listens', async () => {
    const closed = createTcpServer();
    const port = await listenOnLoopback(closed);
    await new Promise((resolve) => closed.close(resolve));
    const url = `http://127.0.0.1:${port}`;
    expect(await refusal(fieldsAt(`${url}/v3`))).toBe(
      `Keystone: a token: ${url}: nothing listens there (ECONNREFUSED); check host and port, and whether the service is up`,
    );
  });

  test('where the host is not known', async () => {
    expect(await refusal(fieldsAt('https://keystone.invalid:5000'))).toMatch(
      /^Keystone: its versions: https:\/\/keystone\.invalid:5000: (the host name is not known here|the name servers)/,
    );
  });

  test('and so is a Nova', async () => {
    const openstack = await cloud();
    const fields = { ...(JSON.parse(openstack.secret()) as object), OS_REGION_NAME: 'OtherRegion' };
    expect(await refusal(fields)).toMatch(
      /^Nova: its versions: http:\/\/127\.0\.0\.1:1: nothing listens there \(ECONNREFUSED\)/,
    );
  });
});

describe('Each failure of TLS is told with its own remedy:', () => {
  const certified = async (options: Parameters<typeof createCertificates>[1]) => {
    const made = await createCertificates(await mkdtemp(join(folder, 'made-')), options);
    const openstack = await cloud({ tls: made.server });
    return { fields: JSON.parse(openstack.secret()) as object, ca: made.ca };
  };

  test('plain text at the port', async () => {
    const port = await serve(createServer((_, response) => response.end()));
    expect(await refusal(fieldsAt(`https://127.0.0.1:${port}/v3`))).toMatch(
      /the server there does not use TLS \(\w+\); use http:\/\/ in the URL if plain text is intended, or check/,
    );
  });

  test('TLS at the port of an http URL', async () => {
    const { cert, key } = certificates.server;
    const port = await serve(createTlsServer({ cert, key }));
    expect(await refusal(fieldsAt(`http://127.0.0.1:${port}/v3`))).toMatch(
      /the server there does not speak plain HTTP \(\w+\); use https:\/\/ in the URL if this is the port for TLS/,
    );
  });

  test('an authority that nobody knows', async () => {
    const { fields } = await certified({});
    expect(await refusal(fields)).toMatch(
      /does not know the authority .*; give that authority as cacert \(OS_CACERT\)$/,
    );
  });

  test('another authority than the given one', async () => {
    const { fields } = await certified({});
    expect(await refusal({ ...fields, OS_CACERT: certificates.ca })).toMatch(
      /is not signed by the given authority .*; give the authority that signed it as cacert \(OS_CACERT\)$/,
    );
  });

  test('a certificate for another name', async () => {
    const { fields, ca } = await certified({ names: 'DNS:keystone.example' });
    expect(await refusal({ ...fields, OS_CACERT: ca })).toMatch(
      /the certificate is for keystone\.example and not for this name \(ERR_TLS_CERT_ALTNAME_INVALID\); use a URL with a/,
    );
  });

  test('a certificate that has expired', async () => {
    const { fields, ca } = await certified({ days: -1 });
    expect(await refusal({ ...fields, OS_CACERT: ca })).toMatch(
      /the certificate has expired \(CERT_HAS_EXPIRED\); renew it/,
    );
  });
});

describe('Nova’s URL', () => {
  const at = (url: string, region: string, face = 'public') => ({ interface: face, region, url });
  const catalogue = (...endpoints: ReturnType<typeof at>[]) => [{ type: 'compute', endpoints }];
  const V4 = at('https://192.0.2.1:8774/v2.1', 'one');
  const V6 = at('https://[2001:db8::1]:8774/v2.1', 'one');

  test('is the first of a region that has several, as keystoneauth takes it', () => {
    for (const region of [undefined, 'one']) {
      expect(computeEndpoint(catalogue(V4, V6), { region, interface: 'public' })).toBe(V4.url);
      expect(computeEndpoint(catalogue(V6, V4), { region, interface: 'public' })).toBe(V6.url);
    }
  });

  test('is asked for by region where several regions have one', () => {
    const both = catalogue(V4, at('https://two.example', 'two'));
    expect(() => computeEndpoint(both, { region: undefined, interface: 'public' })).toThrow(
      'in several regions; accepted: region_name (OS_REGION_NAME), one of one, two',
    );
    expect(computeEndpoint(both, { region: 'two', interface: 'public' })).toBe('https://two.example');
  });

  test('may be given, whatever the catalogue has', async () => {
    const openstack = await cloud();
    const fields = JSON.parse(openstack.secret()) as object;
    const origin = new URL(openstack.authUrl).origin;
    const given = {
      ...fields,
      OS_REGION_NAME: 'Nowhere',
      OS_COMPUTE_ENDPOINT_OVERRIDE: `${origin}/compute/v2.1`,
    };
    expect(await isOpened(given)).toBe(true);
    expect(openstack.requests().some(({ path }) => path.startsWith('/compute/v2.1'))).toBe(true);
  });
});

describe('A token that came over https and goes on over http', () => {
  test('is warned of, once a source', async () => {
    const keystone = await cloud({ tls: certificates.server });
    const { port } = new URL(keystone.authUrl);
    // Plain text on the way to the same Nova.
    const plain = createServer((request, response) => {
      void forwarded(`https://127.0.0.1:${port}${request.url}`, request.headers).then(
        ({ headers, status, body }) => response.writeHead(status, { 'content-type': headers }).end(body),
      );
    });
    const fields = {
      ...(JSON.parse(keystone.secret()) as object),
      OS_CACERT: certificates.ca,
      OS_COMPUTE_ENDPOINT_OVERRIDE: `http://127.0.0.1:${await serve(plain)}/compute/v2.1`,
    };
    const connection = (await parseSecret(JSON.stringify(fields))) as OpenStackConnection;
    const warnings: string[] = [];
    const settings = {
      retiredCells: new Set<string>(),
      apiConcurrency: 1,
      apiSweepSeconds: 0,
      allowPartial: false,
      forcedDownDisables: false,
      hostFrom: 'event' as const,
      nodeProperties: [],
      rackProperty: '',
      tables: [],
    };
    const source = await openSource(connection, settings, (text) => warnings.push(text));
    const day = { start: 0, end: 86_400 };
    for (let run = 0; run < 2; run++) await source.history(day, new AbortController().signal);
    expect(warnings).toEqual([
      expect.stringMatching(
        /^Keystone is asked over https, but .* the token crosses the network in clear text; have the/,
      ),
    ]);
    expect(novaTls(connection, 'http://nova.example', false)).toMatchObject({
      verdict: 'lacking',
      cost: expect.stringContaining('the token and unmasked names cross the network in clear text'),
    });
    expect(novaTls(connection, 'https://nova.example', false).verdict).toBe('fine');
  });

  test('is not warned of where Keystone is asked over http as well', () => {
    expect(exposedToken('http://keystone.example', 'http://nova.example')).toBeUndefined();
    expect(exposedToken('https://keystone.example', 'https://nova.example')).toBeUndefined();
  });

  async function forwarded(url: string, headers: IncomingHttpHeaders) {
    const { default: axios } = await import('axios');
    const answer = await axios.get<string>(url, {
      headers: { 'x-auth-token': String(headers['x-auth-token']) },
      httpsAgent: new Agent({ ca: certificates.ca }),
      responseType: 'text',
      transformResponse: (body: unknown) => body,
      validateStatus: () => true,
    });
    return { headers: String(answer.headers['content-type']), status: answer.status, body: answer.data };
  }
});

describe('The way to the cloud', () => {
  /** A proxy that notes what it is asked for. */
  async function proxy(allows = true): Promise<{ url: string; asked: string[] }> {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(`${request.method} ${new URL(request.url ?? '').pathname}`);
      response.writeHead(403).end();
    });
    server.on('connect', (request, near) => {
      asked.push(`CONNECT ${request.url}`);
      if (!allows) return near.end('HTTP/1.1 403 Forbidden\r\n\r\n');
      const far = connect(Number(request.url?.split(':').at(-1)), '127.0.0.1', () => {
        near.write('HTTP/1.1 200 Connection established\r\n\r\n');
        far.pipe(near).pipe(far);
      });
      for (const socket of [near, far]) socket.on('error', () => void (near.destroy(), far.destroy()));
      return near;
    });
    return { url: `http://127.0.0.1:${await serve(server)}`, asked };
  }

  const secure = async () => {
    const openstack = await cloud({ tls: certificates.server });
    return { ...(JSON.parse(openstack.secret()) as object), OS_CACERT: certificates.ca };
  };

  test('goes through the proxy of the environment', async () => {
    const { url, asked } = await proxy();
    vi.stubEnv('HTTPS_PROXY', url);
    expect(await isOpened(await secure())).toBe(true);
    expect(asked[0]).toMatch(/^CONNECT 127\.0\.0\.1:\d+$/);
  });

  test('does not where NO_PROXY has the host', async () => {
    const { url, asked } = await proxy();
    vi.stubEnv('HTTPS_PROXY', url);
    vi.stubEnv('NO_PROXY', 'keystone.example,127.0.0.1');
    expect(await isOpened(await secure())).toBe(true);
    expect(asked).toEqual([]);
  });

  test('that a proxy closes is told by the variable that names it', async () => {
    const { url } = await proxy(false);
    vi.stubEnv('HTTPS_PROXY', url.replace('//', '//user:proxy-password@'));
    const message = await refusal(await secure());
    expect(message).toMatch(
      /the proxy does not let it through .*HTTPS_PROXY is set: check that proxy, or name the host in NO_PROXY$/,
    );
    expect(message).not.toContain('proxy-password');
  });

  test('is verified by the authorities of the system, as SSL_CERT_FILE names them', async () => {
    const openstack = await cloud({ tls: certificates.server });
    await writeFile(join(folder, 'system.pem'), certificates.ca);
    await writeFile(join(folder, 'admin.json'), openstack.secret());
    const doctor = (env: Record<string, string>) =>
      runCommand(['doctor', join(folder, 'admin.json')], { env });
    expect((await doctor({})).stdout.toString()).toMatch(/✗ TLS .*does not know the authority/);
    const known = await doctor({ SSL_CERT_FILE: join(folder, 'system.pem') });
    expect(known.stdout.toString()).toMatch(/✓ TLS .*verified by the authorities that this machine knows/);
  });
});
