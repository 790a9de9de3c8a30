import type { CellSession } from '../../source/nova-db/session.ts';
import type { Finding, Teller } from '../finding.ts';

/** What changes nothing. */
const HARMLESS = new Set([
  'USAGE',
  'SELECT',
  'SHOW VIEW',
  'SHOW DATABASES',
  'PROCESS',
  'REPLICATION CLIENT',
  'BINLOG MONITOR',
  'REPLICA MONITOR',
  'SLAVE MONITOR',
]);

/** How many are named; an administrator's list is long. */
const NAMED = 3;

/**
 * Whether the user could do more than read. This costs the trace nothing, but a leaked secret could do more harm than
 * necessary.
 */
export async function* examinePrivileges(
  { query }: CellSession,
  database: string,
  tell: Teller,
): AsyncGenerator<Finding, void, void> {
  const isHere = (on: string): boolean => on === '*.*' || on.startsWith(`${database}.`);
  const excess = (await query('SHOW GRANTS'))
    .flatMap(([grant]) => excessOf(String(grant)))
    .toSorted((a, b) => Number(isHere(b.on)) - Number(isHere(a.on)))
    .map(({ privileges, on }) => `${privileges} on ${on}`);
  if (excess.length === 0) {
    yield tell.fine('privileges', 'to read, and no others');
    return;
  }
  yield tell.fine(
    'privileges',
    `to read, and more than is needed: ${excess.slice(0, NAMED).join('; ')}${excess.length > NAMED ? '; …' : ''}`,
    'use a separate user with SELECT on ten tables, so that a leaked secret can change nothing; docs/nova-database.md lists the GRANTs',
  );
}

/**
 * `INSERT, UPDATE, …` and `nova.*`. The line may hold the hash of a password, so only known parts of it are reported.
 */
function excessOf(grant: string): { privileges: string; on: string }[] {
  const [, list = '', quoted = ''] = /^GRANT (.+?) ON (\S+) TO /.exec(grant) ?? [];
  const privileges = list
    .split(/,\s*(?![^(]*\))/)
    .filter((privilege) => privilege !== '' && !HARMLESS.has(privilege.replace(/\s*\(.*\)$/, '')));
  if (grant.endsWith(' WITH GRANT OPTION')) privileges.push('GRANT OPTION');
  if (privileges.length === 0) return [];
  const more = privileges.length > NAMED ? ', …' : '';
  // An underscore in a database's name is escaped, because it would match any character.
  const on = quoted.replaceAll(/[`\\]/g, '');
  return [{ privileges: `${privileges.slice(0, NAMED).join(', ')}${more}`, on }];
}
