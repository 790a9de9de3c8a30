import type { OpenWatch } from '../drop/watch.ts';
import type { Settings } from '../config/settings.ts';

/** Loads what watches a drop for its report, where one is wanted: its code is a third of the function's own. */
export async function loadWatch(settings: Settings): Promise<OpenWatch | undefined> {
  if (!settings.report) return undefined;
  const { openWatch } = await import('./watch.ts');
  return (window, tables) => openWatch(settings, window, tables);
}
