import { Presets, SingleBar } from 'cli-progress';
import type { Progress } from '../source/source.ts';
import { say } from './terminal.ts';

/** Shows the progress of a dump: as a bar on a terminal, elsewhere as a line from time to time. */
export interface ProgressDisplay extends Progress {
  /** Removes the bar, so that other lines can be written. */
  stop(): void;
}

const BETWEEN_LINES_MS = 5000;
const BETWEEN_FRAMES_MS = 100;

/** @param stream where it is shown, usually standard error */
export function showProgress(stream: NodeJS.WriteStream): ProgressDisplay {
  const meter = openMeter(() => performance.now() / 1000);
  const now = (): Measured => shown(meter.read());
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
        const read = meter.read();
        bar.update(read.share, { ...shown(read) });
      }
    },
    isBar ? BETWEEN_FRAMES_MS : BETWEEN_LINES_MS,
  );
  return {
    expect: (count) => meter.expect(count),
    done: (count, events) => meter.done(count, events),
    stop() {
      clearInterval(timer);
      if (isBar) bar.stop();
    },
  };
}

/** What has been read so far of what is known to exist. */
export interface Reading {
  readonly rows: number;
  readonly rate: number;
  /** 0 to 1; never goes back, although more rows may become known. */
  readonly share: number;
  /** Undefined until enough has been read to estimate it. */
  readonly secondsLeft: number | undefined;
}

/** Share to read before the time left is shown: the first rows are not like the rest. */
const TELLING_SHARE = 0.02;

/** @param clock in seconds */
export function openMeter(clock: () => number): Progress & { read(): Reading } {
  const started = clock();
  let readingSince = started;
  let [rows, expected, done, share] = [0, 0, 0, 0];
  const measured = (): number => (expected === 0 ? 0 : Math.min(1, done / expected));
  return {
    expect(count) {
      if (done === 0) readingSince = clock();
      expected += count;
    },
    done(count, events) {
      done += count;
      rows += events;
    },
    read() {
      share = Math.max(share, measured());
      const now = clock();
      // Time spent looking for the rows does not count, because it says nothing about the rate of reading.
      const reading = now - readingSince;
      const isTelling = measured() >= TELLING_SHARE;
      return {
        rows,
        rate: rows / Math.max(now - started, 0.001),
        share,
        secondsLeft: isTelling ? (reading / measured()) * (1 - measured()) : undefined,
      };
    },
  };
}

interface Measured {
  readonly rows: string;
  readonly rate: string;
  readonly share: string;
  readonly left: string;
}

function shown({ rows, rate, share, secondsLeft }: Reading): Measured {
  return {
    rows: rows.toLocaleString('en-US'),
    rate: Math.round(rate).toLocaleString('en-US'),
    share: `${Math.floor(share * 100)} %`.padStart(5),
    left: leftText(rows, secondsLeft),
  };
}

function leftText(rows: number, secondsLeft: number | undefined): string {
  if (secondsLeft === undefined) return rows === 0 ? 'looking for the first rows' : 'time left not known yet';
  return secondsLeft === 0 ? 'putting them in order' : `about ${duration(secondsLeft)} left`;
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
