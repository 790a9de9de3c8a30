import { type Microversion, has } from './microversion.ts';

/** How much of the cloud was looked at. */
export interface Look {
  readonly sweep: boolean;
  readonly isPartial: boolean;
  /** Whether servers may have been archived unseen. */
  readonly mayLack: boolean;
}

/**
 * What no client of the API can see, or not with this Nova or these settings. Every manifest names it for analysts;
 * docs/nova-api.md explains each.
 */
export function unseenBy(microversion: Microversion, { sweep, isPartial, mayLack }: Look): string[] {
  return [
    ...(mayLack ? ['archivedServers'] : []),
    'recoveriesOfFinishedActions',
    ...(has(microversion, 'embeddedFlavour') ? [] : ['deletedFlavours']),
    ...(has(microversion, 'eventHosts') ? [] : ['eventHosts']),
    ...(has(microversion, 'downCells') ? [] : ['refusingCells']),
    ...(sweep ? [] : ['quietServers']),
    ...(isPartial ? ['silentCells'] : []),
  ];
}
