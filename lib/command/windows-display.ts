import { Presets, SingleBar } from 'cli-progress';
import type { RunProgress } from '../drop/invocation.ts';
import type { WindowSummary } from '../drop/window-summary.ts';
import { say } from './terminal.ts';

/** Shows how far a run is, window by window. */
export interface WindowsDisplay extends RunProgress {
  done(window: WindowSummary): void;
  /** Takes the bar away, so that other lines can be written. */
  stop(): void;
}

/**
 * A bar on a terminal, and a line for each window that is done.
 *
 * @param quiet says nothing at all, for JSON lines say it
 */
export function showWindows(stream: NodeJS.WriteStream, { quiet }: { quiet: boolean }): WindowsDisplay {
  const isBar = stream.isTTY && !quiet;
  const bar = new SingleBar(
    {
      stream,
      format: '{bar} window {nth} of {total}, from {start}: {rows} rows read',
      hideCursor: true,
      clearOnComplete: true,
      barsize: 30,
      gracefulExit: false,
    },
    Presets.shades_classic,
  );
  let [done, total, rows, start, isShown] = [0, 0, 0, '', false];
  const update = (): void => {
    if (!isBar) return;
    const shown = { nth: Math.min(done + 1, total), start, rows: rows.toLocaleString('en-US') };
    if (isShown) {
      bar.setTotal(total);
      bar.update(done, shown);
    } else bar.start(total, done, shown);
    isShown = true;
  };
  const stop = (): void => {
    if (isShown) bar.stop();
    isShown = false;
  };
  return {
    due(windows, next) {
      total = done + windows;
      rows = 0;
      start = new Date(next.start * 1000).toISOString().slice(0, 16);
      update();
    },
    done(window) {
      done++;
      stop();
      if (!quiet) say(windowLine(window));
    },
    rows: {
      expect: () => undefined,
      done(_, events) {
        rows += events;
        update();
      },
    },
    stop,
  };
}

function windowLine({ window, status, rows, bytes, late, seconds }: WindowSummary): string {
  if (rows === undefined) return `${window}: published by another run`;
  const kilobytes = Math.ceil((bytes ?? 0) / 1000).toLocaleString('en-US');
  return (
    `${window}: ${status}, ${rows.toLocaleString('en-US')} rows, ${kilobytes} kB, ${late ?? 0} late, ` +
    `${seconds.toFixed(1)} s`
  );
}
