import type { OpenWatch } from '../drop/watch.ts';
import type { Settings } from '../config/settings.ts';

/** Loads the code for reports only if one is wanted: it is a third of the function's code. */
export async function loadWatch(settings: Settings): Promise<OpenWatch | undefined> {
  if (!settings.report) return undefined;
  const { openWatch } = await import('./watch.ts');
  return (window, tables) => openWatch(settings, window, tables);
}
