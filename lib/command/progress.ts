import { Presets, SingleBar } from 'cli-progress';
import type { Progress } from '../source/source.ts';
import { say } from './terminal.ts';

/** Shows how far a dump is: a bar on a terminal, elsewhere a line now and then. */
export interface ProgressDisplay extends Progress {
  /** Takes the bar away, so that other lines can be written. */
  stop(): void;
}

const BETWEEN_LINES_MS = 5000;
const BETWEEN_FRAMES_MS = 100;

/** @param stream where it is shown, standard error as a rule */
export function showProgress(stream: NodeJS.WriteStream): ProgressDisplay {
  const started = performance.now();
  let rows = 0;
  let expected = 0;
  let done = 0;
  const now = (): Measured =>
    measure({ rows, expected, done, seconds: (performance.now() - started) / 1000 });
  const isBar = stream.isTTY;
  const bar = new SingleBar(
    {
      stream,
      format: '{bar} {share} {rows} rows  {rate} rows/s  {left}',
      hideCursor: true,
      clearOnComplete: true,
      barsize: 30,
      fps: 1000 / BETWEEN_FRAMES_MS,
      gracefulExit: false,
    },
    Presets.shades_classic,
  );
  if (isBar) bar.start(1, 0, { ...now() });
  const timer = setInterval(
    () => {
      if (!isBar) say(line(now()));
      else {
        bar.setTotal(Math.max(expected, 1));
        bar.update(done, { ...now() });
      }
    },
    isBar ? BETWEEN_FRAMES_MS : BETWEEN_LINES_MS,
  );
  return {
    expect(count) {
      expected += count;
    },
    done(count, events) {
      done += count;
      rows += events;
    },
    stop() {
      clearInterval(timer);
      if (isBar) bar.stop();
    },
  };
}

interface Measured {
  readonly rows: string;
  readonly rate: string;
  readonly share: string;
  readonly left: string;
}

/** By what is read so far, of what is known to be there. */
function measure(read: { rows: number; expected: number; done: number; seconds: number }): Measured {
  const share = read.expected === 0 ? 0 : Math.min(1, read.done / read.expected);
  return {
    rows: read.rows.toLocaleString('en-US'),
    rate: Math.round(read.rows / Math.max(read.seconds, 0.001)).toLocaleString('en-US'),
    share: `${Math.floor(share * 100)} %`.padStart(5),
    left: leftText(share, read.seconds),
  };
}

function leftText(share: number, seconds: number): string {
  if (share === 0) return 'looking for the first rows';
  return share === 1 ? 'putting them in order' : `about ${duration((seconds / share) * (1 - share))} left`;
}

function line({ rows, rate, share, left }: Measured): string {
  return `${share.trim()}, ${rows} rows, ${rate} rows/s, ${left}`;
}

/** `42 s`, `3 min 20 s`, `2 h 5 min` */
export function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
