import { askHosts, readApiAllocations } from '../../source/blazar-api/hosts.ts';
import { LEASES, LeasePage } from '../../source/blazar-api/leases.ts';
import { askNodes } from '../../source/ironic-api/nodes.ts';
import { shaped } from '../../source/nova-api/answers.ts';
import type { Api } from '../../source/nova-api/calls.ts';
import type { Nova } from '../../source/nova-api/nova.ts';
import { OTHER_SERVICES, type OtherService } from '../../source/nova-api/other-services.ts';
import { counted } from '../amounts.ts';
import { asSourceError } from '../codes.ts';
import { type Finding, teller } from '../finding.ts';

interface Examined {
  readonly check: string;
  /** Reads a little, as a run does; gives what was found. */
  readonly look: (api: Api) => Promise<string>;
}

const EXAMINED: Readonly<Record<OtherService, Examined>> = {
  Ironic: {
    check: 'nodes',
    async look(api) {
      await askNodes(api, { limit: '1' });
      return 'shown';
    },
  },
  Blazar: {
    check: 'leases',
    async look(api) {
      const hosts = await askHosts(api);
      await readApiAllocations(api, hosts);
      const { json } = await api.get({ path: '/leases', what: LEASES });
      shaped(LeasePage, json, LEASES);
      return `shown, with ${counted(hosts.length, 'host')}`;
    },
  },
};

/** Whether the services that the catalogue has beside Nova show what a run reads. A cloud may do without them. */
export async function* examineOthers(nova: Nova, signal: AbortSignal): AsyncGenerator<Finding, void, void> {
  for (const service of Object.keys(EXAMINED) as OtherService[]) {
    const { check, look } = EXAMINED[service];
    const tell = teller(service);
    try {
      const api = await nova.other(service);
      if (api === undefined) continue;
      yield tell.fine(check, await look(api));
    } catch (error) {
      yield tell.lacking(
        check,
        asSourceError(error, signal).message,
        `${OTHER_SERVICES[service].tables}: a run that is to publish them is refused`,
      );
    }
  }
}
