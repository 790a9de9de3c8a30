import { type Window, windowText } from '../core/window.ts';
import type { WindowResult } from './finish.ts';
import { filesOf, rowsOf } from './manifest.ts';

/** What a run answers about one window. */
export interface WindowSummary {
  readonly window: string;
  readonly status: 'published' | 'resumed' | 'alreadyPublished';
  readonly rows?: number;
  readonly bytes?: number;
  readonly late?: number;
  readonly files?: readonly string[];
  readonly seconds: number;
}

export function windowSummary(
  window: Window,
  result: WindowResult,
  status: WindowSummary['status'],
  milliseconds: number,
): WindowSummary {
  const seconds = Math.round(milliseconds) / 1000;
  if (result.status === 'alreadyPublished')
    return { window: windowText(window), status: result.status, seconds };
  const { manifest } = result;
  return {
    window: windowText(window),
    status,
    rows: rowsOf(manifest),
    bytes: filesOf(manifest).reduce((total, { bytes }) => total + bytes, 0),
    late: Object.values(manifest.tables).reduce((total, { counts }) => total + counts.late, 0),
    files: filesOf(manifest).map(({ key }) => key),
    seconds,
  };
}

/** Whether this invocation published the window. */
export function isNew({ status }: WindowSummary): boolean {
  return status === 'published' || status === 'resumed';
}
