import type { Owner } from '../tables/table.ts';

export interface Exclusion {
  readonly excludeUsers: ReadonlySet<string>;
  readonly excludeProjects: ReadonlySet<string>;
}

/** Why a row is left out, as manifests count it; undefined for one that stays. */
export function reasonToExclude(
  { excludeUsers, excludeProjects }: Exclusion,
  { userId, projectId }: Owner,
): string | undefined {
  if (userId !== null && excludeUsers.has(userId)) return 'excludedUser';
  if (projectId !== null && excludeProjects.has(projectId)) return 'excludedProject';
  return undefined;
}
