import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { DatabaseConnection, OpenStackConnection } from '../../lib/connection/connection.ts';
import { parseSecret } from '../../lib/connection/secret.ts';
import { StarError, UnexpectedError } from '../../lib/core/errors.ts';
import { DAY, HOUR, MINUTE, iso } from '../../lib/core/time.ts';
import { floorTo } from '../../lib/core/window.ts';
import { type Proxy, startProxy } from '../faults/proxy.ts';
import { wireFault } from '../faults/schedule.ts';
import { readDrops } from '../support/drops.ts';
import { seeded } from '../support/nova/prng.ts';
import { UNMASKED } from '../support/nova/scene.ts';
import type { Listening } from '../support/aws/listen.ts';
import { startForwarder } from '../support/openstack/forwarder.ts';
import { type Stage, startStage } from '../support/stage.ts';
import { realCloud } from './cloud.ts';

/*
 * Schedules on a real cloud whose connections are cut, reset, truncated, delayed and stalled, against the same without.
 * Best while nobody works on the cloud.
 */

vi.mock('node:timers/promises', async (original) =>
  (await import('../faults/quick-retries.ts')).quickly(original),
);

const HOURS = Number(process.env['OPENSTACK_TEST_HOURS'] ?? 1);
const SEED = Number(process.env['TEST_SEED'] ?? 20_261_125);
/** About a dozen of them. */
const WINDOW = ([5, 10, 15, 30, 60, 120].find((minutes) => minutes * 12 >= HOURS * 60) ?? 120) * MINUTE;
/** After a fault a run may be stalled. */
const LIFETIME_MS = 8000;
const RERUNS = 5;

const edge = floorTo(Math.floor(Date.now() / 1000) - MINUTE, WINDOW);
const start = edge - floorTo(Math.min(HOURS * HOUR, DAY), WINDOW);

let secrets: { api: string; database: string };
beforeAll(async () => {
  ({ secrets } = await realCloud());
});

async function stageWith(secret: string): Promise<Stage> {
  const env = { ...UNMASKED, STAR_WINDOW_MINUTES: String(WINDOW / MINUTE), STAR_SETTLE_MINUTES: '1' };
  const stage = await startStage({ env });
  await stage.setSecret(secret);
  return stage;
}

/** One run for each window, then some more until all are published. */
async function live(stage: Stage, before: () => number, rerun: () => void): Promise<Record<string, number>> {
  const outcomes: Record<string, number> = {};
  const run = async (time: number, lifetimeMs: number): Promise<string> => {
    const outcome = await stage.run(time, lifetimeMs).then(
      ({ status }) => status,
      (error: unknown) => {
        if (!(error instanceof StarError) || error instanceof UnexpectedError) throw error;
        return error.name;
      },
    );
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    return outcome;
  };
  for (let end = start + WINDOW; end < edge; end += WINDOW) await run(end + MINUTE, before());
  rerun();
  for (let nth = 0; nth < RERUNS && (await run(edge + MINUTE, 600_000)) !== 'upToDate'; nth++);
  return outcomes;
}

const rowsOf = async (stage: Stage): Promise<string[]> => {
  const drops = await readDrops(stage.client);
  expect(drops.map(({ manifest }) => manifest.window.start)).toEqual(
    Array.from({ length: (edge - start) / WINDOW }, (_, nth) => iso(start + nth * WINDOW)),
  );
  return drops
    .flatMap(({ rows }) => rows['jsonl'] ?? [])
    .map((row) => JSON.stringify(row))
    .toSorted();
};

const addressOf = ({ hostname, port }: URL): { host: string; port: number } => ({
  host: hostname,
  port: Number(port),
});

interface Catalogue {
  readonly token?: {
    readonly catalog?: readonly {
      readonly type: string;
      readonly endpoints: readonly { readonly interface: string; readonly url: string }[];
    }[];
  };
}

/** Where Keystone says that Nova is, if that is what it says. */
function computeUrl(body: string): URL | undefined {
  const { token }: Catalogue = body.startsWith('{') ? (JSON.parse(body) as Catalogue) : {};
  const compute = token?.catalog?.find(({ type }) => type === 'compute');
  const endpoint = compute?.endpoints.find((one) => one.interface === 'public');
  return endpoint === undefined ? undefined : new URL(endpoint.url);
}

describe.each(['databases', 'API'] as const)('Over the %s of a real cloud', (kind) => {
  const proxies: Proxy[] = [];
  let forwarder: Listening | undefined;
  let calm: Stage;
  let troubled: Stage;

  const through = async (url: URL): Promise<string> => {
    const proxy = await startProxy(() => addressOf(url));
    proxies.push(proxy);
    return `127.0.0.1:${proxy.port}`;
  };

  beforeAll(async () => {
    const secret = kind === 'API' ? secrets.api : secrets.database;
    const connection = await parseSecret(secret);
    calm = await stageWith(secret);
    troubled = await stageWith(
      connection.kind === 'api' ? await apiSecret(connection) : await databaseSecret(connection),
    );
  });
  afterAll(async () => {
    for (const proxy of proxies) await proxy.stop();
    await forwarder?.stop();
    await calm.stop();
    await troubled.stop();
  });

  /** Keystone's catalogue leads to Nova, so what it says has to lead through a proxy too. */
  async function apiSecret({ authUrl }: OpenStackConnection): Promise<string> {
    const keystone = new URL(authUrl);
    let nova = keystone;
    const proxy = await startProxy(() => addressOf(nova));
    proxies.push(proxy);
    forwarder = await startForwarder(keystone.origin, (body) => {
      const url = computeUrl(body);
      if (url === undefined) return body;
      nova = url;
      return body.replaceAll(nova.host, `127.0.0.1:${proxy.port}`);
    });
    const host = await through(new URL(forwarder.endpoint));
    return secrets.api.replaceAll(keystone.host, host);
  }

  async function databaseSecret({ cells }: DatabaseConnection): Promise<string> {
    let secret = secrets.database;
    for (const place of new Set(cells.map(({ host, port }) => `${host}:${port}`)))
      secret = secret.replaceAll(place, await through(new URL(`tcp://${place}`)));
    return secret;
  }

  test(`a schedule whose connections break publishes what one does that has none broken (seed ${SEED})`, async () => {
    const random = seeded(SEED);
    const met: Record<string, number> = {};
    const count = (): void => {
      for (const { fault } of proxies.flatMap((proxy) => proxy.met()))
        met[fault.kind] = (met[fault.kind] ?? 0) + 1;
    };
    const outcomes = await live(
      troubled,
      () => {
        count();
        for (const proxy of proxies) proxy.set([wireFault(random, {}, 40_000), wireFault(random, {}, 4000)]);
        return LIFETIME_MS;
      },
      () => {
        count();
        for (const proxy of proxies) proxy.set([]);
      },
    );
    await live(
      calm,
      () => 600_000,
      () => undefined,
    );
    process.stdout.write(`${kind}: runs ${JSON.stringify(outcomes)}, faults ${JSON.stringify(met)}\n`);
    const rows = await rowsOf(troubled);
    expect(rows.length).toBeGreaterThan(0);
    expect(rows).toEqual(await rowsOf(calm));
  });
});
