import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Seconds } from '../../../lib/core/time.ts';
import { type ServerCertificate, listen } from '../aws/listen.ts';
import type { ServiceDatabase } from '../nova/baremetal.ts';
import type { Cell } from '../nova/schema.ts';
import { type Account, createAccounts } from './accounts.ts';
import { type Answer, type Call, HTML, htmlPage } from './answers.ts';
import { blazar } from './blazar.ts';
import type { Cloud } from './cloud.ts';
import { ironic } from './ironic.ts';
import { keystone } from './keystone.ts';
import { minorOf } from './microversion.ts';
import { nova } from './nova.ts';
import { type OpenStackHook, type RequestRecord, recordOf } from './requests.ts';
import { type SecretForm, secretOf } from './secret.ts';
import { send, sendFault } from './send.ts';
import { createTokens } from './tokens.ts';

export interface OpenStackOptions {
  /** In any order; the one named `cell0` holds the servers that found no host. */
  cells: readonly Cell[];
  /** What Ironic and Blazar have; without, the cloud has no such service. */
  ironic?: ServiceDatabase;
  blazar?: ServiceDatabase;
  /** `1.80` unless told otherwise. */
  maxIronicMicroversion?: string;
  /** By the uuid of a server, the name of its flavour. */
  flavorNames?: ReadonlyMap<string, string>;
  blazarHasProperties?: boolean;
  port?: number;
  /** `[api] max_limit`; 1000 as Nova's. */
  maxLimit?: number;
  /** `2.93` (Zed) unless told otherwise; the lowest is always 2.1. */
  maxMicroversion?: string;
  /** Lifetime of a token. */
  tokenSeconds?: number;
  region?: string;
  /** Serves https. */
  tls?: ServerCertificate;
  /** Whether Keystone still offers v2.0 (gone since Queens) besides v3. */
  keystoneV2?: boolean;
  /** Off for a Keystone that offers v2.0 only. */
  keystoneV3?: boolean;
  projectInUrl?: boolean;
  /** After which Nova goes on without a silent cell; 60 s as `CELL_TIMEOUT` in nova/context.py. */
  cellTimeoutMs?: number;
  /**
   * Leaves failing cells out of listings at once, without a word or as unknown servers, instead of answering 500.
   * Nova does the one where the database refuses connections, the other where it answers with an error.
   */
  failingCellsAreSkipped?: boolean;
  /** The cloud's clock. A server that has never been updated shows it. */
  now?: () => Seconds;
  /** What time the answers' Date tells; `now` unless given. */
  date?: () => Seconds;
  /** Off for answers without a Date, as uwsgi gives them where no web server stands before it. */
  tellsDate?: boolean;
  onRequest?: OpenStackHook;
}

export interface LocalOpenStack {
  /** Keystone without a version: `http://127.0.0.1:PORT/identity`. */
  readonly authUrl: string;
  readonly region: string;
  readonly admin: Account;
  /** A user without the role of an administrator. */
  readonly member: Account;
  /** What an operator would keep in Secrets Manager; the administrator's unless told otherwise. */
  secret(form?: SecretForm, account?: Account): string;
  /** May be replaced at any time. */
  onRequest: OpenStackHook | undefined;
  /** Names of cells whose database does not answer. */
  readonly silentCells: Set<string>;
  /** Names of cells whose database refuses. */
  readonly failingCells: Set<string>;
  /** Ids of flavours that were deleted after servers were made with them. */
  readonly deletedFlavors: Set<string>;
  /** Every request so far, in the order of their arrival. */
  requests(): RequestRecord[];
  clearRequests(): void;
  /** All tokens issued so far are refused from now on. */
  revokeTokens(): void;
  stop(): Promise<void>;
}

/** Keystone and the APIs on the loopback address, showing what the databases hold at each moment. */
export async function startOpenStack(options: OpenStackOptions): Promise<LocalOpenStack> {
  const { now = () => Math.floor(Date.now() / 1000), region = 'RegionOne' } = options;
  const sets = {
    silentCells: new Set<string>(),
    failingCells: new Set<string>(),
    deletedFlavors: new Set<string>(),
  };
  const accounts = createAccounts();
  const cloud: Cloud = {
    cells: options.cells,
    ironic: options.ironic,
    blazar: options.blazar,
    maxIronicMinor: Number((options.maxIronicMicroversion ?? '1.80').split('.')[1]),
    blazarHasProperties: options.blazarHasProperties ?? true,
    accounts,
    tokens: createTokens(now, options.tokenSeconds ?? 3600),
    region,
    keystoneV2: options.keystoneV2 ?? true,
    keystoneV3: options.keystoneV3 ?? true,
    projectInUrl: options.projectInUrl ?? false,
    maxLimit: options.maxLimit ?? 1000,
    maxMinor: minorOf(options.maxMicroversion ?? '2.93'),
    cellTimeoutMs: options.cellTimeoutMs ?? 60_000,
    failingCellsAreSkipped: options.failingCellsAreSkipped ?? false,
    flavorNames: options.flavorNames ?? new Map(),
    mappings: new Map(),
    now,
    ...sets,
  };
  const records: RequestRecord[] = [];
  const serving: Serving = {
    cloud,
    records,
    scheme: options.tls === undefined ? 'http' : 'https',
    tellsDate: options.tellsDate ?? true,
    date: options.date ?? now,
  };
  const listening = await listen(
    (request, response) => serve({ ...serving, hook: local.onRequest }, request, response),
    options.port,
    options.tls,
  );
  const authUrl = `${listening.endpoint}/identity`;
  const local: LocalOpenStack = {
    authUrl,
    region,
    ...accounts,
    ...sets,
    secret: (form, account = accounts.admin) =>
      secretOf({ authUrl, region, account, identityVersion: cloud.keystoneV3 ? '3' : '2.0' }, form),
    onRequest: options.onRequest,
    requests: () => records.map((record) => ({ ...record })),
    clearRequests: () => void records.splice(0),
    revokeTokens: () => cloud.tokens.revokeAll(),
    stop: () => listening.stop(),
  };
  return local;
}

interface Serving {
  readonly cloud: Cloud;
  readonly records: RequestRecord[];
  readonly scheme: string;
  readonly tellsDate: boolean;
  readonly date: () => Seconds;
  readonly hook?: OpenStackHook | undefined;
}

async function serve(
  { cloud, records, scheme, tellsDate, date, hook }: Serving,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  const left = new Promise<undefined>((resolve) => {
    response.once('close', () => {
      gone.abort();
      resolve(undefined);
    });
  });
  response.sendDate = tellsDate;
  if (tellsDate) response.setHeader('date', new Date(date() * 1000).toUTCString());
  try {
    const origin = `${scheme}://${request.headers.host ?? '127.0.0.1'}`;
    const url = new URL(request.url ?? '/', origin);
    const record = recordOf(request, url, cloud.now());
    records.push(record);
    const [service = '', ...segments] = url.pathname.split('/').slice(1);
    const call: Call = {
      method: request.method ?? 'GET',
      origin,
      segments,
      params: url.searchParams,
      headers: request.headers,
      body: await text(request),
      signal: gone.signal,
    };
    const fault = await Promise.race([hook?.(record), left]);
    if (gone.signal.aborted) return;
    const answer =
      fault === undefined || 'truncate' in fault ? await perform(cloud, service, call) : undefined;
    const id = { 'x-openstack-request-id': `req-${randomUUID()}` };
    if (fault === undefined && answer !== undefined) send(response, answer, id, record);
    else if (fault !== undefined) sendFault(response, fault, answer, id, record);
  } catch (error) {
    // Where the client has gone there is no one to tell.
    if (gone.signal.aborted) response.destroy();
    else response.writeHead(500).end(`The fake failed: ${String(error)}`);
  }
}

async function perform(cloud: Cloud, service: string, call: Call): Promise<Answer> {
  if (service === 'identity') return keystone(cloud, call);
  if (/^compute(-\w+)?$/.test(service)) return nova(cloud, service, call);
  if (service === 'baremetal') return ironic(cloud, call);
  if (service === 'reservation') return blazar(cloud, call);
  return { status: 404, headers: HTML, body: htmlPage('404 Not Found', 'The resource could not be found.') };
}
