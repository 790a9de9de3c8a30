import { askCells } from './cells.ts';
import { type Flavor, flavorOf } from './flavor.ts';
import type { NovaCall } from './nova.ts';
import { NovaError, badRequest } from './nova-errors.ts';
import { limitOf, nextLink } from './paging.ts';
import { anyText, checkQuery, lastOf, naturalNumber, oneOf } from './query-schema.ts';
import { isTrue } from './server-filters.ts';
import { linksOf } from './server-view.ts';

/** `GET /flavors` and `/flavors/detail`: those of the servers that are there, by id; public ones unless told otherwise. */
export async function listFlavors(call: NovaCall, isDetail: boolean): Promise<object> {
  const params = checkQuery(call.params, {
    properties: {
      limit: naturalNumber,
      marker: anyText,
      is_public: anyText,
      minRam: anyText,
      minDisk: anyText,
      sort_key: oneOf(
        'created_at description disabled ephemeral_gb flavorid id is_public memory_mb name root_gb rxtx_factor swap updated_at vcpu_weight vcpus'.split(
          ' ',
        ),
      ),
      sort_dir: oneOf(['asc', 'desc']),
    },
    additional: call.minor < 75 ? 'strip' : 'refuse',
  });
  const isPublic = publicFilter(call, lastOf(params, 'is_public'));
  const flavors = (await flavorsOf(call)).filter(
    (flavor) => isPublic === undefined || flavor.isPublic === isPublic,
  );
  if (lastOf(params, 'sort_dir') === 'desc') flavors.reverse();
  const marker = lastOf(params, 'marker');
  const start = marker === undefined ? 0 : flavors.findIndex(({ id }) => id === marker) + 1;
  if (marker !== undefined && start === 0) throw badRequest(`marker [${marker}] not found`);
  const page = flavors.slice(start, start + limitOf(call, params));
  const links = nextLink(
    call,
    params,
    isDetail ? 'flavors/detail' : 'flavors',
    page.map(({ id }) => id),
  );
  return {
    flavors: page.map((flavor) => (isDetail ? detailedView(call, flavor) : briefView(call, flavor))),
    ...(links.length === 0 ? {} : { flavors_links: links }),
  };
}

/** `GET /flavors/{id}` */
export async function showFlavor(call: NovaCall, id = ''): Promise<object> {
  const flavor = (await flavorsOf(call)).find((one) => one.id === id);
  if (flavor === undefined) throw new NovaError(404, `Flavor ${id} could not be found.`);
  return { flavor: detailedView(call, flavor) };
}

/** Flavours are in Nova's own database, so a cell that is down does not matter. */
async function flavorsOf(call: NovaCall): Promise<Flavor[]> {
  const cloud = { ...call.cloud, silentCells: new Set<string>(), failingCells: new Set<string>() };
  const answers = await askCells({ ...call, cloud }, (cell) =>
    cell.query('SELECT DISTINCT vcpus, memory_mb, root_gb, ephemeral_gb FROM instances'),
  );
  const rows = answers.flatMap((answer) => ('value' in answer ? answer.value : []));
  return [...new Set(rows.map(flavorOf))]
    .filter(({ id }) => !call.cloud.deletedFlavors.has(id))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** Undefined where both are wanted. */
function publicFilter({ isAdmin }: NovaCall, value: string | undefined): boolean | undefined {
  if (value === undefined || !isAdmin) return true;
  if (value.toLowerCase() === 'none') return undefined;
  if (!/^(1|0|t|f|true|false|on|off|y|n|yes|no)$/i.test(value))
    throw badRequest(`Invalid is_public filter [${value}]`);
  return isTrue(value);
}

function briefView(call: NovaCall, { id, name }: Flavor): object {
  const links = linksOf(call, 'flavors', id);
  return { id, name, links, ...(call.minor < 55 ? {} : { description: null }) };
}

function detailedView(call: NovaCall, flavor: Flavor): object {
  return {
    id: flavor.id,
    name: flavor.name,
    ram: flavor.ram,
    disk: flavor.disk,
    swap: call.minor < 75 ? '' : 0,
    'OS-FLV-EXT-DATA:ephemeral': flavor.ephemeral,
    'OS-FLV-DISABLED:disabled': false,
    vcpus: flavor.vcpus,
    'os-flavor-access:is_public': flavor.isPublic,
    rxtx_factor: 1,
    links: linksOf(call, 'flavors', flavor.id),
    ...(call.minor < 55 ? {} : { description: null }),
    ...(call.minor < 61 ? {} : { extra_specs: {} }),
  };
}
