import type { Instance } from '../source.ts';
import type { CellSession, Row } from './session.ts';
import { type EventRow, IDS_PER_STATEMENT, inGroups } from './event-rows.ts';
import { LIVE, SHADOW } from './schema.ts';

const COLUMNS = 'uuid, hostname, user_id, project_id, host, node, memory_mb, root_gb, vcpus';

/** Instances come up again in later chunks; this many are remembered, at about half a KiB each. */
const REMEMBERED = 2000;

export type InstanceLookup = (rows: readonly EventRow[]) => Promise<ReadonlyMap<string, Instance>>;

/**
 * Looks up the instances of event rows: live ones by uuid, archived ones by the primary key of the shadow table.
 *
 * @param archivedIds ids in the shadow table by uuid
 */
export function instanceLookup(
  session: CellSession,
  archivedIds: ReadonlyMap<string, number>,
): InstanceLookup {
  let remembered = new Map<string, Instance>();

  return async (rows) => {
    const found = new Map<string, Instance>();
    const live = new Set<string>();
    const archived = new Set<number>();
    for (const { instanceUuid } of rows) {
      if (instanceUuid === null || found.has(instanceUuid)) continue;
      const known = remembered.get(instanceUuid);
      const archivedId = archivedIds.get(instanceUuid);
      if (known !== undefined) found.set(instanceUuid, known);
      else if (archivedId === undefined) live.add(instanceUuid);
      else archived.add(archivedId);
    }
    const keep = (fetched: readonly Row[]): void => {
      for (const row of fetched) {
        const instance = toInstance(row);
        found.set(instance.uuid, instance);
        remembered.set(instance.uuid, instance);
      }
    };
    for (const some of inGroups([...live], IDS_PER_STATEMENT)) {
      keep(await session.query(`SELECT ${COLUMNS} FROM ${LIVE.instances} WHERE uuid IN (?)`, [some]));
    }
    for (const some of inGroups([...archived], IDS_PER_STATEMENT)) {
      keep(await session.query(`SELECT ${COLUMNS} FROM ${SHADOW.instances} WHERE id IN (?)`, [some]));
    }
    // The working set of the latest chunk is the best guess at the next one's.
    if (remembered.size > REMEMBERED) remembered = new Map(found);
    return found;
  };
}

function toInstance(row: Row): Instance {
  const [uuid, hostname, userId, projectId, host, node, memoryMb, rootGb, vcpus] = row;
  return {
    uuid: uuid as string,
    hostname: hostname as string | null,
    userId: userId as string | null,
    projectId: projectId as string | null,
    host: host as string | null,
    node: node as string | null,
    memoryMb: memoryMb as number | null,
    rootGb: rootGb as number | null,
    vcpus: vcpus as number | null,
  };
}
