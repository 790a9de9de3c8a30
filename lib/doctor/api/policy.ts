import type { OpenStackConnection } from '../../connection/connection.ts';

/** What would let the user see it; `rule` without `os_compute_api:`, as of Nova's policy. */
export function policyRemedy(rule: string, { scope }: Pick<OpenStackConnection, 'scope'>): string {
  const project =
    'system' in scope ? 'a project’s scope in place of the system’s, which newer Novas refuse; ' : '';
  return `${project}a user with the role admin, or with one to which policy allows os_compute_api:${rule}`;
}
