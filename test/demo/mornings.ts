import type { Manifest } from '../../lib/drop/manifest.ts';
import type { WindowSummary } from '../../lib/drop/window-summary.ts';
import { layoutOf } from '../../lib/store/layout.ts';
import { type Seconds, parseInstant } from '../../lib/core/time.ts';
import { eventsOf, readObject } from '../support/drops.ts';
import type { Invoked } from './function.ts';
import { CLOUD, type DemoOptions, type Setting } from './setting.ts';
import { columns, count, day, heading, minute, perSecond, size } from './text.ts';

/** The run of this morning is left out. */
const MISSED = 2;

const HEADER = ['scheduled (UTC)', 'drop of', 'rows', 'bytes', 'late', 'open', 'seconds'];
const WIDTHS = [16, 10, -8, -9, -5, -5, -8];

/** Invokes the function morning after morning, each time on databases that show what they showed then. */
export async function runMornings(
  { cloud, stage, handler }: Setting,
  mornings: readonly Seconds[],
  { print, signal }: DemoOptions,
): Promise<void> {
  const invoked: Invoked[] = [];
  const invoke = async (time: Seconds): Promise<Invoked> => {
    const one = await handler.invoke(time, stage.env, signal);
    invoked.push(one);
    return one;
  };
  const say = (...cells: string[]): void => print(`  ${columns(cells, WIDTHS)}`);

  print('');
  print(heading('Five mornings: the function is invoked, and finds what Nova had written by then'));
  say(...HEADER);
  for (const [at, time] of mornings.entries()) {
    signal.throwIfAborted();
    await cloud.advanceTo(time);
    if (at === MISSED) {
      say(minute(time), 'a run missed: nothing was invoked');
      continue;
    }
    const { summary } = await invoke(time);
    if (summary.status !== 'published') throw new Error(`nothing was published: ${summary.message}`);
    for (const [nth, window] of summary.windows.entries()) {
      const caughtUp = summary.windows.length > 1 && nth === 0;
      say(
        nth === 0 ? minute(time) : '',
        ...windowCells(window, await manifestOf(window)),
        caughtUp ? 'caught up' : '',
      );
    }
  }
  const last = mornings.at(-1) ?? 0;
  const again = await invoke(last);
  if (again.summary.status !== 'upToDate') throw new Error(`invoked again: ${again.summary.message}`);
  say(minute(last), 'invoked again: up to date, nothing written');
  print('');
  for (const line of costLines(invoked)) print(`  ${line}`);

  async function manifestOf({ window }: WindowSummary): Promise<Manifest> {
    const [start = 0, end = 0] = window.split('/').map((text) => parseInstant(text));
    const key = layoutOf({ prefix: '', cloud: CLOUD }).manifest({ start, end });
    const manifest: Manifest = JSON.parse((await readObject(stage.client, key)).toString('utf8'));
    return manifest;
  }
}

function windowCells(window: WindowSummary, manifest: Manifest): string[] {
  const { counts } = eventsOf(manifest);
  return [
    day(parseInstant(manifest.window.start) ?? 0),
    count(counts.rows),
    size(window.bytes ?? 0),
    count(counts.late),
    count(counts.stillOpen),
    window.seconds.toFixed(2),
  ];
}

function costLines(invoked: readonly Invoked[]): string[] {
  const windows = invoked.flatMap(({ summary }) => summary.windows);
  const rows = windows.reduce((sum, { rows: own = 0 }) => sum + own, 0);
  const inWindows = windows.reduce((sum, { seconds }) => sum + seconds, 0);
  const whole = invoked.reduce((sum, { seconds }) => sum + seconds, 0);
  const peak = Math.max(...invoked.map(({ peakBytes }) => peakBytes));
  return [
    'late: finished earlier, committed after that day’s run.  open: begun and carried to the next run.',
    `${count(rows)} rows in ${inWindows.toFixed(1)} s: ${perSecond(rows, inWindows)} rows a second, ` +
      'read, masked, compressed and stored.',
    `${invoked.length} invocations took ${whole.toFixed(1)} s with Node’s start, and at most ${size(peak)} of memory each.`,
  ];
}
