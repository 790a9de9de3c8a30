import type { RealCloud } from './cloud.ts';

/** A record that the database has and the API does not show, and why. */
export interface Explained {
  readonly record: string;
  readonly reason: 'archived' | 'recovered' | 'sameRequest' | 'unexplained';
}

/**
 * Finds out by SQL which of the known blind spots of the API a record is in:
 *
 * - `archived`: its server has been moved to the shadow tables;
 * - `recovered`: a compute that was restarted has recorded it under an older action, whose time of change it left;
 * - `sameRequest`: a newer action of the server has the same request id.
 */
export async function explain(cloud: RealCloud, records: readonly string[]): Promise<Explained[]> {
  const explained: Explained[] = [];
  for (const record of records) {
    const { uuid, event, finish_time: finish } = JSON.parse(record) as Record<string, string>;
    const isIn = async (sql: string, parameters: unknown[]): Promise<boolean> =>
      (await cloud.query(sql, parameters)).length > 0;
    const time = finish?.replace('T', ' ').replace('Z', '');
    const action = 'instance_actions a JOIN instance_actions_events e ON e.action_id = a.id';
    const where = 'a.instance_uuid = ? AND e.event = ? AND e.finish_time = ?';
    const reason = (await isIn('SELECT 1 FROM shadow_instances WHERE uuid = ?', [uuid]))
      ? 'archived'
      : (await isIn(`SELECT 1 FROM ${action} WHERE ${where} AND a.updated_at < e.finish_time`, [
            uuid,
            event,
            time,
          ]))
        ? 'recovered'
        : (await isIn(
              `SELECT 1 FROM ${action} JOIN instance_actions n ON n.instance_uuid = a.instance_uuid
                 AND n.request_id = a.request_id AND n.id > a.id WHERE ${where}`,
              [uuid, event, time],
            ))
          ? 'sameRequest'
          : 'unexplained';
    explained.push({ record, reason });
  }
  return explained;
}
