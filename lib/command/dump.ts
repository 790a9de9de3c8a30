import type { CloudConnection } from '../connection/connection.ts';
import { type WrittenTable, writeTable } from '../drop/write-table.ts';
import { openLeakScan } from '../privacy/leak-scan.ts';
import { type Refusal, refuseLeaks } from '../privacy/refuse-leaks.ts';
import { watchText } from '../privacy/watch-text.ts';
import { loadFormat } from '../format/load-format.ts';
import { openSource } from '../source/open-source.ts';
import { inOrder } from '../source/order.ts';
import { ANY_TIME, type Progress, type ReadRequest, type Source } from '../source/source.ts';
import { DAY, type Seconds, iso } from '../core/time.ts';
import { createMasking } from '../transform/masking.ts';
import { openTransform } from '../transform/transform.ts';
import type { Window } from '../core/window.ts';
import type { DumpOptions } from './dump-options.ts';
import { openDump } from './output.ts';
import { duration, showProgress } from './progress.ts';
import { say } from './terminal.ts';

/**
 * The start of a dump without --start: before any OpenStack, and late enough that sources can look back a day further.
 */
const BEGINNING: Seconds = 2 * DAY;

/**
 * Writes one range of a cloud's trace into a file, or to standard output.
 *
 * @param connect opens nothing, but may ask for a password
 * @throws InputError, SourceError, PrivacyError, OutputError; the file of that name is then as it was before
 */
export async function dump(
  path: string,
  options: DumpOptions,
  connect: () => Promise<CloudConnection>,
  signal: AbortSignal,
): Promise<void> {
  const started = performance.now();
  const connection = await connect();
  signal.throwIfAborted();
  const format = await loadFormat(options.format, options.formatVersion);
  using masking = createMasking(options.masking, options.salt);
  const file = await openDump(path, signal, options.replaces);
  const display = showProgress(process.stderr);
  try {
    const source = await openSource(connection, { ...options, tables: [options.table.name] }, say);
    const range = { start: options.start ?? BEGINNING, end: options.end };
    options.tell(`reading ${source.kind} for ${rangeText(options)}`);
    const { table, epoch } = options;
    const request = await requestOf(source, range, options, display, signal);
    // Without masks the scan would find everything.
    using scan = options.masking === 'none' ? undefined : openLeakScan();
    const exactIn = options.masking === 'sha2-salted' && options.salt === undefined ? range : undefined;
    using transform = openTransform(table, { ...options, exactIn }, masking.mask, scan?.identifier);
    const checked = { name: table.name, columns: transform.columns };
    const encoder = format.encoder(checked, epoch === 'window' ? range.start : epoch);
    await using opened = await source.open(signal);
    const rows = inOrder(opened.read(table.name, request), table.order);
    const written = await writeTable(
      rows,
      transform,
      [{ encoder, object: file }],
      signal,
      scan && watchText(scan, table),
    );
    if (scan !== undefined) refuseLeaks(scan, refusalOf(path));
    const tally = { ...written, instances: transform.subjects(), skipped: transform.skipped };
    const bytes = await file.finish();
    display.stop();
    say(summaryLine(path, options, tally, bytes, (performance.now() - started) / 1000));
    tellWhatIsLeftOut(tally, options.tell);
  } finally {
    display.stop();
    await file.abort();
  }
}

function refusalOf(path: string): Refusal {
  const exclusions = '--exclude-user or --exclude-project';
  return path === '-'
    ? { of: 'standard output', outcome: 'it has been written already, so do not pass it on', exclusions }
    : { of: path, outcome: 'the file is not written', exclusions };
}

interface WrittenDump extends WrittenTable {
  readonly instances: number;
  /** Rows left out by the options, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
}

async function requestOf(
  source: Source,
  range: Window,
  { start, table, settleSeconds, allowPartial }: DumpOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<ReadRequest> {
  // If everything is read, nothing lies before it.
  const [states] = start === undefined ? [] : await source.statesAt([range], [table.name], signal);
  return {
    window: range,
    begin: range.start,
    state: states?.[table.name],
    openHorizonSeconds: ANY_TIME,
    settleSeconds,
    whole: !allowPartial,
    progress,
  };
}

function rangeText({ start, end }: DumpOptions): string {
  return `${start === undefined ? 'everything' : iso(start)}/${iso(end)}`;
}

function summaryLine(
  path: string,
  options: DumpOptions,
  { rows, instances }: WrittenDump,
  bytes: number,
  seconds: number,
): string {
  const name = path === '-' ? 'standard output' : path;
  // In the other tables a row is a server itself, or has nothing to do with one.
  const of =
    options.table.name === 'instance_events' ? ` of ${instances.toLocaleString('en-US')} instances` : '';
  return (
    `${name}: ${rows.toLocaleString('en-US')} rows${of}, ` +
    `${rangeText(options)}, ${bytes.toLocaleString('en-US')} bytes, ${duration(seconds)}`
  );
}

function tellWhatIsLeftOut({ outcome, skipped }: WrittenDump, tell: (line: string) => void): void {
  const { counts, api, sourceFrom } = outcome;
  tell(`not finished at the end of the range: ${counts.stillOpen}`);
  for (const [reason, rows] of Object.entries({ ...counts.skipped, ...skipped }))
    tell(`left out, ${reason}: ${rows}`);
  if (sourceFrom !== null) tell(`the source goes back to ${iso(sourceFrom)}`);
  if (api === undefined) return;
  tell(
    `Nova's API ${api.microversion}, ${api.requests} requests; what it cannot show: ${api.unseen.join(', ')}`,
  );
}
