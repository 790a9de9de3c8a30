import type { OpenStackConnection } from '../../connection/connection.ts';
import type { Seconds } from '../../core/time.ts';
import type { MachinesRead } from '../machines/found.ts';
import { readerOf } from '../readers.ts';
import type { Source } from '../source.ts';
import { askClock } from './clock.ts';
import { UNSEEN_OF_MACHINES, readHosts } from './hosts.ts';
import { openHttp } from './http.ts';
import { openKeystone } from './keystone.ts';
import { shaped } from './answers.ts';
import { type Nova, openNova } from './nova.ts';
import type { ApiOptions, OpenApi } from './open-api.ts';
import { READERS } from './readers.ts';
import { SERVERS, ServerPage, toServer } from './servers.ts';

/**
 * Nova's HTTP API as a source: the same rows as from the databases, as far as the API shows them. Each opening has a
 * session of its own.
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
      let hosts: Promise<MachinesRead> | undefined;
      const before = nova.requests;
      const api: OpenApi = {
        nova,
        options,
        stop,
        seal: options.seal,
        machines: () => (hosts ??= readHosts(api)),
        view: () => ({
          api: {
            microversion: nova.microversion,
            requests: nova.requests - before,
            swept: true,
            unseen: UNSEEN_OF_MACHINES,
          },
        }),
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
