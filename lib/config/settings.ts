import type * as z from 'zod/mini';
import { InputError } from '../core/errors.ts';
import type { Compression, FormatName, HostFrom, MaskingMethod, TraceVersion } from './choices.ts';
import { DAY, HOUR, MINUTE, type Seconds, parseInstant } from '../core/time.ts';
import { check } from '../core/validate.ts';
import type { Window, WindowPlan } from '../core/window.ts';
import { Deployed, HIDDEN, OnCommandLine, isFormat } from './variables.ts';

export interface Settings extends WindowPlan {
  /** Of a deployed function; empty on the command line, which is told a store. */
  readonly bucket: string;
  /** Empty, or ends without a slash. */
  readonly prefix: string;
  readonly cloud: string;
  /** The release that the trace is; undefined for the scheduled trace of a cloud. */
  readonly release: Release | undefined;
  /** ARN or name of the secret that opens the cloud; empty on the command line. */
  readonly secret: string;
  /** An open event older than this is given up and counted as abandoned. */
  readonly openHorizonSeconds: Seconds;
  /** Where START_SEC and FINISH_SEC count from. */
  readonly epoch: Seconds | 'window';
  /** Names of the tables that a drop holds. */
  readonly tables: readonly string[];
  readonly formats: readonly FormatName[];
  /** Of CSV and JSON lines. */
  readonly compression: Compression;
  /** Of CSV. */
  readonly formatVersion: TraceVersion;
  /** Under which the trace is published, as SPDX names it; empty where none was chosen. */
  readonly licence: string;
  readonly masking: MaskingMethod;
  /** ARN or name, on the command line file, of an operator-held masking secret, which makes masks stable across drops. */
  readonly maskingSecret: string | undefined;
  /** Whether a drop has a report page, privacy figures, and is scanned for raw identifiers. */
  readonly report: boolean;
  /** A window with more than this share of events in rare classes is not published; 1: none is held back. */
  readonly privacyLimit: number;
  /** The same for servers in rare classes. */
  readonly privacyServersLimit: number;
  readonly excludeUsers: ReadonlySet<string>;
  readonly excludeProjects: ReadonlySet<string>;
  readonly hostFrom: HostFrom;
  /** Which properties of bare metal nodes are published, in their order. */
  readonly nodeProperties: readonly string[];
  /** The property of a bare metal node that is its rack. */
  readonly rackProperty: string;
  /** Finds the rack in a hypervisor's name. */
  readonly rackPattern: RegExp | undefined;
  /** Whether a host that is forced down counts as disabled. */
  readonly forcedDownDisables: boolean;
  /** ARN or name of a secret of 32 bytes, or on the command line a file, that seals names kept between runs. */
  readonly stateKey: string | undefined;
  /** Cells that the checkpoint knows and that are gone for good. */
  readonly retiredCells: ReadonlySet<string>;
  /** Requests to the Nova API under way at once, at the most. */
  readonly apiConcurrency: number;
  /** At least so often every live server is asked for its actions; 0: in every window. */
  readonly apiSweepSeconds: Seconds;
  /** ARN of the state machine that long backfills are handed to. */
  readonly backfillMachine: string | undefined;
  /** What the names of its executions' masking secrets begin with. */
  readonly backfillSecrets: string | undefined;
  /** Whether to publish windows while the Nova API leaves out a cell. */
  readonly allowPartial: boolean;
}

export interface Release {
  readonly name: string;
  /** Of all its windows; undefined if it is not planned yet. */
  readonly range: Window | undefined;
  /** Masks of its racks in order of the racks' names: the place of one is what is written for it. */
  readonly racks?: readonly string[];
}

/**
 * The settings of a deployment, from environment variables that begin with `STAR_`; one that is empty counts as
 * not set.
 *
 * @throws InputError naming the variable that is missing, unknown, wrong, or contradicted by another
 */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const values = check(Deployed, given(env), { what: '', hidden: HIDDEN });
  refuseContradictions(values, env);
  return settingsOf(values);
}

/**
 * The same on the command line, where connection and store are told otherwise.
 *
 * @param prefix of all keys
 */
export function readCommandSettings(
  env: Readonly<Record<string, string | undefined>>,
  prefix: string,
): Settings {
  const values = check(OnCommandLine, given(env), { what: '' });
  refuseContradictions(values, env);
  const deployment = {
    STAR_BUCKET: '',
    STAR_PREFIX: prefix,
    STAR_SECRET: '',
    STAR_BACKFILL_MACHINE: '',
    STAR_BACKFILL_SECRETS: '',
  };
  return settingsOf({ ...deployment, ...values });
}

function given(env: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(env).filter(([name, value]) => name.startsWith('STAR_') && value !== ''),
  );
}

function settingsOf(values: z.output<typeof Deployed>): Settings {
  return {
    bucket: values.STAR_BUCKET,
    prefix: values.STAR_PREFIX,
    cloud: values.STAR_CLOUD,
    release: undefined,
    secret: values.STAR_SECRET,
    windowSeconds: values.STAR_WINDOW_MINUTES * MINUTE,
    settleSeconds: values.STAR_SETTLE_MINUTES * MINUTE,
    openHorizonSeconds: values.STAR_OPEN_HORIZON_DAYS * DAY,
    epoch: values.STAR_EPOCH === 'window' ? 'window' : (parseInstant(values.STAR_EPOCH) ?? Number.NaN),
    tables: values.STAR_TABLES,
    formats: values.STAR_FORMATS.filter(isFormat),
    compression: values.STAR_COMPRESSION,
    formatVersion: values.STAR_FORMAT_VERSION,
    licence: values.STAR_LICENCE,
    masking: values.STAR_MASKING,
    maskingSecret: values.STAR_MASKING_SECRET === '' ? undefined : values.STAR_MASKING_SECRET,
    report: values.STAR_REPORT === 'true',
    privacyLimit: values.STAR_PRIVACY_LIMIT_PERCENT / 100,
    privacyServersLimit: values.STAR_PRIVACY_SERVERS_LIMIT_PERCENT / 100,
    excludeUsers: new Set(values.STAR_EXCLUDE_USERS),
    excludeProjects: new Set(values.STAR_EXCLUDE_PROJECTS),
    hostFrom: values.STAR_MACHINES === 'baremetal' ? 'node' : values.STAR_HOST_FROM,
    nodeProperties: values.STAR_NODE_PROPERTIES,
    rackProperty: values.STAR_RACK_PROPERTY,
    rackPattern: values.STAR_RACK_PATTERN === '' ? undefined : new RegExp(values.STAR_RACK_PATTERN, 'u'),
    forcedDownDisables: values.STAR_FORCED_DOWN_AS === 'DISABLE',
    stateKey: values.STAR_STATE_KEY === '' ? undefined : values.STAR_STATE_KEY,
    retiredCells: new Set(values.STAR_RETIRED_CELLS),
    backfillMachine: values.STAR_BACKFILL_MACHINE === '' ? undefined : values.STAR_BACKFILL_MACHINE,
    backfillSecrets: values.STAR_BACKFILL_SECRETS === '' ? undefined : values.STAR_BACKFILL_SECRETS,
    apiConcurrency: values.STAR_API_CONCURRENCY,
    apiSweepSeconds: values.STAR_API_SWEEP_HOURS * HOUR,
    allowPartial: values.STAR_ALLOW_PARTIAL === 'true',
  };
}

function refuseContradictions(
  values: z.output<typeof OnCommandLine>,
  env: Readonly<Record<string, unknown>>,
): void {
  if (values.STAR_MASKING !== 'sha2-salted') {
    if (values.STAR_ALLOW_UNSAFE_MASKING !== 'true') {
      throw new InputError(
        `STAR_MASKING: got "${values.STAR_MASKING}", which does not protect anyone; ` +
          'accepted: sha2-salted, or this one with STAR_ALLOW_UNSAFE_MASKING=true',
      );
    }
    if (values.STAR_MASKING_SECRET !== '') {
      throw new InputError(
        `STAR_MASKING_SECRET: got a secret, but STAR_MASKING=${values.STAR_MASKING} uses none; ` +
          'accepted: one of the two',
      );
    }
  }
  for (const limit of ['STAR_PRIVACY_LIMIT_PERCENT', 'STAR_PRIVACY_SERVERS_LIMIT_PERCENT'] as const) {
    if (values.STAR_REPORT === 'true' || values[limit] === 100) continue;
    throw new InputError(
      `${limit}: got "${env[limit] as string}", but STAR_REPORT=false makes no ` +
        'figures to hold against it; accepted: one of the two',
    );
  }
  if (values.STAR_NODE_PROPERTIES.includes(values.STAR_RACK_PROPERTY)) {
    throw new InputError(
      `STAR_NODE_PROPERTIES: got "${values.STAR_RACK_PROPERTY}", which is STAR_RACK_PROPERTY and is published masked, as ` +
        'RACK; accepted: one of the two',
    );
  }
  if (values.STAR_MACHINES === 'baremetal' && (env.STAR_HOST_FROM ?? '') !== '') {
    throw new InputError(
      `STAR_HOST_FROM: got "${values.STAR_HOST_FROM}", but STAR_MACHINES=baremetal always names the node; ` +
        'accepted: one of the two',
    );
  }
}
