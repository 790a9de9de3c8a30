import type { OpenStackConnection } from '../../connection/connection.ts';
import type { Seconds } from '../../core/time.ts';
import { askHosts, readApiCapabilities } from '../blazar-api/hosts.ts';
import { UNSEEN_OF_LEASES, readApiLeases } from '../blazar-api/leases.ts';
import { UNSEEN_OF_NODES, readApiNodes } from '../ironic-api/nodes.ts';
import type { LeasesRead } from '../leases/found.ts';
import type { MachinesRead } from '../machines/found.ts';
import { refuseOtherMachines } from '../machines/other-machines.ts';
import { readerOf } from '../readers.ts';
import type { Outcome, Source } from '../source.ts';
import { askClock } from './clock.ts';
import { UNSEEN_OF_MACHINES, readHosts } from './hosts.ts';
import { openHttp } from './http.ts';
import { openKeystone } from './keystone.ts';
import { shaped } from './answers.ts';
import { type Nova, openNova } from './nova.ts';
import type { ApiOptions, OpenApi } from './open-api.ts';
import { requireOther } from './other-services.ts';
import { READERS } from './readers.ts';
import { SERVERS, ServerPage, toServer } from './servers.ts';

/**
 * Nova's HTTP API as a source, with those of Ironic and Blazar: the same rows as from the databases, as far as the APIs
 * show them. Each opening has a session of its own.
 */
export function apiSource(connection: OpenStackConnection, options: ApiOptions): Source {
  const warned = new Set<string>();
  const warn = (text: string): void => {
    if (!warned.has(text)) options.warn?.(text);
    warned.add(text);
  };
  return {
    kind: 'api',
    async open(signal) {
      const stop = new AbortController();
      const nova = await openNova(
        connection,
        options.concurrency,
        AbortSignal.any([signal, stop.signal]),
        warn,
      );
      const before = nova.requests;
      const view = (unseen: readonly string[]): Pick<Outcome, 'api'> => ({
        api: { microversion: nova.microversion, requests: nova.requests - before, swept: true, unseen },
      });
      const ofMachines = machinesOf(nova, options);
      let [machines, leases]: [Promise<MachinesRead>?, Promise<LeasesRead>?] = [];
      const readLeases = async (): Promise<LeasesRead> =>
        readApiLeases(await requireOther(nova, 'Blazar'), options.leaseProperties ?? []);
      const { seal } = options;
      const api: OpenApi = {
        nova,
        options,
        stop,
        seal,
        machines: () => (machines ??= ofMachines.read()),
        refuseLost: (parts) => refuseOtherMachines(parts, options.bareMetal !== undefined),
        view: () => view(ofMachines.unseen()),
        ofLeases: { seal, leases: () => (leases ??= readLeases()), view: () => view(UNSEEN_OF_LEASES) },
      };
      return {
        read: (table, request) => readerOf(READERS, table, 'the Nova API')(api, request),
        async [Symbol.asyncDispose]() {
          stop.abort();
          nova[Symbol.dispose]();
        },
      };
    },
    async clock(signal) {
      using nova = await openNova(connection, options.concurrency, signal);
      using http = openHttp(connection.tls);
      const { time } = await askClock(nova, () => openKeystone(http, connection).issue(signal));
      return Number.isNaN(time) ? null : time;
    },
    // That would keep names of servers and actions outside of the process.
    statesAt: async (ranges) => ranges.map(() => ({})),
    async history(_range, signal) {
      using nova = await openNova(connection, options.concurrency, signal, warn);
      return { from: await oldestCreated(nova), events: null, purged: null };
    },
    // Nova shows no ids.
    purged: async (windows) => windows.map(() => null),
  };
}

interface OfMachines {
  readonly read: () => Promise<MachinesRead>;
  /** What the reading has not shown. */
  readonly unseen: () => readonly string[];
}

function machinesOf(nova: Nova, options: ApiOptions): OfMachines {
  const { bareMetal } = options;
  if (bareMetal === undefined)
    return { read: () => readHosts({ nova, options }), unseen: () => UNSEEN_OF_MACHINES };
  let hasBlazar = false;
  return {
    async read() {
      const ironic = await requireOther(nova, 'Ironic');
      const blazar = await nova.other('Blazar');
      hasBlazar = blazar !== undefined;
      const names = [...bareMetal.names, bareMetal.rack];
      const capabilities = blazar && (await readApiCapabilities(blazar, await askHosts(blazar), names));
      return readApiNodes(ironic, capabilities, bareMetal);
    },
    unseen: () => [...UNSEEN_OF_NODES, ...(hasBlazar ? ['propertyTimes'] : [])],
  };
}

/** When the oldest server was created that Nova still shows, deleted ones included. */
export async function oldestCreated(nova: Nova): Promise<Seconds | null> {
  const query = {
    'changes-since': '1970-01-01T00:00:00Z',
    all_tenants: '1',
    sort_key: 'created_at',
    sort_dir: 'asc',
    limit: '1',
  };
  const { json } = await nova.get({
    path: '/servers/detail',
    query: new URLSearchParams(query),
    what: SERVERS,
  });
  const [oldest] = shaped(ServerPage, json, SERVERS).servers;
  return oldest === undefined ? null : toServer(oldest, () => undefined).created;
}
