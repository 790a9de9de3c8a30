import type { CloudConnection } from '../connection/connection.ts';
import { InputError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { SECRET_BYTES } from '../transform/masking.ts';
import { connectionTo } from './connection.ts';
import type { DatabaseOptions } from './database-connection.ts';
import type { OpenStackOptions } from './openstack-connection.ts';
import { type GivenOptions, type GivenValues, gatherValues, settingsOf } from './settings.ts';
import { type OpenedStore, openStore, refuseNoPlace } from './store.ts';
import { readBytes, say } from './terminal.ts';
import type { WindowSummary } from '../drop/window-summary.ts';
import { type WindowsDisplay, showWindows } from './windows-display.ts';
import type { Settings } from '../config/settings.ts';

/** What the commands that publish have in common. */
export interface Publishing extends AsyncDisposable {
  readonly settings: Settings;
  readonly connection: CloudConnection;
  readonly opened: OpenedStore;
  readonly display: WindowsDisplay;
  readonly log: Log;
  /** Writes the last line: JSON, or a sentence. */
  readonly tell: (message: string, summary: object) => void;
}

export interface CloudOptions {
  readonly databases: DatabaseOptions;
  readonly openStack: OpenStackOptions;
}

/**
 * Reads all that was given, and opens the store last. Nothing is written.
 *
 * @throws InputError
 */
export async function openPublishing(options: GivenOptions, cloud: CloudOptions): Promise<Publishing> {
  const given = await gatherValues(options);
  // Told about before anything is opened, or asked for.
  settingsOf(given, '');
  refuseNoPlace(given.place);
  const { secret: _, ...databases } = cloud.databases;
  const connection = await connectionTo(given.secret, databases, cloud.openStack);
  const { settings, opened } = await openPlace(given, { create: true });
  const isJson = options['json'] === true;
  const display = showWindows(process.stderr, { quiet: isJson });
  const write = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
  return {
    settings,
    connection,
    opened,
    display,
    log(message, fields = {}) {
      if (message === 'window done') display.done(fields as unknown as WindowSummary);
      if (isJson) write({ time: new Date().toISOString(), message, ...fields });
      else if (options['verbose'] === true && message !== 'window done') say(message);
    },
    tell(message, summary) {
      display.stop();
      if (isJson) write({ time: new Date().toISOString(), message, summary });
      else say(message);
    },
    async [Symbol.asyncDispose]() {
      display.stop();
      await opened[Symbol.asyncDispose]();
    },
  };
}

/** The settings of a trace, and the store that it is in. */
export async function openPlace(
  given: GivenValues,
  { create }: { create: boolean },
): Promise<{ readonly settings: Settings; readonly opened: OpenedStore }> {
  const opened = await openStore(given.place, { create });
  return { settings: settingsOf(given, opened.prefix), opened };
}

/** @throws InputError for a secret that can be guessed */
export async function readSecretBytes(path: string, option: string): Promise<Buffer> {
  const bytes = await readBytes(path, option);
  if (bytes.length >= SECRET_BYTES) return bytes;
  const came = bytes.length;
  bytes.fill(0);
  throw new InputError(
    `${option}: ${path} holds ${came} bytes; accepted: at least ${SECRET_BYTES} random bytes ` +
      '(head -c 32 /dev/urandom)',
  );
}
