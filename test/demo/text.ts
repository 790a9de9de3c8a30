import { styleText } from 'node:util';
import { iso } from '../../lib/core/time.ts';

/** Bold on a terminal that shows it, plain everywhere else. */
export function heading(text: string): string {
  return styleText('bold', text, { stream: process.stdout });
}

export function dim(text: string): string {
  return styleText('dim', text, { stream: process.stdout });
}

/** Columns of the terminal; what is piped is cut as a common terminal would. */
export function terminalWidth(): number {
  return Math.max(80, process.stdout.columns ?? 100);
}

export function fit(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

/** `12,345` */
export function count(value: number): string {
  return value.toLocaleString('en');
}

/** `2,700` of 2,684 rows in 1 s, `17` in 155 s, `0.3` in two hours: no more digits than the measurement has */
export function perSecond(amount: number, seconds: number): string {
  const rate = amount / Math.max(seconds, 0.001);
  if (rate >= 1000) return count(Math.round(rate / 100) * 100);
  return rate >= 10 ? count(Math.round(rate)) : count(Number(rate.toPrecision(1)));
}

/** `812 kB`, decimal as S3 bills it. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 100_000) return `${(bytes / 1000).toFixed(1)} kB`;
  return bytes < 10_000_000
    ? `${count(Math.round(bytes / 1000))} kB`
    : `${(bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0)} MB`;
}

/** `2026-11-22` */
export function day(seconds: number): string {
  return iso(seconds).slice(0, 10);
}

/** `2026-11-22 00:45` */
export function minute(seconds: number): string {
  return iso(seconds).slice(0, 16).replace('T', ' ');
}

/** Cells side by side, each padded to its width; a negative width pads on the left. */
export function columns(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, at) => {
      const width = widths[at] ?? 0;
      return width < 0 ? cell.padStart(-width) : cell.padEnd(width);
    })
    .join('  ')
    .trimEnd();
}
