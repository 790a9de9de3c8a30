import type { OpenStackConnection } from '../../connection/connection.ts';

/** What would allow the user to see it. `rule`: of Nova's policy, without `os_compute_api:`. */
export function policyRemedy(rule: string, { scope }: Pick<OpenStackConnection, 'scope'>): string {
  const project =
    'system' in scope ? 'a project’s scope instead of the system’s, which newer Novas refuse; ' : '';
  return `${project}a user with the role admin, or with one to which policy allows os_compute_api:${rule}`;
}
