import { type Microversion, has } from './microversion.ts';

/**
 * What no client of the API can see, or not with this Nova or these settings. Every manifest names it for analysts;
 * docs/nova-api.md explains each.
 */
export function unseenBy(microversion: Microversion, swept: boolean, isPartial: boolean): string[] {
  return [
    'archivedServers',
    'recoveriesOfFinishedActions',
    ...(has(microversion, 'embeddedFlavour') ? [] : ['deletedFlavours']),
    ...(has(microversion, 'eventHosts') ? [] : ['eventHosts']),
    ...(has(microversion, 'downCells') ? [] : ['refusingCells']),
    ...(swept ? [] : ['quietServers']),
    ...(isPartial ? ['silentCells'] : []),
  ];
}
