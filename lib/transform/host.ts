import type { HostFrom } from '../config/choices.ts';
import type { Located } from '../tables/table.ts';

/**
 * The physical host that a row names. An event called `compute_…` ran on its own host, wherever the server lives
 * now; all others (conductor, scheduler, API) were recorded on a controller, which is not where the server is.
 */
export function hostOf({ event, host, instance }: Located, hostFrom: HostFrom): string | null {
  if (hostFrom === 'node') return instance.node;
  if (hostFrom === 'instance') return instance.host;
  const ranThere = event?.startsWith('compute_') === true;
  return ranThere ? orElse(host, instance.host) : orElse(instance.host, host);
}

function orElse(first: string | null, second: string | null): string | null {
  return first === null || first === '' ? second : first;
}
