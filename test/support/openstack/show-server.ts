import type { Row } from '../mariadb/index.ts';
import { findInCell, hiddenOf, isUp } from './cells.ts';
import type { NovaCall } from './nova.ts';
import { NovaError, forbidden, unexpected } from './nova-errors.ts';
import { downView, serverView } from './server-view.ts';

/** `GET /servers/{id}`: 404 for a deleted one at any microversion. */
export async function showServer(call: NovaCall, uuid = ''): Promise<object> {
  const found = await findInCell(call, uuid, (cell) =>
    cell.query(`SELECT i.*, ${hiddenOf(cell)} AS is_hidden FROM instances i WHERE i.uuid = ?`, [uuid]),
  );
  const row = found?.rows[0];
  if (found === undefined || row === undefined) throw noInstance(uuid);
  // Where there is no project, the cell's refusal to look for its servers is taken for a cell that is down.
  const isKnown = mayLook(call) && (await isUp(call, found.cell));
  if (!isKnown && call.minor < 69) throw unexpected('nova.exception.NovaException');
  checkServer(call, row, 'servers:show');
  return {
    server: isKnown ? serverView(call, { cell: found.cell, row }, { inList: false }) : downView(call, row),
  };
}

export function noInstance(uuid: string): NovaError {
  return new NovaError(404, `Instance ${uuid} could not be found.`);
}

/** Users without a scope are let into no cell. */
export function mayLook({ isAdmin, scope }: NovaCall): boolean {
  return isAdmin || scope === 'project';
}

/** @throws NovaError 404 for a server that is deleted, or another project's to anyone but an administrator */
function checkServer(call: NovaCall, row: Row, policy: string): void {
  if (row['deleted'] !== 0) throw noInstance(String(row['uuid']));
  if (call.isAdmin) return;
  if (call.scope !== 'project') throw forbidden(policy);
  if (row['project_id'] !== call.account.projectId) throw noInstance(String(row['uuid']));
}
